package check

import (
	"context"
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
	var out []*gone
	newest := all[len(all)-1].m.MediaSequence
	for number := all[0].m.MediaSequence; number < newest; number++ {
		var g *gone
		for _, l := range all {
			s := l.segment(number)
			if s == nil || l.m.Skip != nil || s.Gap || s.ByteRange != nil {
				continue
			}
			if g == nil {
				g = &gone{uri: s.URI}
			}
			g.last, g.due = l.at(), max(g.due, l.length()+s.Duration)
		}
		if g != nil {
			out = append(out, g)
		}
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
