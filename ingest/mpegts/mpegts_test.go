package mpegts

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/testmedia/tools"
)

// film is a receiver with a stream behind it.
type film struct {
	t      *testing.T
	stream *ingest.Stream
	sub    media.Subscription
	r      *Receiver
	unused []ingest.Unused
	faults []error
}

func newFilm(t *testing.T) *film {
	t.Helper()
	f := &film{t: t, stream: ingest.NewStream("film", ingest.StreamOptions{})}
	f.sub = f.stream.Subscribe(media.SubscribeOptions{Name: "test", MaxBytes: 1 << 30})
	f.r = New(Config{
		Attach: func(tracks []*media.Track, unused []ingest.Unused) (*ingest.Publisher, error) {
			f.unused = unused
			return f.stream.Attach(ingest.PublisherInfo{Protocol: "test", SharedClock: true}, tracks)
		},
		Fault: func(err error) { f.faults = append(f.faults, err) },
	})
	t.Cleanup(func() { f.stream.Close(nil) })
	return f
}

// feed feeds bytes in pieces, as if they took so long to come.
func (f *film) feed(b []byte, piece int, begin, length time.Duration) {
	f.t.Helper()
	whole := len(b)
	for at := 0; at < whole; at += piece {
		arrival := f.stream.Created() + begin + time.Duration(float64(length)*float64(at)/float64(whole))
		if err := f.r.Feed(b[at:min(at+piece, whole)], arrival); err != nil {
			f.t.Fatal(err)
		}
	}
}

// end ends the stream and returns the packets of each track.
func (f *film) end() map[int][]*media.Packet {
	f.t.Helper()
	if err := f.r.End(); err != nil {
		f.t.Fatal(err)
	}
	f.stream.Close(nil)
	tracks := map[int][]*media.Packet{}
	for {
		p, err := f.sub.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			f.t.Fatal(err)
		}
		tracks[p.Track.ID] = append(tracks[p.Track.ID], p)
	}
	if f.sub.Dropped() > 0 {
		f.t.Fatalf("%d packets dropped", f.sub.Dropped())
	}
	return tracks
}

// muxed is a clip as ffmpeg's muxer writes it.
func muxed(t *testing.T, clip string, options ...string) (file string) {
	t.Helper()
	input, _ := tools.Clip(t, clip)
	file = filepath.Join(t.TempDir(), "film.ts")
	args := append([]string{"-v", "error", "-nostdin", "-i", input, "-c", "copy", "-t", "6"}, options...)
	p := tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: append(args, "-f", "mpegts", file)})
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFFmpegFiles compares what is made of ffmpeg's files with what ffmpeg
// itself finds in them.
func TestFFmpegFiles(t *testing.T) {
	for _, c := range []struct {
		clip    string
		options []string
		video   media.Codec
		audio   media.Codec
		header  int // of each frame, that ffmpeg leaves there
	}{
		{"h264-b", nil, media.H264, media.AAC, 7},
		{"h265-b", nil, media.H265, media.AAC, 7},
		{"h264-29.97", nil, media.H264, media.AAC, 7},
		{"h264-aac-5.1", []string{"-mpegts_flags", "latm"}, media.H264, media.AAC, -1},
		{"h264-mp2", nil, media.H264, media.MPEGAudio, 0},
		{"h264-mp3", nil, media.H264, media.MPEGAudio, 0},
		{"h264-ac3", nil, media.H264, media.AC3, 0},
		{"h264-eac3", nil, media.H264, media.EAC3, 0},
		{"h264-opus", nil, media.H264, media.Opus, 0},
		{"aac", nil, "", media.AAC, 7},
	} {
		t.Run(c.clip, func(t *testing.T) {
			file := muxed(t, c.clip, append([]string{"-metadata:s:a", "language=ger"}, c.options...)...)
			probed := tools.MustProbe(t, file, "-show_packets")
			content := read(t, file)
			for _, piece := range []int{1316, 7, 100_000} {
				f := newFilm(t)
				f.feed(content, piece, 0, 6*time.Second)
				tracks := f.end()
				if len(f.faults) > 0 {
					t.Errorf("pieces of %d: %v", piece, f.faults)
				}
				for id, packets := range tracks {
					track := packets[0].Track
					kind, codec := "audio", c.audio
					if track.Kind == media.Video {
						kind, codec = "video", c.video
					} else if track.Language != "de" {
						t.Errorf("language %q", track.Language)
					}
					s := probed.Find(kind)
					if track.Codec != codec || track.Width != s.Width || track.Height != s.Height || track.Channels != s.Channels {
						t.Errorf("track %d is %s", id, track)
					}
					compare(t, packets, probed, s, c.header)
				}
				if wanted := len(probed.Streams); len(tracks) != wanted {
					t.Errorf("%d tracks, want %d", len(tracks), wanted)
				}
			}
		})
	}
}

// compare holds packets against those that ffmpeg finds of a stream.
func compare(t *testing.T, packets []*media.Packet, probed *tools.Probed, s *tools.ProbedStream, header int) {
	t.Helper()
	var want []tools.ProbedPacket
	for _, p := range probed.Packets {
		if p.Stream == s.Index {
			want = append(want, p)
		}
	}
	if len(packets) != len(want) {
		t.Errorf("%s: %d packets, want %d", s.Kind, len(packets), len(want))
		return
	}
	for i, p := range packets {
		w := want[i]
		pts := media.Duration(p.PTS-packets[0].PTS, p.Track.ClockRate)
		if d := pts - media.Duration(w.PTS-want[0].PTS, wireRate); d.Abs() > time.Millisecond {
			t.Errorf("%s %d: at %v, %v from where ffmpeg finds it", s.Kind, i, pts, d)
		}
		if p.Key != w.Key() {
			t.Errorf("%s %d: key %t", s.Kind, i, p.Key)
		}
		if p.Track.Kind == media.Audio && header >= 0 && len(p.Payload) != w.Size-header {
			t.Errorf("%s %d: %d bytes, ffmpeg finds %d", s.Kind, i, len(p.Payload), w.Size-header)
		}
	}
}
