package check

import (
	"net/http"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// deliveryRules judge how requests are answered.
var deliveryRules = []rule{
	{"blocks", "6.2.5.2", true, "a blocked reload brings what it waited for, or an error", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			all := f.looks
			for i := 1; i < len(all); i++ {
				l := all[i]
				if l.query == "" || l.m == nil || l.m.EndList {
					continue
				}
				v.applies()
				if before := all[i-1]; before.m != nil && next(before.m) == next(l.m) {
					v.broken(f, "%s brought nothing new after %v", l.query, l.took.Round(time.Millisecond))
				}
			}
		}
	}},
	{"late-is-503", "6.2.5.2", false, "a reload that waited for three target durations gets 503", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, l := range f.looks {
				if l.query == "" || l.err != nil || l.status < 500 {
					continue
				}
				v.applies()
				if l.status != http.StatusServiceUnavailable {
					v.broken(f, "%s: %d after %v", l.query, l.status, l.took.Round(time.Millisecond))
				}
			}
		}
	}},
	probeRule(probePartAlone, "6.2.5.2", true, "_HLS_part without _HLS_msn is answered 400", mustRefuse),
	probeRule(probeNotNumber, "6.2.5.2", true, "an _HLS_msn that is no number is answered 400", mustRefuse),
	probeRule(probeTooFar, "6.2.5.2", false, "an _HLS_msn more than two ahead is answered 400 at once", mustRefuse),
	probeRule(probePartFar, "6.2.5.2", false, "an _HLS_part far ahead is answered 400 at once", mustRefuse),
	probeRule(probePast, "6.2.5.2", true, "an _HLS_msn of the past is answered by the whole current playlist", mustAnswer),
	probeRule(probeEnded, "6.2.5.2", true, "an ended playlist is answered whatever is asked", mustAnswer),
	probeRule(probeUnknown, "6.2.6", false, "what was never listed or hinted is answered 404 at once", func(f *followed, pr *probe, v *verdict) {
		if l := pr.look; l.err != nil || l.status != http.StatusNotFound && l.status != http.StatusForbidden || !l.quick() {
			v.broken(f, "%s after %v", l.said(), l.took.Round(time.Millisecond))
		}
	}),
	probeRule(probeGzip, "6.2.1", false, "playlists are compressed for who accepts it", func(f *followed, pr *probe, v *verdict) {
		if pr.look.ok() && pr.look.encoding != "gzip" {
			v.broken(f, "%d bytes are sent as they are", len(pr.look.body))
		}
	}),
	probeRule(probeDelta, "6.2.5.1", true, "a delta update, filled up from the playlist before, is the playlist", judgeDelta),
	{"delta-boundary", "6.2.5.1", true, "a delta update skips no segment within CAN-SKIP-UNTIL of the end", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			pr := f.probed(probeDelta)
			if pr == nil || pr.look.m == nil || pr.look.m.Skip == nil || pr.before.m == nil {
				continue
			}
			v.applies()
			var kept time.Duration
			for _, s := range pr.look.m.Segments {
				kept += s.Duration
			}
			if limit := pr.before.m.ServerControl.CanSkipUntil; kept < limit-time.Second {
				v.broken(f, "%v are left, CAN-SKIP-UNTIL is %v", kept, limit)
			}
		}
	}},
	{"hint-held", "6.2.6", true, "a request for a hinted part is held and then answered by the part", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for uri, a := range f.hinted {
				listed := f.parts[uri]
				if a.err == nil && a.status == http.StatusNotFound && listed == nil {
					continue // an abandoned hint
				}
				v.applies()
				if !a.ok() && listed != nil {
					v.broken(f, "%s: %s, and was listed", uri, a.said())
				}
			}
		}
	}},
	{"hint-whole", "6.2.6", true, "no byte of a hinted part is sent before all of it can be", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for uri, a := range f.hinted {
				if !a.ok() || len(a.body) == 0 {
					continue
				}
				v.applies()
				if dribbled := a.took - a.firstByte; dribbled > 150*time.Millisecond && len(a.body) < 4<<20 {
					v.broken(f, "%s: %v between its first byte and its last, of %d", uri, dribbled.Round(time.Millisecond), len(a.body))
				}
			}
		}
	}},
	{"cache", "6.2.2", false, "playlists and media say how long they may be kept", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if l := f.newest(); l != nil {
				v.applies()
				if l.header.Get("Cache-Control") == "" && l.header.Get("Expires") == "" {
					v.broken(f, "neither Cache-Control nor Expires")
				}
			}
		}
	}},
}

// probeRule judges the answers to a probe.
func probeRule(what, section string, must bool, text string, check func(*followed, *probe, *verdict)) rule {
	return rule{what, section, must, text, func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if pr := f.probed(what); pr != nil {
				v.applies()
				check(f, pr, v)
			}
		}
	}}
}

func mustRefuse(f *followed, pr *probe, v *verdict) {
	if l := pr.look; !l.refused() || !l.quick() {
		v.broken(f, "%s: %s after %v", pr.query, l.said(), l.took.Round(time.Millisecond))
	}
}

func mustAnswer(f *followed, pr *probe, v *verdict) {
	switch l := pr.look; {
	case !l.ok() || l.m == nil:
		v.broken(f, "%s: %s", pr.query, l.said())
	case !l.quick():
		v.broken(f, "%s: answered after %v", pr.query, l.took.Round(time.Millisecond))
	case l.m.Skip != nil:
		v.broken(f, "%s: not the whole playlist", pr.query)
	}
}

// judgeDelta merges a delta update with the playlist that was fetched before.
func judgeDelta(f *followed, pr *probe, v *verdict) {
	l, before := pr.look, pr.before
	switch {
	case !l.ok() || l.m == nil:
		v.broken(f, "%s: %s %v", pr.query, l.said(), l.bad)
		return
	case l.m.Skip == nil:
		return // nothing to skip, or nobody does
	case l.m.EndList:
		v.broken(f, "EXT-X-SKIP beside EXT-X-ENDLIST")
		return
	}
	skipped := l.m.Skip.Segments
	first := l.m.MediaSequence + skipped
	for n := l.m.MediaSequence; n < first; n++ {
		if before.segment(n) == nil {
			v.broken(f, "segment %d is skipped, and was not in the playlist before", n)
			return
		}
	}
	for i := range l.m.Segments {
		n := first + uint64(i)
		if old := before.segment(n); old != nil && !same(old, &l.m.Segments[i]) {
			v.broken(f, "segment %d is %s, in the playlist before it was %s", n, l.m.Segments[i].URI, old.URI)
			return
		}
	}
}

func same(a, b *playlist.Segment) bool {
	return a.URI == b.URI && a.Duration == b.Duration && a.Discontinuities == b.Discontinuities && a.Gap == b.Gap
}
