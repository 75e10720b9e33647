package rtsp

import (
	"bytes"
	"context"
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// ivf makes a short clip with a real encoder and returns its frames.
func ivf(t *testing.T, encoder string) [][]byte {
	t.Helper()
	bin, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg")
	}
	args := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-frames:v", "20", "-g", "8"}
	args = append(append(args, strings.Fields(encoder)...), "-f", "ivf", "-")
	out, err := exec.CommandContext(t.Context(), bin, args...).Output()
	if err != nil || len(out) < 32 {
		t.Skipf("%s: %v", encoder, err)
	}
	var frames [][]byte
	for out = out[32:]; len(out) >= 12; {
		n := int(binary.LittleEndian.Uint32(out))
		frames = append(frames, out[12:12+n])
		out = out[12+n:]
	}
	return frames
}

// AV1 and VP9 come back as they were sent, with keyframes and parameters.
func TestAV1AndVP9(t *testing.T) {
	for _, c := range []struct {
		codec   media.Codec
		encoder string
	}{
		{media.AV1, "-c:v libsvtav1 -preset 12"},
		{media.VP9, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0"},
	} {
		t.Run(string(c.codec), func(t *testing.T) {
			track := &media.Track{Kind: media.Video, Codec: c.codec, ClockRate: 90000}
			var sent []*media.Packet
			for i, frame := range ivf(t, c.encoder) {
				p := &media.Packet{Track: track, PTS: int64(i) * 3600, Payload: frame, Key: codec.VP9Key(frame)}
				if c.codec == media.AV1 {
					var err error
					if p.Payload, _, p.Key, err = codec.AV1Unit(codec.SplitOBUs(frame)); err != nil {
						t.Fatal(err)
					}
				}
				sent = append(sent, p)
			}
			gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
			_, url := startServer(t, Config{}, gate)
			p, err := Push(t.Context(), PushConfig{URL: url + "/a"}, []*media.Track{track})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			sub := gate.stream("a").Subscribe(media.SubscribeOptions{})
			defer sub.Close()
			for i, want := range sent {
				if err := p.Write(want); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				got, err := sub.Next(ctx)
				cancel()
				if err != nil {
					t.Fatalf("frame %d: %v", i, err)
				}
				if !bytes.Equal(got.Payload, want.Payload) || got.Key != want.Key || got.PTS != 90000+want.PTS || got.Key != (i%8 == 0) {
					t.Errorf("frame %d: %d of %d bytes, key %v, at %d", i, len(got.Payload), len(want.Payload), got.Key, got.PTS)
				}
			}
			if tr := gate.stream("a").Tracks(); len(tr) != 1 || tr[0].Width != 320 || tr[0].Height != 180 || tr[0].Chroma != "4:2:0" {
				t.Errorf("tracks %+v", tr)
			}
			if st := gate.stream("a").Stats(); st.Damaged != 0 || st.Waiting != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}
