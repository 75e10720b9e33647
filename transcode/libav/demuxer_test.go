package libav

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

func TestDemuxContainers(t *testing.T) {
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25"}
	x265 := []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-g", "25"}
	for _, c := range []struct {
		file         string
		args         []string
		video, audio media.Codec
		clock        int
		audioPackets int // 0: not counted
	}{
		{"a.mp4", append(x264, "-c:a", "aac"), media.H264, media.AAC, 12800, 88},
		{"a.ts", append(x264, "-c:a", "aac"), media.H264, media.AAC, 90000, 88},
		{"a.mkv", append(x264, "-c:a", "libopus", "-ar", "48000"), media.H264, media.Opus, 90000, 101},
		{"a.flv", append(x264, "-c:a", "aac"), media.H264, media.AAC, 90000, 88},
		{"b.mp4", append(x265, "-c:a", "ac3"), media.H265, media.AC3, 12800, 0},
		{"b.ts", append(x265, "-c:a", "mp2"), media.H265, media.MPEGAudio, 90000, 0},
		{"a.avi", []string{"-c:v", "mpeg4", "-c:a", "pcm_s16le"}, "mpeg4", "pcm_s16le", 90000, 0},
		{"a.webm", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"}, media.VP9, media.Opus, 90000, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := clip(t, c.file, append(lavfi(picture, tone), c.args...)...)
			d, err := OpenInput(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			tracks := d.Tracks()
			if len(tracks) != 2 {
				t.Fatalf("tracks %v", tracks)
			}
			v, a := tracks[0], tracks[1]
			if v.Codec != c.video || a.Codec != c.audio || v.ClockRate != c.clock || a.ClockRate != a.SampleRate {
				t.Errorf("tracks %v (clock %d), %v (clock %d)", v, v.ClockRate, a, a.ClockRate)
			}
			if v.Width != 320 || v.Height != 180 || v.FrameRate.Float() != 25 || v.BitDepth != 8 || v.Chroma != "4:2:0" {
				t.Errorf("video is %+v", v)
			}
			packets := readAll(t, d)
			checkTimes(t, packets)
			if n := decodeAll(t, v, packets, nil); n != 50 {
				t.Errorf("%d pictures of 50", n)
			}
			if n := count(packets, a); c.audioPackets > 0 && (n < c.audioPackets-1 || n > c.audioPackets+1) {
				t.Errorf("%d audio packets, want %d", n, c.audioPackets)
			}
			if decodeAll(t, a, packets, nil) == 0 {
				t.Error("no sound")
			}
			checkForm(t, packets)
		})
	}
}

func count(packets []*media.Packet, t *media.Track) (n int) {
	for _, p := range packets {
		if p.Track.ID == t.ID {
			n++
		}
	}
	return n
}

// checkTimes holds packets to one timeline: DTS in order over all tracks,
// pictures exactly a frame apart, audio without holes.
func checkTimes(t *testing.T, packets []*media.Packet) {
	t.Helper()
	var last time.Duration
	before := map[int]*media.Packet{}
	pts := map[int64]bool{}
	for i, p := range packets {
		at := media.Duration(p.DTS, p.Track.ClockRate)
		if i == 0 && at != headStart {
			t.Errorf("starts at %s", at)
		}
		if at < last || p.DTS < 0 || p.PTS < p.DTS {
			t.Fatalf("%v: PTS %d, DTS %d (%s) after %s", p.Track, p.PTS, p.DTS, at, last)
		}
		last = at
		if b := before[p.Track.ID]; b != nil && p.Track.Kind == media.Audio && b.Duration > 0 {
			if step := p.DTS - b.DTS; step < b.Duration-1 || step > b.Duration+1 {
				t.Errorf("audio %d after %d, which lasts %d", p.DTS, b.DTS, b.Duration)
			}
		}
		before[p.Track.ID] = p
		if p.Track.Kind == media.Video {
			if pts[p.PTS] {
				t.Fatalf("PTS %d comes twice", p.PTS)
			}
			pts[p.PTS] = true
		}
	}
}

// checkForm holds payloads to what fMP4 stores.
func checkForm(t *testing.T, packets []*media.Packet) {
	t.Helper()
	for _, p := range packets {
		switch p.Track.Codec {
		case media.H264, media.H265:
			if len(p.Track.Config) == 0 || p.Track.Config[0] != 1 {
				t.Fatalf("%v without its configuration", p.Track)
			}
			units, err := splitLengths(p.Payload, 4)
			if err != nil || len(units) == 0 {
				t.Fatalf("%v: payload % x…: %v", p.Track, p.Payload[:min(8, len(p.Payload))], err)
			}
			sets := parameterSets{codec: p.Track.Codec}
			for _, u := range units {
				if k := sets.kind(u); k != unitMedia {
					t.Fatalf("%v: NAL unit of kind %d in the payload", p.Track, k)
				}
			}
		case media.AAC:
			if len(p.Track.Config) < 2 {
				t.Fatalf("AAC without its configuration")
			}
			if p.Payload[0] == 0xff && p.Payload[1]&0xf0 == 0xf0 {
				t.Fatal("ADTS header in the payload")
			}
		case media.Opus:
			if len(p.Track.Config) < 11 || p.Track.Config[0] != 0 {
				t.Fatalf("Opus with dOps % x", p.Track.Config)
			}
		}
	}
}

