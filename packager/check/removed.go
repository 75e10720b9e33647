package check

import (
	"context"
	"maps"
	"slices"
	"time"
)

// askedRemoved is how many segments of each playlist are asked for once more,
// those that may be given up first.
const askedRemoved = 3

// gone is a segment that had left the playlist when it was asked for, and has to
// be there still (§6.2.2).
type gone struct {
	*answer
	uri  string
	last time.Time     // when it was listed last
	due  time.Duration // how long it has to stay after that
}

// askRemoved asks for segments that left while the presentation was watched.
func (p *presentation) askRemoved(ctx context.Context) {
	for _, f := range p.list {
		for _, g := range f.left() {
			u, err := f.resolve(g.uri)
			if err != nil || time.Since(g.last) > g.due-time.Second {
				continue
			}
			if len(f.gone) == askedRemoved || ctx.Err() != nil {
				break
			}
			g.answer = f.client.get(ctx, u, maxMedia, false)
			f.gone = append(f.gone, g)
		}
	}
}

// left are the segments that have left, in order.
func (f *followed) left() []*gone {
	all := f.read()
	if len(all) == 0 || all[len(all)-1].m.EndList {
		return nil
	}
	// By number, of which a server may leave out any number between two looks.
	removed := map[uint64]*gone{}
	newest := all[len(all)-1].m.MediaSequence
	for _, l := range all {
		if l.m.Skip != nil {
			continue
		}
		for i := range l.m.Segments {
			s, number := &l.m.Segments[i], l.m.MediaSequence+uint64(i)
			if number >= newest || s.Gap || s.ByteRange != nil {
				continue
			}
			g := removed[number]
			if g == nil {
				g = &gone{uri: s.URI}
				removed[number] = g
			}
			g.last, g.due = l.at(), max(g.due, l.length()+s.Duration)
		}
	}
	out := make([]*gone, 0, len(removed))
	for _, number := range slices.Sorted(maps.Keys(removed)) {
		out = append(out, removed[number])
	}
	return out
}

// length is the playlist's duration.
func (l *look) length() (d time.Duration) {
	for i := range l.m.Segments {
		d += l.m.Segments[i].Duration
	}
	return d
}
