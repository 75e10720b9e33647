package check

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// look is a media playlist as it was at one moment.
type look struct {
	*answer
	query string // the directives asked with
	m     *playlist.Media
	bad   error // why it cannot be read
}

// end is the number behind the last complete segment.
func (l *look) end() uint64 { return l.m.MediaSequence + uint64(len(l.m.Segments)) }

// segment finds a listed segment.
func (l *look) segment(number uint64) *playlist.Segment {
	if number < l.m.MediaSequence || number >= l.end() {
		return nil
	}
	return &l.m.Segments[number-l.m.MediaSequence]
}

// piece is a downloaded segment or part.
type piece struct {
	*answer
	contents
	lock     lock
	listed   time.Time // when a playlist first named it
	number   uint64    // media sequence number of the segment
	duration time.Duration
	init     *section
}

// readable reports whether the media was looked into and understood.
func (p *piece) readable() bool { return p.ok() && p.bad == nil && len(p.fragments) > 0 }

// section is a downloaded initialization section.
type section struct {
	*answer
	h   *fmp4.Header
	bad error
}

// followed is one media playlist over time.
type followed struct {
	name    string // as the multivariant playlist writes its URI
	url     *url.URL
	audio   bool
	text    bool              // subtitles
	variant *playlist.Variant // nil for an alternative rendition

	client *client

	mu       sync.Mutex
	looks    []*look
	segments map[uint64]*piece
	parts    map[string]*piece  // by URI
	order    []string           // URIs of parts as they appeared
	hinted   map[string]*answer // what a preload hint brought, by URI
	hints    map[string]time.Time
	sections map[string]*section // by URI
	probes   []*probe
	gone     []*gone
	from     uint64 // the first segment to be downloaded
	jobs     sync.WaitGroup
	slots    chan struct{} // downloads at once
}

func follow(c *client, name string, u *url.URL) *followed {
	return &followed{
		name: name, url: u, client: c,
		segments: map[uint64]*piece{}, parts: map[string]*piece{}, hinted: map[string]*answer{},
		hints: map[string]time.Time{}, sections: map[string]*section{}, slots: make(chan struct{}, 4),
	}
}

// look asks for the playlist once more.
func (f *followed) look(ctx context.Context, query string) *look {
	u := *f.url
	if query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	l := &look{answer: f.client.get(ctx, &u, maxPlaylist, false), query: query}
	if l.ok() {
		l.m, l.bad = playlist.ParseMedia(string(l.body))
	}
	f.mu.Lock()
	f.looks = append(f.looks, l)
	f.mu.Unlock()
	return l
}

// resolve is a URI of the playlist as a URL.
func (f *followed) resolve(uri string) (*url.URL, error) {
	u, err := f.url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("URI %q: %w", uri, err)
	}
	return u, nil
}

// run follows the playlist until the time is over or it has ended.
func (f *followed) run(ctx context.Context, until time.Time, newest int) {
	defer f.jobs.Wait()
	var last *look
	for {
		query := ""
		if last != nil {
			query = next(last.m)
		}
		l := f.look(ctx, query)
		switch {
		case ctx.Err() != nil:
			return
		case l.m == nil:
			if time.Now().After(until) {
				return
			}
			f.pause(ctx, time.Second)
			continue
		}
		f.download(ctx, l, newest)
		if l.m.EndList || time.Now().After(until) {
			return
		}
		if query != "" && next(l.m) == query {
			f.pause(ctx, 100*time.Millisecond) // its server does not wait
		}
		if query == "" {
			// Often enough to see when something appears.
			f.pause(ctx, min(max(time.Duration(l.m.TargetDuration)*time.Second/8, 100*time.Millisecond), time.Second))
		}
		last = l
	}
}

func (f *followed) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// next is the query that waits for what comes after a playlist, empty where
// its server does not block.
func next(m *playlist.Media) string {
	if m.ServerControl == nil || !m.ServerControl.CanBlockReload || m.EndList {
		return ""
	}
	msn := m.MediaSequence + uint64(len(m.Segments))
	if m.PartTarget == 0 {
		return fmt.Sprintf("_HLS_msn=%d", msn)
	}
	part := 0
	if m.Open != nil {
		part = len(m.Open.Parts)
	}
	return fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", msn, part)
}