// TestConfigurations compares the configuration records that we write for
// Annex B with those that FFmpeg's MP4 muxer writes for the same stream.
func TestConfigurations(t *testing.T) {
	for _, c := range []struct{ name, codec, format string }{
		{"h264", "libx264", "yuv420p"},
		{"h264-422", "libx264", "yuv422p"},
		{"h264-10", "libx264", "yuv420p10le"},
		{"h265", "libx265", "yuv420p"},
		{"h265-10", "libx265", "yuv420p10le"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := clip(t, "a.ts", append(lavfi(picture), "-pix_fmt", c.format, "-c:v", c.codec, "-preset", "ultrafast")...)
			mp4 := clip(t, "a.mp4", "-i", ts, "-c", "copy")
			var configs [2][]byte
			for i, path := range []string{ts, mp4} {
				d, err := OpenInput(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				configs[i] = d.Tracks()[0].Config
				d.Close()
			}
			ours, theirs := configs[0], configs[1]
			if c.codec == "libx265" {
				// FFmpeg measures average frame rate, parallelism and
				// segmentation where we say unknown, and marks the arrays
				// as it found them.
				ours, theirs = bytes.Clone(ours), bytes.Clone(theirs)
				copy(ours[13:15], theirs[13:15])
				ours[15], ours[19], ours[20] = theirs[15], theirs[19], theirs[20]
				ours, theirs = ours[:23], theirs[:23]
			}
			if !bytes.Equal(ours, theirs) {
				t.Errorf("ours   % x\ntheirs % x", ours, theirs)
			}
		})
	}
}

func TestDescribesSource(t *testing.T) {
	plain := clip(t, "plain.mp4", append(lavfi(picture), "-c:v", "libx264", "-preset", "ultrafast")...)
	for _, c := range []struct {
		name string
		args []string
		want func(*media.Track) bool
	}{
		{
			"rotated.mp4",
			[]string{"-display_rotation", "-90", "-i", plain, "-c", "copy"},
			func(v *media.Track) bool { return v.Rotation == 90 },
		},
		{
			"upside.mp4",
			[]string{"-display_rotation", "180", "-i", plain, "-c", "copy"},
			func(v *media.Track) bool { return v.Rotation == 180 },
		},
		{
			"aspect.mp4", append(lavfi(picture), "-vf", "setsar=16/15", "-c:v", "libx264", "-preset", "ultrafast"),
			func(v *media.Track) bool { return v.SampleAspect == media.Rational{Num: 16, Den: 15} },
		},
		{
			"fields.ts", append(lavfi(picture), "-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
			func(v *media.Track) bool { return v.Interlaced },
		},
		{
			"ten.mp4", append(lavfi(picture), "-pix_fmt", "yuv422p10le", "-c:v", "libx264", "-preset", "ultrafast"),
			func(v *media.Track) bool { return v.BitDepth == 10 && v.Chroma == "4:2:2" },
		},
		{
			"ntsc.mp4", append(lavfi("testsrc2=s=320x180:r=30000/1001:d=2"), "-c:v", "libx264", "-preset", "ultrafast"),
			func(v *media.Track) bool {
				return v.FrameRate == media.Rational{Num: 30000, Den: 1001} && v.ClockRate == 90000
			},
		},
		{
			"vary.mp4", append(lavfi("testsrc2=s=320x180:r=50:d=4"), "-vf", "select='lt(t,2)+not(mod(n,5))'", "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast"),
			func(v *media.Track) bool { return !v.FrameRate.Known() },
		},
		{
			"speech.mp4", append(lavfi(picture, tone), "-c:v", "libx264", "-preset", "ultrafast", "-metadata:s:a:0", "language=deu"),
			func(v *media.Track) bool { return !v.Interlaced && v.Rotation == 0 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := OpenInput(t.Context(), clip(t, c.name, c.args...))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if v := d.Tracks()[0]; !c.want(v) {
				t.Errorf("described as %+v", v)
			}
			if len(d.Tracks()) > 1 && d.Tracks()[1].Language != "de" {
				t.Errorf("language %q", d.Tracks()[1].Language)
			}
			if i := d.Info(); i.Container == "" || i.Duration < time.Second || len(i.Streams) != len(d.Tracks()) {
				t.Errorf("info %+v", i)
			}
		})
	}
}

func TestOpenReader(t *testing.T) {
	for _, name := range []string{"a.ts", "a.mkv", "a.mp4"} {
		t.Run(name, func(t *testing.T) {
			path := clip(t, name, append(lavfi(picture), "-c:v", "libx264", "-preset", "ultrafast")...)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			var r io.Reader = f
			if name != "a.mp4" { // whose index is at its end
				r = struct{ io.Reader }{f}
			}
			d, err := OpenReader(t.Context(), r, "")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if n := len(readAll(t, d)); n != 50 {
				t.Errorf("%d packets of 50", n)
			}
		})
	}
}

func TestBrokenInputs(t *testing.T) {
	whole := clip(t, "whole.ts", append(lavfi(picture, tone), "-c:v", "libx264", "-preset", "ultrafast")...)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		data []byte
	}{{"empty.mp4", nil}, {"text.mp4", []byte("this is no film\n")}, {"noise.ts", noise}, {"short.mp4", data[:100]}} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := OpenInput(t.Context(), path)
		if err == nil {
			d.Close()
		}
		if !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := OpenInput(t.Context(), filepath.Join(dir, "missing.mp4")); !errors.Is(err, ErrInput) {
		t.Errorf("missing: %v", err)
	}
	// A film that was cut off plays to where it ends.
	path := filepath.Join(dir, "cut.ts")
	if err := os.WriteFile(path, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenInput(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := len(readAll(t, d)); n < 20 {
		t.Errorf("%d packets of a film cut in half", n)
	}
}

func TestOpenIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := OpenReader(ctx, r, "mpegts")
		done <- err
	}()
	cancel()
	// A Read that is under way is the reader's own to end.
	_ = r.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("opened with %v", err)
	}
}

