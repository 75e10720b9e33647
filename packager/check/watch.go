package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// Options say how to look. Zero fields get the values named.
type Options struct {
	// For is how long a live presentation is watched: 20 s.
	For time.Duration
	// Segments is how many segments of each playlist are downloaded at the
	// start, the newest ones; a VOD presentation is read from its end. 100.
	Segments int
	// Client makes the requests; one of its own.
	Client *http.Client
	// Progress is told once a second how far the watching is.
	Progress func(elapsed, of time.Duration)
}

// presentation is all that was seen.
type presentation struct {
	url   *url.URL
	multi *answer
	m     *playlist.Multivariant // nil where the URL is a media playlist
	list  []*followed
	live  bool
	began time.Time
	took  time.Duration

	iframes []*iframes // as they were behind the watching
}

// errNoPlaylist is what Run fails with where there is nothing to judge.
var errNoPlaylist = errors.New("there is no playlist")

// Run watches a presentation and judges it. The error says why there was
// nothing to judge; a presentation that breaks rules is no error.
func Run(ctx context.Context, address string, o Options) (*Report, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a playlist: http://HOST/PATH.m3u8", address)
	}
	o.For, o.Segments = cmp.Or(o.For, 20*time.Second), cmp.Or(o.Segments, 100)
	if o.Client == nil {
		transport := &http.Transport{MaxIdleConnsPerHost: 16, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		o.Client = &http.Client{Transport: transport}
	}
	c := &client{http: o.Client}
	p, err := open(ctx, c, u)
	if err != nil {
		return nil, err
	}
	p.watch(ctx, &o)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	p.askRemoved(ctx)
	p.probe(ctx)
	p.lookAtIFrames(ctx, c)
	return judge(p), nil
}

// open reads the first playlist and finds the others.
func open(ctx context.Context, c *client, u *url.URL) (*presentation, error) {
	p := &presentation{url: u, began: time.Now()}
	p.multi = c.get(ctx, u, maxPlaylist, false)
	switch {
	case p.multi.err != nil:
		return nil, fmt.Errorf("%s: %w", u.Redacted(), p.multi.err)
	case p.multi.status != http.StatusOK:
		return nil, fmt.Errorf("%s answers %d: %w", u.Redacted(), p.multi.status, errNoPlaylist)
	}
	text := string(p.multi.body)
	if !playlist.IsMultivariant(text) {
		f := follow(c, u.Path, u)
		if _, err := playlist.ParseMedia(text); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", u.Redacted(), errNoPlaylist, err)
		}
		p.list = []*followed{f}
		return p, nil
	}
	m, err := playlist.ParseMultivariant(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Redacted(), err)
	}
	p.m = m
	seen := map[string]*followed{}
	add := func(uri string) (*followed, error) {
		if f := seen[uri]; f != nil {
			return f, nil
		}
		to, err := u.Parse(uri)
		if err != nil {
			return nil, fmt.Errorf("URI %q: %w", uri, err)
		}
		f := follow(c, uri, to)
		seen[uri] = f
		p.list = append(p.list, f)
		return f, nil
	}
	for i := range m.Variants {
		f, err := add(m.Variants[i].URI)
		if err != nil {
			return nil, err
		}
		f.variant = &m.Variants[i]
		f.audio = m.Variants[i].Width == 0
	}
	for _, r := range m.Renditions {
		if r.URI == "" || r.Type != "AUDIO" && r.Type != "SUBTITLES" {
			continue
		}
		f, err := add(r.URI)
		if err != nil {
			return nil, err
		}
		f.audio, f.text = r.Type == "AUDIO", r.Type == "SUBTITLES"
	}
	if len(p.list) == 0 {
		return nil, fmt.Errorf("%s lists no variant", u.Redacted())
	}
	return p, nil
}

// watch follows all media playlists at once.
func (p *presentation) watch(ctx context.Context, o *Options) {
	until := time.Now().Add(o.For)
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, f := range p.list {
		all.Go(func() { f.run(ctx, until, o.Segments) })
	}
	go func() {
		all.Wait()
		close(done)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			p.took = time.Since(p.began)
			for _, f := range p.list {
				p.live = p.live || f.live()
			}
			return
		case <-tick.C:
			if o.Progress != nil && ctx.Err() == nil {
				o.Progress(time.Since(p.began), o.For)
			}
		}
	}
}
