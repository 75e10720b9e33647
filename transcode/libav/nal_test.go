package libav

import (
	"bytes"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func TestSplitAnnexB(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want [][]byte
	}{
		{nil, nil},
		{[]byte{1, 2, 3, 4}, nil},
		{[]byte{0, 0, 1}, [][]byte{{}}},
		{[]byte{0, 0, 1, 5}, [][]byte{{5}}},
		{[]byte{0, 0, 0, 1, 5, 6, 0, 0, 1, 7}, [][]byte{{5, 6}, {7}}},
		{[]byte{9, 0, 0, 0, 1, 5, 0, 0, 0, 0, 1, 1, 1, 0, 1}, [][]byte{{5}, {1, 1, 0, 1}}},
		{[]byte{0, 0, 1, 0, 0, 1, 7, 0}, [][]byte{{}, {7}}},
	} {
		got := splitAnnexB(c.in)
		same := len(got) == len(c.want)
		for i := range got {
			same = same && bytes.Equal(got[i], c.want[i])
		}
		if !same {
			t.Errorf("% x: % x, want % x", c.in, got, c.want)
		}
	}
}

// FuzzParameterSets reads configurations and packets from outside.
func FuzzParameterSets(f *testing.F) {
	f.Add([]byte{1, 66, 192, 30, 255, 225, 0, 4, 0x67, 66, 192, 30, 1, 0, 2, 0x68, 1}, []byte{0, 0, 0, 2, 0x65, 1}, true)
	f.Add(make([]byte, 30), []byte{0, 0, 1, 0x65, 1}, false)
	f.Add([]byte{0, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x44, 1}, []byte{0, 0, 1, 0x26, 1}, false)
	f.Fuzz(func(t *testing.T, extra, packet []byte, h264 bool) {
		s := parameterSets{codec: media.H265}
		if h264 {
			s.codec = media.H264
		}
		_ = s.parse(extra) // what could be read of it is kept
		units, err := s.split(packet)
		total := 0
		for _, u := range units {
			s.kind(u)
			total += len(u)
		}
		if total > len(packet) {
			t.Fatalf("%d bytes of %d", total, len(packet))
		}
		s.replace(units)
		if c := s.config(&media.Track{Codec: s.codec}); c != nil {
			again := parameterSets{codec: s.codec}
			if err := again.parse(c); err != nil {
				t.Fatalf("our own configuration: %v", err)
			}
		}
		if err == nil && s.lengthSize > 0 {
			joined := joinLengths(units)
			back, err := splitLengths(joined, 4)
			if err != nil || len(back) != len(units) {
				t.Fatalf("%d units come back of %d: %v", len(back), len(units), err)
			}
		}
	})
}
