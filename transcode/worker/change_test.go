package worker

import (
	"bytes"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// still is a small source of 25 pictures a second; a duration follows.
const still = "testsrc2=s=320x180:r=25"

// film makes a clip of some seconds: video of a lavfi source, and sound where
// tone is one.
func film(t testing.TB, name, video, tone string, args ...string) ([]*media.Track, []*media.Packet) {
	t.Helper()
	in := []string{"-f", "lavfi", "-i", video}
	if tone != "" {
		in = append(in, "-f", "lavfi", "-i", tone)
	}
	return demux(t, clip(t, name, append(append(in, "-preset", "ultrafast", "-c:v", "libx264", "-g", "25"), args...)...))
}

// splice puts the packets of a second film after those of a first, as the
// next revision of the same tracks.
func splice(first, second []*media.Packet) []*media.Packet {
	end := map[media.Kind]int64{}
	revised := map[*media.Track]*media.Track{}
	for _, p := range first {
		end[p.Track.Kind] = max(end[p.Track.Kind], media.Rescale(p.PTS+p.Duration, p.Track.ClockRate, 1<<20))
	}
	start := map[media.Kind]int64{}
	for _, p := range second {
		if _, ok := start[p.Track.Kind]; !ok {
			start[p.Track.Kind] = media.Rescale(p.PTS, p.Track.ClockRate, 1<<20)
		}
	}
	all := append([]*media.Packet(nil), first...)
	for _, p := range second {
		q := *p
		if revised[p.Track] == nil {
			track := *p.Track
			track.Revision++
			revised[p.Track] = &track
		}
		q.Track = revised[p.Track]
		shift := media.Rescale(end[p.Track.Kind]-start[p.Track.Kind], 1<<20, p.Track.ClockRate)
		q.PTS, q.DTS = q.PTS+shift, q.DTS+shift
		all = append(all, &q)
	}
	return all
}

// pass sends packets through a worker and returns it when it has left.
func pass(t testing.TB, job *wire.Job, packets []*media.Packet) (*parent, *cutter) {
	t.Helper()
	p := startWorker(t, wire.RoleStream)
	p.send(job)
	c := &cutter{every: int64(packets[0].Track.ClockRate)}
	for _, pk := range packets {
		if pk.Track.Kind == media.Video {
			c.every = int64(pk.Track.ClockRate)
		}
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	return p, c
}

// sourcePTS are the timestamps of the pictures.
func sourcePTS(packets []*media.Packet) (pts []int64) {
	for _, p := range packets {
		if p.Track.Kind == media.Video {
			pts = append(pts, p.PTS)
		}
	}
	return pts
}

// pictures decodes a rendition.
func pictures(t testing.TB, got []media.Placed, each func(*libav.Frame)) int {
	t.Helper()
	d, err := libav.OpenDecoder(got[0].Track, libav.DecoderOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n := 0
	for _, p := range append(got, media.Placed{}) {
		if err := d.Decode(p.Packet, func(f *libav.Frame) error { n++; each(f); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestSourceChangesSize(t *testing.T) {
	tracks, one := film(t, "a.mp4", still+":d=2", "")
	_, two := film(t, "b.mp4", "testsrc2=s=480x480:r=25:d=2", "", "-pix_fmt", "yuv444p")
	packets := splice(one, two)
	p, c := pass(t, &wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180}, wire.Picture{Width: 170, Height: 96})}, packets)
	for _, name := range []string{"180p", "96p"} {
		out := p.outputs[name]
		checkVideo(t, name, out, sourcePTS(packets), c.cuts)
		n := pictures(t, out, func(f *libav.Frame) {
			if f.Width() != out[0].Track.Width || f.Height() != out[0].Track.Height {
				t.Fatalf("%s: a picture of %dx%d", name, f.Width(), f.Height())
			}
		})
		if n != 100 {
			t.Errorf("%s: %d pictures of 100", name, n)
		}
		if out[0].Track != out[len(out)-1].Track {
			t.Errorf("%s: the stream was rebuilt, not only the graph", name)
		}
	}
}

func TestSourceChangesSound(t *testing.T) {
	tracks, one := film(t, "a.mp4", still+":d=2", "sine=1000:r=44100:d=2", "-c:a", "aac")
	_, two := film(t, "b.mp4", still+":d=2", "aevalsrc=sin(2*PI*t*1000)|0|0|0|0|sin(2*PI*t*500):s=48000:d=2:c=5.1", "-c:a", "aac")
	p, c := pass(t, &wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 320, Height: 180})}, splice(one, two))
	checkAudio(t, p.outputs["audio"], c.cuts, 4)
	if track := p.outputs["audio"][0].Track; track.Channels != 2 || track.SampleRate != 48000 {
		t.Errorf("sound is %v", track)
	}
}

func TestSources(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want int // pictures
	}{
		{"hevc10.mp4", []string{"-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error"}, 50},
		{"hevc.ts", []string{"-c:v", "libx265", "-x265-params", "log-level=error:bframes=3"}, 50},
		{"bframes.ts", []string{"-bf", "3", "-preset", "medium"}, 50},
		{"interlaced.ts", []string{"-flags", "+ilme+ildct", "-x264-params", "tff=1"}, 50},
		{"vp9.webm", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime"}, 50},
		{"av1.mp4", []string{"-c:v", "libsvtav1", "-preset", "12"}, 50},
		{"full.mp4", []string{"-pix_fmt", "yuvj420p"}, 50},
		{"aspect.mp4", []string{"-vf", "setsar=4/3"}, 50},
		{"mpeg2.ts", []string{"-c:v", "mpeg2video", "-bf", "2"}, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracks, packets := film(t, c.name, still+":d=2", "", c.args...)
			p, cuts := pass(t, &wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 170, Height: 96, Deinterlace: tracks[0].Interlaced})}, packets)
			out := p.outputs["96p"]
			checkVideo(t, "96p", out, sourcePTS(packets), cuts.cuts)
			interlaced := 0
			n := pictures(t, out, func(f *libav.Frame) {
				if f.Interlaced() {
					interlaced++
				}
			})
			if n != c.want || interlaced > 0 {
				t.Errorf("%d pictures of %d, %d interlaced", n, c.want, interlaced)
			}
			if p.stats.DecodeErrors > 0 {
				t.Errorf("%d decode errors", p.stats.DecodeErrors)
			}
		})
	}
}

