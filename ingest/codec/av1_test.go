package codec

import (
	"bytes"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

// As SVT-AV1 and libvpx make them of 25 pictures a second of 322x182, with the
// records that ffmpeg's mp4 muxer writes for them.
const (
	av1Sequence = "0a0b000000043d06d4fbf90040"
	av1Record   = "81000c00" + av1Sequence
	av1KeyUnit  = "1200" + av1Sequence + "3204191400a1"
	av1Unit     = "1200" + "32022902"
	vp9KeyFrame = "824983420014100b560638241c184a"
	vp9Frame    = "86004092f121"
	vp9Record   = "01000000000b820202020000"
)

// wireOBUs takes a unit apart as an encoder gives it.
func wireOBUs(t testing.TB, unit string) [][]byte {
	t.Helper()
	obus := SplitOBUs(unhex(t, unit))
	if obus == nil {
		t.Fatal("unit is broken")
	}
	return obus
}

func TestAV1(t *testing.T) {
	payload, sequence, key, err := AV1Unit(wireOBUs(t, av1KeyUnit))
	if err != nil || !key || !bytes.Equal(payload, unhex(t, av1KeyUnit[4:])) || !bytes.Equal(sequence, unhex(t, av1Sequence)) {
		t.Errorf("payload %x, sequence header %x, key %v, %v", payload, sequence, key, err)
	}
	track := media.Track{Kind: media.Video, Codec: media.AV1, ClockRate: 90000}
	if err := DescribeAV1(&track, sequence); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(track.Config, unhex(t, av1Record)) || track.Width != 322 || track.Height != 182 ||
		track.BitDepth != 8 || track.Chroma != "4:2:0" || !Complete(&track) {
		t.Errorf("%x, %+v", track.Config, track)
	}
	payload, sequence, key, err = AV1Unit(wireOBUs(t, av1Unit))
	if err != nil || key || sequence != nil || !bytes.Equal(payload, unhex(t, av1Unit[4:])) {
		t.Errorf("payload %x, sequence header %x, key %v, %v", payload, sequence, key, err)
	}
	for _, bad := range []string{"92", "3205", "36", "32ffffffff7f00"} {
		if _, _, _, err := AV1Unit([][]byte{unhex(t, bad)}); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	long := append([]byte{0x30}, make([]byte, 70_000)...)
	payload, _, _, err = AV1Unit([][]byte{long})
	if obus := SplitOBUs(payload); err != nil || len(obus) != 1 || !bytes.Equal(obus[0], long) {
		t.Errorf("a long frame does not come back: %v", err)
	}
}

func TestVP9(t *testing.T) {
	track := media.Track{Kind: media.Video, Codec: media.VP9, ClockRate: 90000}
	if err := DescribeVP9(&track, unhex(t, vp9KeyFrame)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(track.Config, unhex(t, vp9Record)) || track.Width != 322 || track.Height != 182 || !Complete(&track) {
		t.Errorf("%x, %+v", track.Config, track)
	}
	if !VP9Key(unhex(t, vp9KeyFrame)) || VP9Key(unhex(t, vp9Frame)) || VP9Key(nil) {
		t.Error("keyframes are not told")
	}
	if err := DescribeVP9(&track, unhex(t, vp9Frame)); err == nil {
		t.Error("described by a frame that does not")
	}
}

func FuzzAV1(f *testing.F) {
	f.Add(unhex(f, av1KeyUnit))
	f.Add(unhex(f, vp9KeyFrame))
	f.Fuzz(func(t *testing.T, b []byte) {
		VP9Key(b)
		track := media.Track{Kind: media.Video, Codec: media.VP9, ClockRate: 90000}
		if DescribeVP9(&track, b) == nil && !Complete(&track) {
			t.Fatalf("described but incomplete: %+v", track)
		}
		obus := SplitOBUs(b)
		payload, sequence, _, err := AV1Unit(obus)
		if err != nil {
			t.Fatalf("OBUs that were split are broken: %v", err)
		}
		if payload != nil && SplitOBUs(payload) == nil {
			t.Fatalf("own unit is broken: %x", payload)
		}
		track = media.Track{Kind: media.Video, Codec: media.AV1, ClockRate: 90000}
		if DescribeAV1(&track, sequence) == nil && !Complete(&track) {
			t.Fatalf("described but incomplete: %+v", track)
		}
		_, _, _, _ = AV1Unit([][]byte{b})
	})
}
