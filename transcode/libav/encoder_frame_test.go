package libav

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

var fast = map[string]string{"preset": "ultrafast"}

func TestEncoderKeyframes(t *testing.T) {
	frames := make([]transcode.Frame, 75)
	for n := range frames {
		frames[n] = at(t, 64, 64, 100, int64(n)*3600)
	}
	for name, c := range map[string]struct {
		o    transcode.CoderOptions
		want []int64
	}{
		"by time":     {transcode.CoderOptions{Codec: "libx264", Options: fast, GOP: time.Second}, []int64{0, 25, 30, 55}},
		"by count":    {transcode.CoderOptions{Codec: "libx264", Options: fast, GOP: time.Second, FrameRate: media.Rational{Num: 25, Den: 1}}, []int64{0, 25, 30, 55}},
		"by itself":   {transcode.CoderOptions{Codec: "libx264", Options: map[string]string{"preset": "ultrafast", "g": "20"}}, []int64{0, 20, 30, 50, 70}},
		"h265":        {transcode.CoderOptions{Codec: "h265", Options: fast}, []int64{0, 30}},
		"vp9":         {transcode.CoderOptions{Codec: "vp9", LowLatency: true}, []int64{0, 30}},
		"low latency": {transcode.CoderOptions{Codec: "libx264", LowLatency: true}, []int64{0, 30}},
	} {
		e, err := engine.Encoder(c.o)
		if err != nil {
			t.Fatal(err)
		}
		var keys []int64
		count := 0
		take := func(p *media.Packet) error {
			count++
			if p.Key {
				keys = append(keys, p.PTS/3600)
			}
			if p.Duration != 3600 {
				t.Errorf("%s: a packet lasts %d", name, p.Duration)
			}
			return nil
		}
		for n, f := range frames {
			if err := e.Encode(f, n == 30, take); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.o.LowLatency && count != n+1 {
				t.Errorf("%s: %d packets after %d pictures", name, count, n+1)
				break
			}
		}
		if err := e.Encode(nil, false, take); err != nil {
			t.Fatal(err)
		}
		e.Close()
		if !slices.Equal(keys, c.want) || count != 75 {
			t.Errorf("%s: keys %v, want %v; %d packets", name, keys, c.want, count)
		}
	}
}