// TestSplicedFile plays two films, of different sizes, that were put one after
// the other: time goes on, in a new epoch and a new revision.
func TestSplicedFile(t *testing.T) {
	args := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-c:a", "aac"}
	var data []byte
	for _, size := range []string{"320x180", "160x120"} {
		b, err := os.ReadFile(clip(t, size+".ts", append(lavfi("testsrc2=s="+size+":r=25:d=3", "sine=1000:d=3"), args...)...))
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, b...)
	}
	path := filepath.Join(t.TempDir(), "both.ts")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenInput(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	packets := readAll(t, d)
	video := [2]int{}
	var start, end [2][2]time.Duration // by epoch and track
	epoch := uint32(0)
	for _, p := range packets {
		if p.Epoch < epoch || p.Epoch > 1 {
			t.Fatalf("epoch %d after %d", p.Epoch, epoch)
		}
		epoch = p.Epoch
		at := media.Duration(p.PTS, p.Track.ClockRate)
		if end[p.Epoch][p.Track.ID] == 0 {
			start[p.Epoch][p.Track.ID] = at
		}
		start[p.Epoch][p.Track.ID] = min(start[p.Epoch][p.Track.ID], at)
		end[p.Epoch][p.Track.ID] = max(end[p.Epoch][p.Track.ID], at)
		if p.Track.Kind == media.Video {
			video[p.Epoch]++
			want := []int{320, 160}[p.Epoch]
			if p.Track.Width != want || p.Track.Revision != int(p.Epoch) {
				t.Fatalf("%v, revision %d, in epoch %d", p.Track, p.Track.Revision, p.Epoch)
			}
		}
	}
	if video != [2]int{75, 75} {
		t.Errorf("pictures by epoch %v", video)
	}
	for id := range 2 {
		gap := start[1][id] - end[0][id]
		if gap < 0 || gap > 250*time.Millisecond {
			t.Errorf("track %d: a gap of %s", id, gap)
		}
	}
	before, after := start[0][1]-start[0][0], start[1][1]-start[1][0]
	if off := after - before; off < -2*time.Millisecond || off > 2*time.Millisecond {
		t.Errorf("sound is %s beside the picture, then %s", before, after)
	}
}

// What an error says of a URL can be shown to anybody.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, input := range []string{
		"http://user:s3cret@127.0.0.1:1/film.mp4?key=s3cret", "rtsp://127.0.0.1:1/cam?key=s3cret", "http://127.0.0.1:1/%zz?key=s3cret",
	} {
		d, err := OpenInput(t.Context(), input)
		if err == nil {
			d.Close()
			t.Fatalf("%s was opened", input)
		}
		if strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "://") {
			t.Errorf("%v", err)
		}
	}
	for _, path := range []string{"film.mp4?key=1", "/tmp/a b:c@d.mp4"} {
		if got := redacted(path); got != path {
			t.Errorf("the path %s becomes %s", path, got)
		}
	}
}
