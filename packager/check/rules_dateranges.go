package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// dateRangeRules are about EXT-X-DATERANGE.
var dateRangeRules = []rule{
	{"daterange-date", "4.4.5.1", true, "a playlist with EXT-X-DATERANGE has EXT-X-PROGRAM-DATE-TIME", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if len(l.m.DateRanges) == 0 {
				return
			}
			v.applies()
			if begin(l.m).IsZero() && !slices.ContainsFunc(l.m.Segments, func(s playlist.Segment) bool { return !s.ProgramDateTime.IsZero() }) {
				v.broken(f, "date range %s, and no date", l.m.DateRanges[0].ID)
			}
		})
	}},
	{"daterange-end", "4.4.5.1", true, "END-DATE is START-DATE and DURATION together", func(p *presentation, v *verdict) {
		p.eachDateRange(func(f *followed, _ *look, d *playlist.DateRange) {
			v.applies()
			if d.Duration < 0 || d.End.IsZero() {
				return
			}
			if off := d.End.Sub(d.Start.Add(d.Duration)); off.Abs() > 2*rounding {
				v.broken(f, "%s lasts %v, its END-DATE is %v after its START-DATE", d.ID, d.Duration, d.End.Sub(d.Start))
			}
		})
	}},
	{"daterange-ids", "4.4.5.1", true, "what date ranges with one ID say is the same", func(p *presentation, v *verdict) {
		was := map[string]*playlist.DateRange{}
		p.eachDateRange(func(f *followed, _ *look, d *playlist.DateRange) {
			v.applies()
			old := was[d.ID]
			was[d.ID] = d
			if old == nil {
				return
			}
			if what := differs(old, d); what != "" {
				v.broken(f, "%s of %s", what, d.ID)
			}
		})
	}},
	{"dateranges-stay", "6.2.1", true, "a date range stays for as long as a listed segment is within it", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			first := begin(b.m)
			if len(a.m.DateRanges) == 0 || first.IsZero() {
				return
			}
			v.applies()
			for i := range a.m.DateRanges {
				d := &a.m.DateRanges[i]
				if end := d.EndIn(a.m.DateRanges); (end.IsZero() || end.After(first)) && dateRange(b.m, d.ID) == nil {
					v.broken(f, "%s is gone; it ends %s, the media begins at %s", d.ID, moment(end), moment(first))
				}
			}
		})
	}},
	probeRule(probeDeltaDates, "6.2.5.1", true, "a delta update without date ranges leaves out the old ones, and names those that were removed", judgeDeltaDates),
	{"skip-dateranges-offered", "Apple 14.5", false, "playlists with date ranges that offer delta updates offer them without date ranges", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if c := l.m.ServerControl; c != nil && c.CanSkipUntil > 0 && len(l.m.DateRanges) > 0 {
				v.applies()
				if !c.CanSkipDateRanges {
					v.broken(f, "date range %s, and no CAN-SKIP-DATERANGES", l.m.DateRanges[0].ID)
				}
			}
		})
	}},
}

// eachDateRange calls check with every date range of every look.
func (p *presentation) eachDateRange(check func(*followed, *look, *playlist.DateRange)) {
	p.each(func(f *followed, l *look) {
		for i := range l.m.DateRanges {
			check(f, l, &l.m.DateRanges[i])
		}
	})
}

// begin is the date at which a playlist's media begins; zero where it does not
// say.
func begin(m *playlist.Media) time.Time {
	switch {
	case len(m.Segments) > 0:
		return m.Segments[0].ProgramDateTime
	case m.Open != nil:
		return m.Open.ProgramDateTime
	}
	return time.Time{}
}

func dateRange(m *playlist.Media, id string) *playlist.DateRange {
	for i := range m.DateRanges {
		if m.DateRanges[i].ID == id {
			return &m.DateRanges[i]
		}
	}
	return nil
}

// differs names what two tags of one date range say differently.
func differs(a, b *playlist.DateRange) string {
	switch {
	case a.Class != b.Class:
		return fmt.Sprintf("CLASS %q became %q", a.Class, b.Class)
	case !a.Start.Equal(b.Start):
		return fmt.Sprintf("START-DATE %s became %s", moment(a.Start), moment(b.Start))
	case a.Duration >= 0 && b.Duration >= 0 && a.Duration != b.Duration:
		return fmt.Sprintf("DURATION %v became %v", a.Duration, b.Duration)
	case !a.End.IsZero() && !b.End.IsZero() && !a.End.Equal(b.End):
		return fmt.Sprintf("END-DATE %s became %s", moment(a.End), moment(b.End))
	}
	for _, x := range a.Attributes {
		for _, y := range b.Attributes {
			if x.Name == y.Name && x != y {
				return fmt.Sprintf("%s %q became %q", x.Name, x.Value, y.Value)
			}
		}
	}
	return ""
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("15:04:05.000")
}

// leftOut are the date ranges of the playlist before that a delta update does
// not have.
func (pr *probe) leftOut() []*playlist.DateRange {
	var out []*playlist.DateRange
	for i := range pr.before.m.DateRanges {
		d := &pr.before.m.DateRanges[i]
		if dateRange(pr.look.m, d.ID) == nil && !slices.Contains(pr.look.m.Skip.Removed, d.ID) {
			out = append(out, d)
		}
	}
	return out
}

// judgeDeltaDates holds a delta update to what was seen of date ranges before.
func judgeDeltaDates(f *followed, pr *probe, v *verdict) {
	l := pr.look
	switch {
	case !l.ok() || l.m == nil:
		v.broken(f, "%s: %s %v", pr.query, l.said(), l.bad)
		return
	case l.m.Skip == nil:
		return
	case !l.m.Skip.DateRanges:
		v.broken(f, "EXT-X-SKIP without RECENTLY-REMOVED-DATERANGES")
		return
	}
	boundary := pr.before.m.ServerControl.CanSkipUntil
	for _, d := range pr.leftOut() {
		if _, absent := f.sawDateRange(d); !absent.IsZero() && l.at().Sub(absent) < boundary-network {
			v.broken(f, "%s is left out, %v ago it was not there yet", d.ID, l.at().Sub(absent).Round(time.Millisecond))
		}
	}
	for i := range l.m.DateRanges {
		d := &l.m.DateRanges[i]
		if seen, _ := f.sawDateRange(d); !seen.IsZero() && l.asked.Sub(seen) > boundary+network {
			v.broken(f, "%s is not left out, it was there %v ago", d.ID, l.asked.Sub(seen).Round(time.Millisecond))
		}
	}
}

// sawDateRange is when a date range was first seen as it is now, and when it
// was last seen not to be there before that.
func (f *followed) sawDateRange(d *playlist.DateRange) (seen, absent time.Time) {
	for _, l := range f.read() {
		switch now := dateRange(l.m, d.ID); {
		case now == nil || fmt.Sprint(*now) != fmt.Sprint(*d):
			absent = l.asked
		default:
			return l.at(), absent
		}
	}
	return time.Time{}, absent
}