func TestEncoderConverts(t *testing.T) {
	rgb := blackPicture(t, 64, 48, "rgba")
	rgb.SetClockRate(1000)
	rgb.SetPTS(0)
	other := blackPicture(t, 100, 100, "gray")
	other.SetClockRate(90000)
	other.SetPTS(3600)
	packets := encode(t, transcode.CoderOptions{Codec: "libx264", Options: fast}, []transcode.Frame{rgb, other})
	track := packets[0].Track
	if track.Chroma != "4:2:0" || track.Width != 64 || track.ClockRate != 1000 || packets[1].PTS != 40 || packets[1].Track != track {
		t.Errorf("%+v, the second at %d", track, packets[1].PTS)
	}
	frames := framesOf(t, track, packets)
	if len(frames) != 2 || frames[1].Width() != 64 || frames[1].Height() != 48 {
		t.Errorf("%d frames", len(frames))
	}
	packets = encode(t, transcode.CoderOptions{Codec: "libx264", Options: map[string]string{"pix_fmt": "yuv444p"}}, []transcode.Frame{rgb})
	if c := packets[0].Track.Chroma; c != "4:4:4" {
		t.Errorf("asked for 4:4:4, got %s", c)
	}
	for name, c := range map[string]struct {
		o transcode.CoderOptions
		f transcode.Frame
	}{
		"sound for pictures": {transcode.CoderOptions{Codec: "aac"}, rgb},
		"odd for 4:2:0":      {transcode.CoderOptions{Codec: "libx264"}, at(t, 33, 33, 1, 0)},
		"no clock":           {transcode.CoderOptions{Codec: "libx264"}, blackPicture(t, 32, 32, "yuv420p")},
	} {
		e, err := engine.Encoder(c.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Encode(c.f, false, func(*media.Packet) error { return nil }); err == nil {
			t.Errorf("%s: it passes", name)
		}
		e.Close()
	}
	var oe *transcode.OptionError
	if _, err := engine.Encoder(transcode.CoderOptions{Codec: "libx265", Options: map[string]string{"crff": "2"}}); !errors.As(err, &oe) || oe.Nearest != "crf" {
		t.Errorf("a wrong option: %v", err)
	}
}

// noise is sound that no coder can guess, in frames of uneven sizes.
func noise(t testing.TB, channels int) (frames []transcode.Frame, samples []float32) {
	t.Helper()
	seed := uint32(1)
	for pts := int64(0); pts < 30000; {
		n := 500 + int(pts%700)
		f, err := engine.Samples(48000, channels, n)
		made(t, f, err)
		f.SetPTS(pts)
		for c := range channels {
			row := f.(*Frame).Channel(c)
			for i := range row {
				seed = seed*1664525 + 1013904223
				row[i] = float32(int16(seed>>16)) / 32768
			}
			if c == 0 {
				samples = append(samples, row...)
			}
		}
		frames = append(frames, f)
		pts += int64(n)
	}
	return frames, samples
}

func TestSoundIsCodedWithoutLoss(t *testing.T) {
	frames, want := noise(t, 1)
	for _, coder := range []string{"flac", "pcm_s16le", "pcm_s16be"} {
		packets := encode(t, transcode.CoderOptions{Codec: coder, Options: map[string]string{"sample_fmt": "s16"}}, frames)
		var got []float32
		for _, f := range framesOf(t, packets[0].Track, packets) {
			data, _ := f.Plane(0)
			for i := 0; i+1 < len(data); i += 2 {
				got = append(got, float32(int16(uint16(data[i])|uint16(data[i+1])<<8))/32768)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d samples became %d others", coder, len(want), len(got))
		}
	}
}

func TestSoundIsBroughtIntoForm(t *testing.T) {
	frames, samples := noise(t, 2)
	for _, c := range []struct {
		coder          string
		options        map[string]string
		rate, channels int
	}{
		{"aac", nil, 48000, 2},
		{"aac", map[string]string{"ar": "44100", "ac": "1"}, 44100, 1},
		{"pcma", map[string]string{"ar": "8000", "ac": "1"}, 8000, 1},
		{"libopus", map[string]string{"ac": "1"}, 48000, 1},
	} {
		packets := encode(t, transcode.CoderOptions{Codec: c.coder, Options: c.options}, frames)
		track := packets[0].Track
		if track.SampleRate != c.rate || track.Channels != c.channels || track.ClockRate != c.rate {
			t.Errorf("%+v", track)
		}
		end := packets[len(packets)-1].PTS + packets[len(packets)-1].Duration
		if want := len(samples) * c.rate / 48000; math.Abs(float64(end)-float64(want)) > 1100 {
			t.Errorf("%s ends at %d, %d went in", c.coder, end, want)
		}
	}
}

func TestSoundKeepsItsTime(t *testing.T) {
	tone := func(pts int64) transcode.Frame {
		f, err := engine.Samples(48000, 1, 1024)
		made(t, f, err)
		f.SetPTS(pts)
		return f
	}
	for name, c := range map[string]struct {
		pts  []int64
		want int64 // where it ends
		err  error
	}{
		"a gap":          {[]int64{0, 1024, 48000, 49024}, 50048, nil},
		"an overlap":     {[]int64{0, 10240, 0, 11264}, 12288, nil},
		"a jump":         {[]int64{0, 1024, 48000 * 3600}, 48000*3600 + 1024, nil},
		"a hostile jump": {[]int64{0, 1024, 1 << 60}, 1<<60 + 1024, nil},
		"far back":       {[]int64{48000 * 3600, 0}, 0, ErrOrder},
	} {
		e, err := engine.Encoder(transcode.CoderOptions{Codec: "pcm_s16le"})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var end, count int64
		take := func(p *media.Packet) error { end = p.PTS + p.Duration; count++; return nil }
		for _, pts := range c.pts {
			if err = e.Encode(tone(pts), false, take); err != nil {
				break
			}
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := e.Encode(nil, false, take); err != nil {
			t.Fatal(err)
		}
		if c.err == nil && (end != c.want || count > 100) {
			t.Errorf("%s: it ends at %d, want %d, after %d packets", name, end, c.want, count)
		}
	}
	// Sound that has no time goes on where it was.
	silent, err := engine.Samples(48000, 1, 1024)
	made(t, silent, err)
	packets := encode(t, transcode.CoderOptions{Codec: "pcm_s16le"}, []transcode.Frame{tone(5000), silent, silent})
	if last := packets[len(packets)-1]; last.PTS+last.Duration != 5000+3072 {
		t.Errorf("it ends at %d", last.PTS+last.Duration)
	}
}

func TestDecoderFollowsItsTrack(t *testing.T) {
	a := encode(t, transcode.CoderOptions{Codec: "libx264", Options: fast}, []transcode.Frame{at(t, 64, 64, 9, 0), at(t, 64, 64, 9, 3600)})
	b := encode(t, transcode.CoderOptions{Codec: "libx264", Options: fast}, []transcode.Frame{at(t, 32, 32, 9, 7200), at(t, 32, 32, 9, 10800)})
	frames := framesOf(t, a[0].Track, append(a, b...))
	if len(frames) != 4 || frames[1].Width() != 64 || frames[2].Width() != 32 || !frames[0].Key() || frames[1].Key() {
		t.Errorf("%d frames", len(frames))
	}
	d, err := engine.Decoder(a[0].Track, transcode.CoderOptions{Codec: "h264", Options: map[string]string{"threads": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	broken := *a[0]
	broken.Payload = bytes.Repeat([]byte{0, 0, 0, 3, 1, 2, 3}, 20)
	refused := 0
	for range mostRefused {
		if err := d.Decode(&broken, func(f transcode.Frame) error { f.Close(); return nil }); err != nil {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d errors for %d broken packets", refused, mostRefused)
	}
	for name, o := range map[string]transcode.CoderOptions{
		"another codec": {Codec: "hevc"}, "no option": {Options: map[string]string{"nosuch": "1"}}, "nothing": {Codec: "nosuch"},
	} {
		if d, err := engine.Decoder(a[0].Track, o); err == nil {
			d.Close()
			t.Errorf("%s: it passes", name)
		}
	}
}

// fussy is a writer that breaks.
type fussy struct{ room int }

var errFussy = errors.New("the disk is full")

func (f *fussy) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFussy
	}
	return len(b), nil
}

func TestMuxer(t *testing.T) {
	frames := make([]transcode.Frame, 50)
	for n := range frames {
		frames[n] = at(t, 64, 64, byte(n*4), 900000+int64(n)*3600)
	}
	packets := encode(t, transcode.CoderOptions{Codec: "libx264", Options: map[string]string{"preset": "fast"}}, frames)
	if packets[0].DTS >= packets[0].PTS {
		t.Error("no B-frames")
	}
	path := mux(t, "a.mp4", transcode.MuxerOptions{Format: "mp4"}, packets)
	tracks, back := packetsOf(t, path)
	if len(back) != 50 || string(tracks[0].Config) != string(packets[0].Track.Config) {
		t.Fatalf("%d packets, config %x for %x", len(back), tracks[0].Config, packets[0].Track.Config)
	}
	for i, p := range back {
		if p.PTS-back[0].PTS != packets[i].PTS-packets[0].PTS || p.DTS-back[0].DTS != packets[i].DTS-packets[0].DTS || !bytes.Equal(p.Payload, packets[i].Payload) {
			t.Errorf("packet %d at %d, %d", i, p.PTS, p.DTS)
		}
	}
	d, err := OpenInput(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Duration(); got < 1990*time.Millisecond || got > 2100*time.Millisecond {
		t.Errorf("it lasts %s", got)
	}
	track := packets[0].Track
	m, err := engine.Muxer(&fussy{room: 2000}, []*media.Track{track}, transcode.MuxerOptions{Format: "mpegts"})
	if err == nil {
		for _, p := range packets {
			if err = m.Write(p); err != nil {
				break
			}
		}
		if end := m.Close(); err == nil {
			err = end
		}
	}
	if !errors.Is(err, errFussy) {
		t.Errorf("a full disk: %v", err)
	}
	var oe *transcode.OptionError
	for name, o := range map[string]transcode.MuxerOptions{
		"format": {Format: "mp44"}, "option": {Format: "mp4", Options: map[string]string{"movflag": "faststart"}},
	} {
		if _, err := engine.Muxer(io.Discard, []*media.Track{track}, o); !errors.As(err, &oe) || oe.Nearest == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	bare := *track
	bare.ID = 5
	other := *track
	other.Width, other.Config = 128, nil
	if m, err = engine.Muxer(io.Discard, []*media.Track{track}, transcode.MuxerOptions{Format: "matroska"}); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*media.Packet{
		"another track": {Track: &bare, Payload: []byte{1}}, "other parameters": {Track: &other, Payload: []byte{1}},
	} {
		if err := m.Write(p); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(m.Write(packets[0]), m.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	if err := m.Write(packets[0]); err == nil {
		t.Error("a closed muxer takes packets")
	}
}

func TestMuxerKeepsNothingFromWhoWatches(t *testing.T) {
	packets := encode(t, transcode.CoderOptions{Codec: "libx264", Options: fast}, []transcode.Frame{at(t, 64, 64, 9, 0), at(t, 64, 64, 9, 3600)})
	var out bytes.Buffer
	m, err := engine.Muxer(&out, []*media.Track{packets[0].Track}, transcode.MuxerOptions{Format: "mpegts"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(packets[0]); err != nil {
		t.Fatal(err)
	}
	<-time.After(flushEvery)
	before := out.Len()
	if err := m.Write(packets[1]); err != nil {
		t.Fatal(err)
	}
	if out.Len() == before || out.Len()%188 != 0 {
		t.Errorf("%d bytes came, then %d", before, out.Len())
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInputTakesOptions(t *testing.T) {
	path := clip(t, "a.raw", append(lavfi("testsrc2=s=64x48:r=25:d=0.4"), "-f", "rawvideo", "-pix_fmt", "yuv420p")...)
	o := transcode.InputOptions{Format: "rawvideo", Options: map[string]string{"video_size": "64x48", "framerate": "50"}}
	in, err := engine.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if v := in.Tracks()[0]; v.Width != 64 || v.Height != 48 || in.Duration() != 200*time.Millisecond {
		t.Errorf("%+v of %s", v, in.Duration())
	}
	for name, o := range map[string]transcode.InputOptions{
		"format": {Format: "rawvideoo"}, "option": {Format: "rawvideo", Options: map[string]string{"video_sise": "64x48"}},
		"value": {Format: "rawvideo", Options: map[string]string{"video_size": "large"}},
	} {
		var oe *transcode.OptionError
		if in, err := engine.Open(t.Context(), path, o); err == nil || !errors.As(err, &oe) {
			if err == nil {
				in.Close()
			}
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := engine.Open(t.Context(), path+".none", transcode.InputOptions{}); !errors.Is(err, ErrInput) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}
