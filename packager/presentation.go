package packager

import (
	"context"
	"net/http"

	"github.com/millrace/millrace/internal/media"
)

// Presentation is one stream's HLS. See the package comment for which
// goroutine may do what.
type Presentation struct {
	cfg   Config
	ready chan struct{}
}

// New makes an empty presentation. Close it when nobody may read it any more.
func New(cfg Config) (*Presentation, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	return &Presentation{cfg: cfg, ready: make(chan struct{})}, nil
}

// SetRenditions says what the presentation consists of: at the start, and
// again before the Cut of a discontinuity where a new plan begins. A rendition
// whose name stays goes on in its playlist; one that is gone goes on as GAP
// for one window and then vanishes; one that is new appears when its first
// segment is there.
func (p *Presentation) SetRenditions(rs []Rendition) error { return checkRenditions(rs) }

// Cut announces a segment, in order and before any of its packets.
func (p *Presentation) Cut(c media.Cut) error { return nil }

// Write adds a packet to a rendition. In a live presentation trouble with the
// store costs the segment (it becomes a GAP, see Config.OnTrouble) and Write
// returns nil; in a VOD presentation it is returned.
func (p *Presentation) Write(rendition string, pk media.Placed) error { return nil }

// Lost says that what came of these renditions is all there will be before the
// next discontinuity: a worker died, or a rung was switched off. Their open
// segments, and each further one until packets come again, are listed as GAP
// as soon as the next cut tells their length.
func (p *Presentation) Lost(renditions ...string) {}

// Suspend closes the open segments with what is there, because the publisher
// is gone. Playlists then stand still, without ENDLIST, until a Cut with a new
// Discontinuity resumes them. What coders still had must be written before.
func (p *Presentation) Suspend() {}

// End closes everything and writes EXT-X-ENDLIST. A VOD presentation with an
// Output is published there; only then can End fail. All stays fetchable until
// Close.
func (p *Presentation) End() error { return nil }

// Close gives up all media; reads under way finish. It may be called twice.
// A VOD presentation that did not End leaves nothing in its Output.
func (p *Presentation) Close() {}

// Ready is closed when the multivariant playlist can be fetched: every
// rendition has its first segment, or those that lack it are late by three.
func (p *Presentation) Ready() <-chan struct{} { return p.ready }

// WaitFor waits until a media playlist lists segment msn (part < 0) or that
// part of it, or one that is later; until the presentation has ended (nil:
// what was asked for will not come); or for ctx.
func (p *Presentation) WaitFor(ctx context.Context, rendition string, msn uint64, part int) error {
	return nil
}

// ServeHTTP serves the presentation. The URL's path is relative to the
// stream: index.m3u8, {rendition}/index.m3u8, {rendition}/{msn}.m4s and
// {rendition}/init-{hash}.mp4.
func (p *Presentation) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// Stats tells the present state.
func (p *Presentation) Stats() Stats { return Stats{} }
