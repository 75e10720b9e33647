package recording

import (
	"slices"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// maxRanges bounds the date ranges that are remembered for a recording.
const maxRanges = 10_000

// dateRanges are those of a stream as they were said last, in the order in
// which they came first.
type dateRanges struct {
	list []playlist.DateRange
}

func (d *dateRanges) put(r playlist.DateRange) {
	if i := slices.IndexFunc(d.list, func(o playlist.DateRange) bool { return o.ID == r.ID }); i >= 0 {
		d.list[i] = r
		return
	}
	if len(d.list) == maxRanges {
		d.list = slices.Delete(d.list, 0, 1)
	}
	d.list = append(d.list, r)
}

// within are those that map to media between two dates, ordered by start.
func (d *dateRanges) within(from, to time.Time) []playlist.DateRange {
	list := slices.SortedStableFunc(slices.Values(d.list), func(a, b playlist.DateRange) int { return a.Start.Compare(b.Start) })
	return slices.DeleteFunc(list, func(r playlist.DateRange) bool {
		end := r.EndIn(d.list)
		return r.Start.After(to) || !end.IsZero() && end.Before(from)
	})
}

// DateRange implements packager.Recorder.
func (r *Recorder) DateRange(d playlist.DateRange) { r.send(item{dateRange: &d}) }

// takeRange remembers a date range, for recordings that begin later too.
func (r *Recorder) takeRange(d *playlist.DateRange) error {
	r.ranges.put(*d)
	if r.cur == nil {
		return nil
	}
	return r.cur.journal.add(note{DateRange: d})
}

// noteRanges writes what is known at the beginning of a recording.
func (r *Recorder) noteRanges(from time.Time) error {
	r.ranges.list = r.ranges.within(from, from.AddDate(1, 0, 0))
	for i := range r.ranges.list {
		if err := r.cur.journal.add(note{DateRange: &r.ranges.list[i]}); err != nil {
			return err
		}
	}
	return nil
}

// DateRange implements packager.Recorder.
func (s *Shift) DateRange(d playlist.DateRange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ranges.put(d)
	if s.journal == nil || s.failed {
		return
	}
	if err := s.journal.add(note{DateRange: &d}); err != nil {
		s.shifts.log.Warn("a date range will not survive a restart", "stream", s.path, "id", d.ID, "err", err)
		return
	}
	s.lines++
}

// PastDateRanges are those that map to what Past tells of, or to what comes.
func (s *Shift) PastDateRanges() []playlist.DateRange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ranges.list)
}

// dropRanges forgets what ended before a date. s.mu is held.
func (s *Shift) dropRanges(oldest time.Time) {
	s.ranges.list = s.ranges.within(oldest, oldest.AddDate(10, 0, 0))
}
