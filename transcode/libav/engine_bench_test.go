package libav

import (
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// BenchmarkIdentity decodes and encodes the same clip by what the ladder uses
// and by what scripts use: frames that are given away and encoders that take
// anything must cost nothing.
func BenchmarkIdentity(b *testing.B) {
	path := clip(b, "a.mp4", append(lavfi("testsrc2=s=640x352:r=25:d=2"), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")...)
	tracks, packets := packetsOf(b, path)
	packets = append(packets, nil)
	rate := media.Rational{Num: 25, Den: 1}
	drop := func(*media.Packet) error { return nil }
	params := map[string]string{"x264-params": "keyint=infinite:scenecut=0"}
	b.Run("ladder", func(b *testing.B) {
		for b.Loop() {
			d, err := OpenDecoder(tracks[0], DecoderOptions{Threads: 1})
			if err != nil {
				b.Fatal(err)
			}
			e, err := OpenVideoEncoder(VideoEncoderOptions{
				Codec: media.H264, Width: 640, Height: 352, ClockRate: tracks[0].ClockRate, FrameRate: rate,
				Bitrate: 500000, Preset: "ultrafast", Threads: 1,
			}, nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, p := range packets {
				if err := d.Decode(p, func(f *Frame) error { return e.Encode(f, false, drop) }); err != nil {
					b.Fatal(err)
				}
			}
			if err := e.Encode(nil, false, drop); err != nil {
				b.Fatal(err)
			}
			d.Close()
			e.Close()
		}
	})
	b.Run("script", func(b *testing.B) {
		for b.Loop() {
			d, err := engine.Decoder(tracks[0], transcode.CoderOptions{Threads: 1})
			if err != nil {
				b.Fatal(err)
			}
			o := transcode.CoderOptions{Codec: "libx264", FrameRate: rate, Bitrate: 500000, Threads: 1, Options: map[string]string{"preset": "ultrafast"}}
			o.Options["x264-params"] = params["x264-params"]
			e, err := engine.Encoder(o)
			if err != nil {
				b.Fatal(err)
			}
			for _, p := range packets {
				if err := d.Decode(p, func(f transcode.Frame) error {
					defer f.Close()
					return e.Encode(f, false, drop)
				}); err != nil {
					b.Fatal(err)
				}
			}
			if err := e.Encode(nil, false, drop); err != nil {
				b.Fatal(err)
			}
			d.Close()
			e.Close()
		}
	})
}
