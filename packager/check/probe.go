package check

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// probe is a question asked on purpose.
type probe struct {
	what   string // its rule
	query  string
	before *look // the playlist as it was just before
	look   *look
}

// The probes; each is judged by the rule of that name.
const (
	probePartAlone  = "part-without-msn"
	probeNotNumber  = "msn-not-a-number"
	probeTooFar     = "msn-too-far"
	probePartFar    = "part-too-far"
	probePast       = "msn-in-the-past"
	probeDelta      = "delta"
	probeDeltaDates = "delta-dateranges"
	probeUnknown    = "unknown-uri"
	probeGzip       = "gzip"
	probeEnded      = "directives-after-end"
)

// probe asks the questions, of each media playlist.
func (p *presentation) probe(ctx context.Context) {
	for _, f := range p.list {
		l := f.newest()
		if l == nil {
			continue
		}
		f.ask(ctx, probeGzip, "")
		f.unknown(ctx)
		c := l.m.ServerControl
		if c != nil && c.CanSkipUntil > 0 {
			f.ask(ctx, probeDelta, "_HLS_skip=YES")
			if c.CanSkipDateRanges {
				f.ask(ctx, probeDeltaDates, "_HLS_skip=v2")
			}
		}
		if c == nil || !c.CanBlockReload {
			continue
		}
		if l.m.EndList {
			f.ask(ctx, probeEnded, fmt.Sprintf("_HLS_msn=%d", l.end()+100))
			continue
		}
		f.ask(ctx, probePartAlone, "_HLS_part=1")
		f.ask(ctx, probeNotNumber, "_HLS_msn=soon")
		f.ask(ctx, probeTooFar, fmt.Sprintf("_HLS_msn=%d", l.end()+50))
		if now := f.look(ctx, ""); now.m != nil && now.m.PartTarget > 0 {
			f.ask(ctx, probePartFar, fmt.Sprintf("_HLS_msn=%d&_HLS_part=100000", now.end()))
		}
		if l.m.MediaSequence > 1 {
			f.ask(ctx, probePast, fmt.Sprintf("_HLS_msn=%d", l.m.MediaSequence-1))
		}
	}
}

// ask sends one probe. Its look is not one of those that are compared with
// each other.
func (f *followed) ask(ctx context.Context, what, query string) {
	before := f.newest()
	if what == probeDelta || what == probeDeltaDates {
		before = f.look(ctx, "") // to merge with
		if before.m == nil {
			return
		}
	}
	u := *f.url
	if query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	l := &look{answer: f.client.get(ctx, &u, maxPlaylist, what == probeGzip), query: query}
	if l.ok() && l.encoding == "" {
		l.m, l.bad = playlist.ParseMedia(string(l.body))
	}
	f.probes = append(f.probes, &probe{what: what, query: query, before: before, look: l})
}

// unknown asks for something that was never listed or hinted.
func (f *followed) unknown(ctx context.Context) {
	u, err := f.resolve("millrace-check-asks-for-what-is-not-there.m4s")
	if err != nil {
		return
	}
	f.probes = append(f.probes, &probe{what: probeUnknown, look: &look{answer: f.client.get(ctx, u, maxMedia, false)}})
}

// probed finds the answer to a probe.
func (f *followed) probed(what string) *probe {
	for _, p := range f.probes {
		if p.what == what {
			return p
		}
	}
	return nil
}

// quick reports whether an answer came without waiting for media.
func (a *answer) quick() bool { return a.took < 2*time.Second }

// refused reports whether a request was answered as one that makes no sense.
func (a *answer) refused() bool { return a.err == nil && a.status == http.StatusBadRequest }
