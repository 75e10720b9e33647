package libav

import (
	"errors"
	"io"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// TestEngineLeavesNothing makes everything that scripts can have again and
// again, in good order, in bad order, and in the midst of work.
func TestEngineLeavesNothing(t *testing.T) {
	path := clip(t, "a.mp4", append(lavfi("testsrc2=s=64x48:r=25:d=0.2", "sine=1000:d=0.1"), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")...)
	dropOf := func(_ int, f transcode.Frame) error { f.Close(); return nil }
	fail := errors.New("enough")
	nothing := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	round := func() {
		in, err := engine.Open(t.Context(), path, transcode.InputOptions{})
		nothing(err)
		defer in.Close()
		var packets []*media.Packet
		for p, err := in.Read(t.Context()); err == nil; p, err = in.Read(t.Context()) {
			packets = append(packets, p)
		}
		video := in.Tracks()[0]
		d, err := engine.Decoder(video, transcode.CoderOptions{Threads: 1})
		nothing(err)
		defer d.Close()
		both, err := engine.Filter("[0][1]hstack,vflip,split[out0][out1]", []media.Kind{media.Video, media.Video})
		nothing(err)
		defer both.Close()
		e, err := engine.Encoder(transcode.CoderOptions{Codec: "mjpeg", Threads: 1})
		nothing(err)
		defer e.Close()
		m, err := engine.Muxer(io.Discard, []*media.Track{video}, transcode.MuxerOptions{Format: "mp4"})
		nothing(err)
		defer func() { nothing(m.Close()) }()
		for n, p := range packets {
			if p.Track != video {
				continue
			}
			nothing(m.Write(p))
			nothing(d.Decode(p, func(f transcode.Frame) error {
				defer f.Close()
				c, err := f.Clone()
				nothing(err)
				nothing(c.Writable())
				nothing(both.Push(0, c, dropOf))
				small, err := f.Scale(32+16*(n%2), 48, "rgba") // the graph is built again and again
				nothing(err)
				nothing(both.Push(1, small, dropOf))
				_, err = f.Diff(f)
				nothing(err)
				return e.Encode(f, false, func(*media.Packet) error { return nil })
			}))
		}
		black, err := engine.Picture(32, 32, "rgb24")
		nothing(err)
		defer black.Close()
		black.SetClockRate(25)
		black.SetPTS(1000)
		_, err = black.PNG()
		nothing(err)
		_, err = black.JPEG(80)
		nothing(err)
		// In the midst of work, and what goes wrong.
		if err := d.Decode(nil, func(f transcode.Frame) error { f.Close(); return fail }); err != nil && !errors.Is(err, fail) {
			t.Fatal(err)
		}
		if c, err := black.Clone(); err == nil {
			_ = both.Push(0, c, func(_ int, f transcode.Frame) error { f.Close(); return fail })
		}
		_ = both.Push(7, nil, dropOf)
		silence, err := engine.Samples(48000, 2, 1500)
		nothing(err)
		defer silence.Close()
		a, err := engine.Encoder(transcode.CoderOptions{Codec: "aac"})
		nothing(err)
		defer a.Close()
		nothing(a.Encode(silence, false, func(*media.Packet) error { return nil }))
		_ = a.Encode(black, false, nil)
		for _, description := range []string{"scale=widht=3", "[0scale", "movie=/no/such/file", "scale=2:2,volume=1"} {
			if f, err := engine.Filter(description, []media.Kind{media.Video}); err == nil {
				f.Close()
				t.Fatal(description)
			}
		}
		if _, err := engine.Picture(100000, 100000, "gray"); err == nil {
			t.Fatal("a huge picture")
		}
		if err := engine.Check(transcode.EncoderOptions, "libx264", map[string]string{"crf": "x", "preset": "fast"}); err == nil {
			t.Fatal("a wrong option passes")
		}
		if _, err := engine.Options(transcode.FilterOptions, "overlay"); err != nil {
			t.Fatal(err)
		}
	}
	leavesNothing(t, round)
}
