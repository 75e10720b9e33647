package recording

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// mark marks the stream at a time since its beginning.
func (s *show) mark(id string, at, duration time.Duration, kind media.MarkerKind) {
	s.t.Helper()
	m := media.Marker{Kind: kind, ID: id, Date: began.Add(at), Duration: duration}
	if kind == media.DateRange {
		m.Class, m.Attributes = "c", map[string]any{"X-T": "text", "X-N": 1.5, "X-B": []byte{7}}
	}
	if _, err := s.Mark(m); err != nil {
		s.t.Fatal(err)
	}
}

// told is what a playlist says of date ranges.
func told(m *playlist.Media) string {
	text := ""
	for _, d := range m.DateRanges {
		text += fmt.Sprintf("%s@%v+%v %v; ", d.ID, d.Start.Sub(began), d.Duration, d.Attributes)
	}
	return text
}

const attributes = `[{X-B 0x07 false} {X-N 1.5 false} {X-T text true}]`

// A recording has the date ranges that map to it, as they were said last.
func TestARecordingHasItsDateRanges(t *testing.T) {
	l, _ := open(t, t.TempDir())
	s := l.show(t, "cam")
	s.play(2, 7)
	s.mark("before", -10*time.Second, time.Second, media.DateRange)
	s.mark("early", time.Second, 500*time.Millisecond, media.DateRange)
	s.mark("break", 3*time.Second, -1, media.DateRange)
	s.play(10, 7) // both have left the window
	s.mark("break", 9*time.Second, 0, media.DateRangeEnd)
	s.mark("open", 20*time.Second, -1, media.DateRange)
	s.mark("after", time.Hour, time.Second, media.DateRange)
	s.play(3, 7)
	s.end(l)
	_, lists := vod(t, l, "cam/"+firstID)
	want := fmt.Sprintf("early@1s+500ms %[1]s; break@3s+6s %[1]s; open@20s+-1ns %[1]s; ", attributes)
	for name, m := range lists {
		if got := told(m); got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}

// Time shift has its date ranges again after a restart, and one that went on
// can be ended then.
func TestTimeShiftKeepsItsDateRanges(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began.Add(time.Minute)).life(t, shiftRenditions)
	first.play(4, 7)
	first.mark("early", time.Second, 500*time.Millisecond, media.DateRange)
	first.mark("open", 3*time.Second, -1, media.DateRange)
	first.play(7, 7)
	first.Close()
	shift.Close()

	second, _ := shifts(dir, began.Add(2*time.Minute)).life(t, shiftRenditions)
	second.play(1, 8)
	second.mark("open", 5*time.Second, 0, media.DateRangeEnd)
	second.play(3, 8)
	want := fmt.Sprintf("early@1s+500ms %[1]s; open@3s+2s %[1]s; ", attributes)
	for _, name := range []string{"720p", "audio"} {
		if got := told(second.list(name + "/dvr.m3u8")); got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		if got := told(second.list(name + "/index.m3u8")); got != "" {
			t.Errorf("%s: the live playlist has %s", name, got)
		}
	}
}
