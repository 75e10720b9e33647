package codec

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/millrace/millrace/internal/media"
)

// clips are configuration records as ffmpeg's mp4 muxer writes them for what
// x264 and x265 make (hvcC without the SEI array), and what is in them.
var clips = []struct {
	name    string
	config  string
	reorder int
	track   media.Track
}{
	{
		"high", "0164001effe100196764001eacd940a02ff970e100000303e90000ea600f162d9601000668ebe3cb22c0fdf8f800", 2,
		media.Track{Codec: media.H264, Width: 640, Height: 360, SampleAspect: media.Rational{Num: 4, Den: 3}, FrameRate: media.Rational{Num: 30000, Den: 1001}, BitDepth: 8, Chroma: "4:2:0"},
	},
	{
		"baseline", "0142c00cffe100196742c00cd901419f9f011000000300100000030320f142a48001000568cb83cb20", 0,
		media.Track{Codec: media.H264, Width: 320, Height: 180, SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 25, Den: 1}, BitDepth: 8, Chroma: "4:2:0"},
	},
	{
		"interlaced", "0164001effe100186764001eacd940b424d8208000000300800000190f8a14cb01000668fba3cb22c0fdf8f800", 2,
		media.Track{Codec: media.H264, Width: 720, Height: 576, SampleAspect: media.Rational{Num: 16, Den: 11}, FrameRate: media.Rational{Num: 25, Den: 1}, BitDepth: 8, Chroma: "4:2:0", Interlaced: true},
	},
	{
		"high 10", "016e0015ffe10019676e0015a6cb20283f6022000003000200000300f01e2c5c9001000668ebc3cb22c0fdfafa00", 0,
		media.Track{Codec: media.H264, Width: 320, Height: 240, SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 60, Den: 1}, BitDepth: 10, Chroma: "4:2:0"},
	},
	{
		"high 4:2:2", "017a000dffe1001b677a000dbcd9415087888fc044000003000400000300c03c50a65801000668ebe3cb22c0fef8f800", 2,
		media.Track{Codec: media.H264, Width: 322, Height: 242, SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 24, Den: 1}, BitDepth: 8, Chroma: "4:2:2"},
	},
	{
		"hevc", "01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000030078959809a10001002b420101016000000300900000030000030078a00284802d9c9265959a4932bc05a020000003002000000641a2000100074401c172b46240", 2,
		media.Track{Codec: media.H265, Width: 1282, Height: 722, SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 50, Den: 1}, BitDepth: 8, Chroma: "4:2:0"},
	},
	{
		"hevc main 10", "010220000000900000000000" + "5af000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003005a928090a10001002842010102200000030090000003000003005aa0050201e136592a4932bc05a02000007d20000bb801a2000100074401c172b46240", 0,
		media.Track{Codec: media.H265, Width: 640, Height: 480, SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 24000, Den: 1001}, BitDepth: 10, Chroma: "4:2:0"},
	},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sets taken from a record describe the clip and make the same record again.
func TestDescribe(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			config := unhex(t, c.config)
			sets, err := ParseSets(&media.Track{Codec: c.track.Codec, Config: config})
			if err != nil {
				t.Fatal(err)
			}
			got := media.Track{Kind: media.Video, Codec: c.track.Codec, ClockRate: 90000}
			if err := sets.Describe(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Config, config) {
				t.Errorf("config\n%x, want\n%x", got.Config, config)
			}
			want := c.track
			want.Kind, want.ClockRate, want.Config = media.Video, 90000, got.Config
			if !got.SameParameters(&want) || got.FrameRate != want.FrameRate || got.BitDepth != want.BitDepth || got.Chroma != want.Chroma {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if !Complete(&got) {
				t.Error("not complete")
			}
			if r := Reorder(&got); r != c.reorder {
				t.Errorf("reorder %d, want %d", r, c.reorder)
			}
			// cut anywhere, it is an error or less, never a panic
			for i := range config {
				if s, err := ParseSets(&media.Track{Codec: c.track.Codec, Config: config[:i]}); err == nil {
					_ = s.Describe(&media.Track{})
				}
			}
		})
	}
}

// The id decides what replaces what.
func TestSetsById(t *testing.T) {
	sets, err := ParseSets(&media.Track{Codec: media.H264, Config: unhex(t, clips[0].config)})
	if err != nil {
		t.Fatal(err)
	}
	if sets.Add(sets.NALUs()[0]) {
		t.Error("a known set counts as new")
	}
	other := unhex(t, "6742c00cd901419f9f011000000300100000030320f142a480") // id 0 too
	if !sets.Add(other) || len(sets.NALUs()) != 2 || !bytes.Equal(sets.NALUs()[0], other) {
		t.Errorf("sets %x", sets.NALUs())
	}
	pps1 := []byte{0x68, 0x4b, 0x8f} // id 1
	if !sets.Add(pps1) || len(sets.NALUs()) != 3 {
		t.Errorf("sets %x", sets.NALUs())
	}
	for _, junk := range [][]byte{nil, {}, {0x67}, {0x65, 1, 2}, make([]byte, maxSetSize+1)} {
		if sets.Add(junk) {
			t.Errorf("%x was taken", junk)
		}
	}
}

