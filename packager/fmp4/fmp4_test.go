package fmp4

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// avcC of x264, Constrained Baseline 3.0, 320x180.
const avcConfig = "0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b92010004" + "68cb83cb20"

func video(t testing.TB) *media.Track {
	return &media.Track{
		ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Config: unhex(t, avcConfig), Width: 320, Height: 180,
	}
}

func audio() *media.Track {
	return &media.Track{
		ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000,
		Config: []byte{0x11, 0x90}, SampleRate: 48000, Channels: 2,
	}
}

func TestCodecString(t *testing.T) {
	for _, c := range []struct {
		codec  media.Codec
		config string
		want   string
	}{
		{media.H264, avcConfig, "avc1.42C01E"},
		{media.H265, "012220000000900000000000" + "99" + "f000fcfdf8f800000f01" + "21000100044201aabb", "hvc1.2.4.H153.90"},
		{media.H265, "010160000000000000000000" + "5d" + "f000fcfdf8f800000f01" + "21000100044201aabb", "hvc1.1.6.L93"},
		{media.H265, "014160000000b00000000000" + "5d" + "f000fcfdf8f800000f01" + "21000100044201aabb", "hvc1.A1.6.L93.B0"},
		{media.AV1, "81040d00", "av01.0.04M.08"},
		{media.AV1, "8128cc00", "av01.1.08H.10"},
		{media.VP9, "010000000015820101010000", "vp09.00.21.08"},
		{media.VP9, "0100000002" + "29" + "a0" + "0909090000", "vp09.02.41.10"},
		{media.AAC, "1190", "mp4a.40.2"},
		{media.AAC, "2b8a08", "mp4a.40.5"},  // HE-AAC, signalled explicitly
		{media.AAC, "eb8a08", "mp4a.40.29"}, // HE-AAC v2
		{media.AAC, "f94c", "mp4a.40.42"},   // USAC: escaped
		{media.Opus, "", "opus"},
		{media.AC3, "10ff00", "ac-3"},
		{media.EAC3, "0600200f00", "ec-3"},
		{media.FLAC, "00000000" + "80000022" + "12001200" + "00000e000010" + "0ac442f0" + "00000000" + "00000000000000000000000000000000", "fLaC"},
		{media.MPEGAudio, "", "mp4a.6B"},
	} {
		tr := &media.Track{Codec: c.codec, Kind: media.Audio, ClockRate: 48000, SampleRate: 48000, Channels: 2, Config: unhex(t, c.config)}
		if c.codec == media.H264 || c.codec == media.H265 || c.codec == media.AV1 || c.codec == media.VP9 {
			tr.Kind, tr.Width, tr.Height = media.Video, 640, 360
		}
		got, err := CodecString(tr)
		if err != nil || got != c.want {
			t.Errorf("%s %s: got %q, %v, want %q", c.codec, c.config, got, err, c.want)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.H265, media.AV1, media.VP9, media.AAC, media.AC3, media.EAC3, media.FLAC} {
		for _, config := range []string{"", "00", "01", "ffffffffffffffffffffffffffffffffffffffffffffffffff"} {
			tr := &media.Track{Codec: codec, Kind: media.Video, ClockRate: 1, Width: 2, Height: 2, Config: unhex(t, config)}
			_, errInit := Init(tr, Bitrates{})
			_, errName := CodecString(tr)
			if codec == media.AAC && len(config) > 2 {
				continue // two bytes of anything name an object type
			}
			if !errors.Is(errInit, ErrNoConfig) || !errors.Is(errName, ErrNoConfig) {
				t.Errorf("%s %q: Init %v, CodecString %v", codec, config, errInit, errName)
			}
		}
	}
	for _, tr := range []*media.Track{
		{Codec: media.PCMA, Kind: media.Audio, ClockRate: 8000, SampleRate: 8000, Channels: 1},
		{Codec: media.H264, Kind: media.Video, ClockRate: 90000},
		{Codec: media.Opus, Kind: media.Audio, ClockRate: 48000},
	} {
		if _, err := Init(tr, Bitrates{}); err == nil {
			t.Errorf("%v: no error", tr)
		}
	}
}

// What a decoder has to know of a track can be read back.
func TestVideoTrack(t *testing.T) {
	for _, rotation := range []int{0, 90, 180, 270} {
		v := video(t)
		v.SampleAspect, v.Rotation = media.Rational{Num: 4, Den: 3}, rotation
		b, err := Init(v, Bitrates{})
		if err != nil {
			t.Fatal(err)
		}
		h, err := ReadInit(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.VideoTrack()
		if err != nil || !got.SameParameters(v) {
			t.Errorf("%+v became %+v, %v", v, got, err)
		}
		h.Boxes = nil
		if got, err := h.VideoTrack(); err == nil {
			t.Errorf("without a configuration: %+v", got)
		}
	}
	b, err := Init(audio(), Bitrates{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadInit(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.VideoTrack(); err == nil {
		t.Errorf("sound became %+v", got)
	}
}

func TestInit(t *testing.T) {
	v := video(t)
	v.SampleAspect, v.Rotation = media.Rational{Num: 4, Den: 3}, 90
	b, err := Init(v, Bitrates{Max: 3_000_000, Average: 2_000_000})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadInit(b)
	if err != nil {
		t.Fatal(err)
	}
	if h.Entry != "avc1" || h.Handler != "vide" || h.Timescale != 90000 || h.Width != 320 || h.Height != 180 {
		t.Errorf("got %+v", h)
	}
	if !bytes.Equal(h.Box("avcC"), v.Config) {
		t.Error("avcC is not the track's configuration")
	}
	if got := h.Box("pasp"); !bytes.Equal(got, unhex(t, "0000000400000003")) {
		t.Errorf("pasp %x", got)
	}
	if got := h.Box("btrt"); !bytes.Equal(got, unhex(t, "00000000002dc6c0001e8480")) {
		t.Errorf("btrt %x", got)
	}
	if want := [9]int32{0, 0x10000, 0, -0x10000, 0, 0, 180 << 16, 0, 0x40000000}; h.Matrix != want {
		t.Errorf("matrix %v, want %v", h.Matrix, want)
	}
	if w, hh := DisplaySize(v); w != 180 || hh != 427 {
		t.Errorf("display size %dx%d", w, hh)
	}

	b, err = Init(audio(), Bitrates{})
	if err != nil {
		t.Fatal(err)
	}
	if h, err = ReadInit(b); err != nil || h.Entry != "mp4a" || h.Handler != "soun" || h.Channels != 2 || h.Timescale != 48000 {
		t.Errorf("got %+v, %v", h, err)
	}
	if !bytes.Contains(h.Box("esds"), []byte{5, 0x80, 0x80, 0x80, 2, 0x11, 0x90}) {
		t.Errorf("esds %x", h.Box("esds"))
	}
}

func TestFragmentRoundTrip(t *testing.T) {
	for name, in := range map[string][]Sample{
		"one":    {{Duration: 3000, Key: true, Payload: []byte("key")}},
		"audio":  {{1024, 0, true, []byte("a")}, {1024, 0, true, []byte("bb")}},
		"b":      {{3000, 6000, true, []byte("I")}, {3000, -3000, false, []byte("P")}, {3003, 0, false, nil}},
		"uneven": {{1, 0, false, []byte("x")}, {2, 0, false, []byte("y")}},
	} {
		b := AppendFragment([]byte("before"), 7, 1<<40, in)
		for _, s := range in {
			b = append(b, s.Payload...)
		}
		fs, err := ReadFragments(b[6:])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f := fs[0]
		if len(fs) != 1 || f.Sequence != 7 || f.Base != 1<<40 || f.TrackID != TrackID || f.Size != len(b)-6 {
			t.Errorf("%s: %+v", name, f)
		}
		if !slices.EqualFunc(in, f.Samples, func(a, b Sample) bool {
			return a.Duration == b.Duration && a.Offset == b.Offset && a.Key == b.Key && bytes.Equal(a.Payload, b.Payload)
		}) {
			t.Errorf("%s: got %+v, want %+v", name, f.Samples, in)
		}
	}
}

func FuzzReadFragments(f *testing.F) {
	f.Add(append(AppendFragment(nil, 1, 2, []Sample{{3000, 6000, true, []byte("I")}, {3003, -3000, false, []byte("P")}}), "IP"...))
	f.Add([]byte("\x00\x00\x00\x08moof\x00\x00\x00\x08mdat"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, err := ReadFragments(b)
		if err != nil {
			return
		}
		for _, in := range fs {
			// What was read can be written again and means the same.
			again := AppendFragment(nil, in.Sequence, in.Base, in.Samples)
			for _, s := range in.Samples {
				again = append(again, s.Payload...)
			}
			out, err := ReadFragments(again)
			if err != nil || len(out) != 1 || len(out[0].Samples) != len(in.Samples) || out[0].Duration() != in.Duration() {
				t.Fatalf("%+v became %+v, %v", in, out, err)
			}
		}
	})
}

func FuzzReadInit(f *testing.F) {
	for _, tr := range []*media.Track{video(f), audio()} {
		b, err := Init(tr, Bitrates{Max: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := ReadInit(b); err == nil && h == nil {
			t.Fatal("neither header nor error")
		}
	})
}

// FuzzConfig feeds decoder configurations, which come from publishers.
func FuzzConfig(f *testing.F) {
	f.Add("h264", unhex(f, avcConfig))
	f.Add("h265", unhex(f, "010160000000900000000000005df000fcfdf8f800000f0121000100044201aabb"))
	f.Add("vp9", unhex(f, "010000000015820101010000"))
	f.Add("aac", unhex(f, "1190"))
	f.Fuzz(func(t *testing.T, codec string, config []byte) {
		for _, kind := range []media.Kind{media.Video, media.Audio} {
			tr := &media.Track{
				Codec: media.Codec(codec), Kind: kind, ClockRate: 1000, Config: config,
				Width: 16, Height: 16, SampleRate: 8000, Channels: 1,
			}
			b, err := Init(tr, Bitrates{})
			if _, err2 := CodecString(tr); (err == nil) != (err2 == nil) {
				t.Fatalf("Init: %v, CodecString: %v", err, err2)
			}
			if err == nil && kind == media.Video == (codec == "h264" || codec == "h265" || codec == "av1" || codec == "vp9") {
				if _, err := ReadInit(b); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func FuzzAC3Config(f *testing.F) {
	f.Add(unhex(f, "0b77c1b31e40e1de"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := AC3Config(b); err == nil && len(c) != 3 {
			t.Fatalf("%x", c)
		}
	})
}

func BenchmarkAppendFragment(b *testing.B) {
	samples := make([]Sample, 15)
	for i := range samples {
		samples[i] = Sample{3000, 3000, i == 0, make([]byte, 10000)}
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFragment(buf[:0], 1, 1<<40, samples)
	}
}
