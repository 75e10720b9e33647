package libav

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

// clip makes a clip with the ffmpeg that belongs to the libraries under test.
func clip(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("ffmpeg", append(append([]string{"-hide_banner", "-loglevel", "error", "-y"}, args...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	return path
}

const (
	picture = "testsrc2=s=320x180:r=25:d=2"
	tone    = "sine=1000:d=2"
)

func lavfi(sources ...string) (args []string) {
	for _, s := range sources {
		args = append(args, "-f", "lavfi", "-i", s)
	}
	return args
}

// readAll reads a demuxer to its end.
func readAll(t testing.TB, d *Demuxer) []*media.Packet {
	t.Helper()
	var all []*media.Packet
	for {
		p, err := d.Read(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// decodeAll counts what a track decodes to.
func decodeAll(t testing.TB, track *media.Track, packets []*media.Packet, each func(*Frame)) (frames int) {
	t.Helper()
	var d *Decoder
	take := func(f *Frame) error {
		frames++
		if each != nil {
			each(f)
		}
		return nil
	}
	for _, p := range append(packets, nil) {
		if p != nil && p.Track.ID != track.ID {
			continue
		}
		if d == nil {
			var err error
			if d, err = OpenDecoder(p.Track, DecoderOptions{Threads: 1}); err != nil {
				t.Fatal(err)
			}
			defer d.Close()
		}
		if err := d.Decode(p, take); err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

func TestMain(m *testing.M) {
	SetLog(LogError, func(LogLevel, string, int) {})
	os.Exit(m.Run())
}
