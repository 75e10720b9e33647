package packager

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// units makes an access unit of NAL units.
func units(nals ...[]byte) (au []byte) {
	for _, n := range nals {
		au = append(binary.BigEndian.AppendUint32(au, uint32(len(n))), n...)
	}
	return au
}

var (
	ccMessage   = append([]byte{4, 14}, append(bytes.Clone(atscCaptions), 0x41, 0xff, 0xfc, 0x94, 0x2c, 0xff)...)
	captionsSEI = append(append([]byte{6}, ccMessage...), 0x80)
	slice       = []byte{0x65, 0x88, 0x84, 0x00}
)

func TestCaptioned(t *testing.T) {
	other := []byte{6, 5, 3, 1, 2, 3, 0x80}
	behind := append(append([]byte{6, 1, 1, 0}, ccMessage...), 0x80)
	hevc := append(append([]byte{39 << 1, 1}, ccMessage...), 0x80)
	for _, c := range []struct {
		name  string
		codec media.Codec
		au    []byte
		want  bool
	}{
		{"captions", media.H264, units(captionsSEI, slice), true},
		{"behind another message", media.H264, units(other, behind, slice), true},
		{"H.265", media.H265, units(hevc), true},
		{"something else", media.H264, units(other, slice), false},
		{"another codec", media.AV1, units(captionsSEI), false},
		{"in a slice", media.H264, units(append([]byte{0x65}, captionsSEI...)), false},
		{"torn", media.H264, units(captionsSEI)[:9], false},
		{"a size without end", media.H264, units(append([]byte{6, 4}, bytes.Repeat([]byte{0xff}, 9)...)), false},
		{"nothing", media.H264, nil, false},
	} {
		if got := captioned(c.codec, c.au); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzCaptioned(f *testing.F) {
	f.Add(units(captionsSEI, slice))
	f.Fuzz(func(_ *testing.T, b []byte) {
		captioned(media.H264, b)
		captioned(media.H265, b)
	})
}

func TestCaptionsAreSignalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{}, Rendition{Name: "source", Kind: media.Video, Copy: true}, Rendition{Name: "rung", Kind: media.Video, Bitrate: 800_000})
		defer s.Close()
		play := func(n uint64, sei bool) {
			at := time.Duration(n) * 2 * time.Second
			s.cut(n+1, 1, at, time.Now())
			for _, pk := range video25().between(at, at+2*time.Second) {
				if sei {
					pk.Payload = units(captionsSEI, slice)
				}
				s.put("source", n+1, 1, pk)
				s.put("rung", n+1, 1, pk)
			}
		}
		play(0, false)
		play(1, false)
		if text := s.get("index.m3u8").Body.String(); strings.Count(text, "CLOSED-CAPTIONS=NONE") != 2 || strings.Contains(text, "INSTREAM-ID") {
			t.Errorf("without captions:\n%s", text)
		}
		play(2, true)
		play(3, true)
		text := s.get("index.m3u8").Body.String()
		if strings.Count(text, `CLOSED-CAPTIONS="cc"`) != 2 || !strings.Contains(text, `TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1"`) {
			t.Errorf("with captions:\n%s", text)
		}
	})
}