// download fetches what a playlist lists and was not fetched before: of the
// first one only the newest segments, and the parts beside the edge.
func (f *followed) download(ctx context.Context, l *look, newest int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.looks) == 1 {
		f.from = l.end() - min(uint64(newest), uint64(len(l.m.Segments)))
	}
	section := ""
	keys, _ := l.m.Keys()
	for i := range l.m.Segments {
		s := &l.m.Segments[i]
		number := l.m.MediaSequence + uint64(i)
		if s.Map != nil {
			section = s.Map.URI
			f.needSection(ctx, s.Map)
		}
		if len(f.looks) == 1 && number < f.from {
			f.known(s.Parts)
			continue
		}
		f.needParts(ctx, l, number, s.Parts, section, keys[i])
		if number >= f.from && f.segments[number] == nil && !s.Gap {
			p := &piece{listed: l.at(), number: number, duration: s.Duration}
			f.segments[number] = p
			f.need(ctx, p, s.URI, s.ByteRange, section, keys[i])
		}
	}
	if o := l.m.Open; o != nil {
		if o.Map != nil {
			section = o.Map.URI
			f.needSection(ctx, o.Map)
		}
		f.needParts(ctx, l, l.end(), o.Parts, section, keys[len(keys)-1])
	}
	for _, h := range l.m.PreloadHints {
		if _, seen := f.hints[h.URI]; seen || h.Type != "PART" || h.Start > 0 {
			continue
		}
		f.hints[h.URI] = l.at()
		f.jobs.Go(func() {
			if u, err := f.resolve(h.URI); err == nil {
				a := f.client.get(ctx, u, maxMedia, false)
				f.mu.Lock()
				f.hinted[h.URI] = a
				f.mu.Unlock()
			}
		})
	}
}

// known remembers parts that are not fetched.
func (f *followed) known(parts []playlist.Part) {
	for i := range parts {
		if uri := partID(&parts[i]); f.parts[uri] == nil {
			f.parts[uri] = &piece{answer: &answer{}}
		}
	}
}

// partID tells parts apart that are ranges of one resource.
func partID(p *playlist.Part) string {
	if p.ByteRange == nil {
		return p.URI
	}
	return fmt.Sprintf("%s@%d+%d", p.URI, p.ByteRange.Offset, p.ByteRange.Length)
}

func (f *followed) needParts(ctx context.Context, l *look, number uint64, parts []playlist.Part, section string, keys playlist.InForce) {
	for i := range parts {
		part := &parts[i]
		id := partID(part)
		if f.parts[id] != nil {
			continue
		}
		p := &piece{answer: &answer{}, listed: l.at(), number: number, duration: part.Duration}
		f.parts[id] = p
		f.order = append(f.order, id)
		if !part.Gap && part.ByteRange == nil {
			f.need(ctx, p, part.URI, nil, section, keys)
		}
	}
}

// need fetches a piece in the background. The caller holds f.mu.
func (f *followed) need(ctx context.Context, p *piece, uri string, byteRange *playlist.ByteRange, initURI string, keys playlist.InForce) {
	p.answer = &answer{}
	if byteRange != nil {
		return // whole resources only
	}
	p.init = f.sections[initURI]
	f.jobs.Go(func() {
		f.slots <- struct{}{}
		defer func() { <-f.slots }()
		u, err := f.resolve(uri)
		if err != nil {
			p.err = err
			return
		}
		a := f.client.get(ctx, u, maxMedia, false)
		var found contents
		var l lock
		if a.ok() {
			if plain := f.unlock(ctx, &l, keys, p.number, a.body); plain != nil {
				if f.text && initURI == "" { // else it is IMSC1 in fMP4 (§3.1.5)
					found.text, found.bad = webvtt.Read(plain)
				} else {
					found.open(plain, initURI != "")
				}
				if l.key != nil {
					l.unlockSamples(&found, p.init, keys)
				}
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		p.answer, p.contents, p.lock = a, found, l
	})
}

// needSection fetches an initialization section at once: what follows depends
// on it. The caller holds f.mu.
func (f *followed) needSection(ctx context.Context, m *playlist.Map) {
	if f.sections[m.URI] != nil || m.ByteRange != nil {
		return
	}
	s := &section{answer: &answer{}}
	f.sections[m.URI] = s
	u, err := f.resolve(m.URI)
	if err != nil {
		s.err = err
		return
	}
	if s.answer = f.client.get(ctx, u, maxMedia, false); s.ok() {
		s.h, s.bad = fmp4.ReadInit(s.body)
	}
}

// read returns the looks that could be read.
func (f *followed) read() []*look {
	out := make([]*look, 0, len(f.looks))
	for _, l := range f.looks {
		if l.m != nil {
			out = append(out, l)
		}
	}
	return out
}

// newest is the last readable look, nil if there is none.
func (f *followed) newest() *look {
	if all := f.read(); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// live reports whether the playlist had not ended when it was first seen.
func (f *followed) live() bool {
	all := f.read()
	return len(all) > 0 && !all[0].m.EndList
}

// fragmented reports whether the segments are fMP4.
func (f *followed) fragmented() bool { return len(f.sections) > 0 }

// relative reports whether a URI has neither scheme nor host.
func relative(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && !u.IsAbs() && u.Host == "" && !strings.HasPrefix(uri, "/")
}
