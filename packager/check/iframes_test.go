package check

import (
	"testing"

	"github.com/millrace/millrace/packager/fmp4"
)

// Ranges that end behind the picture, in the middle of the mdat, are what
// Apple's tools write.
func TestCutOffRanges(t *testing.T) {
	samples := []fmp4.Sample{
		{Duration: 3600, Offset: 7200, Key: true, Payload: make([]byte, 1000)},
		{Duration: 3600, Payload: make([]byte, 300)},
		{Duration: 3600, Payload: make([]byte, 200)},
	}
	whole := fmp4.AppendFragment(nil, 1, 90000, samples)
	boxes := len(whole)
	for _, s := range samples {
		whole = append(whole, s.Payload...)
	}
	for _, n := range []int{len(whole), boxes + 1200, boxes + 1000, boxes + 900, boxes} {
		s, at, need, err := firstSample(whole[:n])
		if err != nil || !s.Key || len(s.Payload) != 1000 || at != 97200 || need != boxes+1000 {
			t.Errorf("%d bytes: need %d of %d, at %d, %v", n, need, boxes+1000, at, err)
		}
	}
	for _, b := range [][]byte{nil, whole[8:], whole[:boxes-8], make([]byte, 100)} {
		if s, _, _, err := firstSample(b); err == nil {
			t.Errorf("%d bytes that are no I-frame: %+v", len(b), s)
		}
	}
}