func TestAssembler(t *testing.T) {
	sps, pps := unhex(t, "6764001eacd940a02ff970e100000303e90000ea600f162d96"), unhex(t, "68ebe3cb22c0")
	a := NewAssembler(media.H264)
	for _, n := range [][]byte{{9, 0xf0}, sps, pps, {6, 5, 1}, {0x65, 0x88, 1}, {12, 0xff}, {}} {
		a.NALU(n)
	}
	payload, key := a.Take()
	if want := []byte{0, 0, 0, 3, 6, 5, 1, 0, 0, 0, 3, 0x65, 0x88, 1}; !bytes.Equal(payload, want) || !key {
		t.Errorf("payload %x, key %v", payload, key)
	}
	if !a.SetsChanged() || a.SetsChanged() || !a.Sets.Complete() {
		t.Error("sets not seen")
	}
	a.NALU(sps)
	if payload, _ := a.Take(); payload != nil || a.SetsChanged() {
		t.Errorf("a unit without a picture: %x", payload)
	}
	a.Begin()
	a.Append(0x41)
	a.Append(0x9a, 2)
	if a.Empty() {
		t.Error("empty with a NAL unit open")
	}
	if payload, key := a.Take(); !bytes.Equal(payload, []byte{0, 0, 0, 3, 0x41, 0x9a, 2}) || key {
		t.Errorf("payload %x, key %v", payload, key)
	}
	a.Begin()
	a.Append(make([]byte, MaxAccessUnit)...)
	a.Append(1)
	if payload, _ := a.Take(); payload != nil {
		t.Errorf("a unit of %d bytes", len(payload))
	}

	a = NewAssembler(media.H265)
	for _, n := range [][]byte{{0x46, 1, 0x50}, {0x4e, 1, 5}, {0x26, 1, 0x80}, {0x2a}} {
		a.NALU(n)
	}
	if payload, key := a.Take(); !bytes.Equal(payload, []byte{0, 0, 0, 3, 0x4e, 1, 5, 0, 0, 0, 3, 0x26, 1, 0x80}) || !key {
		t.Errorf("payload %x, key %v", payload, key)
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0, 3, 0x65, 0x88, 1, 0, 2, 9, 0xf0}, false)
	f.Add([]byte{0, 3, 0x26, 1, 0x80}, true)
	f.Fuzz(func(t *testing.T, data []byte, hevc bool) {
		c := media.H264
		if hevc {
			c = media.H265
		}
		a := NewAssembler(c)
		var vcl int
		for len(data) >= 2 {
			n := min(int(data[0])<<8|int(data[1]), len(data)-2)
			a.NALU(data[2 : 2+n])
			data = data[2+n:]
		}
		payload, key := a.Take()
		if key && payload == nil {
			t.Fatal("a key without a payload")
		}
		if !SplitNALUs(payload, func(nalu []byte) {
			if len(nalu) == 0 {
				t.Fatal("empty NAL unit")
			}
			if NewSets(c).Add(nalu) {
				t.Fatalf("parameter set in the payload: %x", nalu)
			}
			vcl++
		}) {
			t.Fatalf("payload is not whole: %x", payload)
		}
		track := media.Track{Kind: media.Video, Codec: c, ClockRate: 90000}
		if a.Sets.Describe(&track) == nil {
			if !Complete(&track) {
				t.Fatalf("described but incomplete: %+v", track)
			}
			again, err := ParseSets(&track)
			if err != nil || len(again.NALUs()) != len(a.Sets.NALUs()) {
				t.Fatalf("own configuration cannot be read back: %v", err)
			}
			Reorder(&track)
		}
	})
}

func FuzzParseSets(f *testing.F) {
	for _, c := range clips {
		f.Add(unhex(f, c.config), c.track.Codec == media.H265)
	}
	f.Fuzz(func(_ *testing.T, config []byte, hevc bool) {
		c := media.H264
		if hevc {
			c = media.H265
		}
		track := media.Track{Codec: c, Config: config}
		if s, err := ParseSets(&track); err == nil {
			_ = s.Describe(&track)
			Reorder(&track)
		}
	})
}

func TestAudio(t *testing.T) {
	aac, err := AAC(&mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 44100, ChannelCount: 2})
	if err != nil || !bytes.Equal(aac.Config, []byte{0x12, 0x10}) || aac.ClockRate != 44100 || !Complete(aac) {
		t.Errorf("%+v, %v", aac, err)
	}
	if _, err := AAC(&mpeg4audio.AudioSpecificConfig{}); err == nil {
		t.Error("AAC without a rate")
	}
	stereo, err := Opus(2)
	if err != nil || !bytes.Equal(stereo.Config, unhex(t, "000201380000bb80000000")) || !Complete(stereo) {
		t.Errorf("%+v, %v", stereo, err)
	}
	surround, err := Opus(6)
	if err != nil || !bytes.Equal(surround.Config, unhex(t, "000601380000bb800000010402000401020305")) {
		t.Errorf("%x, %v", surround.Config, err)
	}
	for _, n := range []int{0, 9, -1} {
		if _, err := Opus(n); err == nil {
			t.Errorf("opus of %d channels", n)
		}
	}
	if Complete(&media.Track{Kind: media.Audio, Codec: media.MPEGAudio}) {
		t.Error("nothing is known of it")
	}
}
