package ingest

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// TestMark puts markers at times before, between and after the samples, over a
// wrap of the wire's counter.
func TestMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []media.Marker
		s := NewStream("cam", StreamOptions{OnMark: func(m media.Marker) { got = append(got, m) }})
		defer s.Close(nil)
		p := attach(t, s, videoTrack())
		mark := func(pts int64) error {
			return p.Mark(0, pts, media.Marker{Kind: media.DateRange, ID: "x", Date: time.Now()})
		}
		if err := mark(0); !errors.Is(err, ErrNoTime) {
			t.Fatalf("before the first sample: %v", err)
		}
		const wrap = 1 << 33
		start := int64(wrap - 90000) // the counter wraps after a second
		sub := s.Subscribe(media.SubscribeOptions{Name: "test"})
		defer sub.Close()
		for i := range int64(50) {
			if err := p.Write(0, Sample{PTS: (start + i*3600) % wrap, Bits: 33, Rate: 90000, Key: i == 0, Payload: []byte{1}, Arrival: media.Now()}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Millisecond)
		}
		first, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, ahead := range []time.Duration{-time.Second, 500 * time.Millisecond, 8 * time.Second} {
			at := (start + media.Ticks(2*time.Second+ahead, 90000)) % wrap
			if err := mark(at); err != nil {
				t.Fatal(err)
			}
			m := got[len(got)-1]
			if want := media.Duration(first.PTS, 90000) + 2*time.Second + ahead; m.At != want || !m.Date.IsZero() {
				t.Errorf("%v ahead: at %v, date %v, want %v", ahead, m.At, m.Date, want)
			}
		}
		if err := p.Mark(0, 0, media.Marker{Kind: media.DateRange}); !errors.Is(err, media.ErrMarker) {
			t.Errorf("a marker without ID: %v", err)
		}
		if err := p.Mark(1, 0, media.Marker{Kind: media.DateRange, ID: "x"}); err == nil {
			t.Error("a track that is not there was marked")
		}
		p.Close(nil)
		if err := mark(0); err == nil || len(got) != 3 {
			t.Errorf("after the publisher has left: %v, %d markers", err, len(got))
		}
	})
}