func TestSlowRung(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=320x180:r=50:d=4", "")
	slow := wire.Picture{Width: 320, Height: 180, FPS: media.Rational{Num: 25, Den: 1}}
	p, c := pass(t, &wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 170, Height: 96}, slow)}, packets)
	checkVideo(t, "96p", p.outputs["96p"], sourcePTS(packets), c.cuts)
	every := map[int64]bool{}
	for _, pts := range sourcePTS(packets) {
		every[pts] = true
	}
	out := p.outputs["slow"]
	if len(out) != 100 {
		t.Errorf("%d pictures of 100", len(out))
	}
	starts := map[int64]bool{}
	for _, cut := range c.cuts {
		starts[cut.PTS] = true
	}
	for _, pk := range out {
		if !every[pk.PTS] {
			t.Errorf("%d is no picture of the source", pk.PTS)
		}
		if pk.Key != starts[pk.PTS] {
			t.Errorf("%d: key %v, cut %v", pk.PTS, pk.Key, starts[pk.PTS])
		}
	}
}

func TestGarbageIsCounted(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=2", "sine=1000:d=2", "-c:a", "libopus")
	for i, p := range packets {
		if i%4 == 1 && !p.Key {
			p.Payload = bytes.Repeat([]byte{0, 0, 0, 9, 0x41, byte(i)}, 30)
		}
		if p.Track.Kind == media.Audio && i%5 == 2 {
			p.Payload = []byte{0xff, 0xff, 0xff}
		}
	}
	p, _ := pass(t, &wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 170, Height: 96})}, packets)
	if p.stats.DecodeErrors == 0 || len(p.outputs["96p"]) < 25 || len(p.outputs["audio"]) < 40 {
		t.Errorf("%d errors, %d pictures, %d audio frames", p.stats.DecodeErrors, len(p.outputs["96p"]), len(p.outputs["audio"]))
	}
}

// TestMeasuresFrameRate has a source that nobody knows the frame rate of.
func TestMeasuresFrameRate(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=320x180:r=12:d=3", "")
	for _, p := range packets {
		track := *p.Track
		track.FrameRate = media.Rational{}
		tracks[0], p.Track = &track, &track
	}
	p, c := pass(t, &wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})}, packets)
	out := p.outputs["180p"]
	checkVideo(t, "180p", out, sourcePTS(packets), c.cuts)
	if r := out[0].Track.FrameRate.Float(); r < 11.9 || r > 12.1 {
		t.Errorf("%.3f frames a second, want 12", r)
	}
}

// TestTrackThatLies has sound that describes itself wrongly at first.
func TestTrackThatLies(t *testing.T) {
	tracks, one := film(t, "a.mp4", still+":d=2", "sine=1000:d=2", "-c:a", "aac")
	_, two := film(t, "b.mp4", still+":d=2", "sine=1000:d=2", "-c:a", "aac")
	lie := *tracks[1]
	lie.Config = []byte{0xff, 0xff, 0xff}
	tracks[1] = &lie
	for _, p := range one {
		if p.Track.Kind == media.Audio {
			p.Track = &lie
		}
	}
	packets := splice(one, two)
	p, c := pass(t, &wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})}, packets)
	checkVideo(t, "180p", p.outputs["180p"], sourcePTS(packets), c.cuts)
	checkAudio(t, p.outputs["audio"], c.cuts, 4)
	if p.stats.DecodeErrors < 50 {
		t.Errorf("%d decode errors", p.stats.DecodeErrors)
	}
}
