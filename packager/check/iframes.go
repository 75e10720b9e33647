package check

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// maxIFrames is how many pictures of an I-frame playlist are looked at, the
// newest ones.
const maxIFrames = 6

// iframes is an I-frame playlist as it was at one moment.
type iframes struct {
	*followed
	variant  *playlist.Variant
	seen     *look
	pictures []*picture
	// before is the playlist just before a reload that waited for the next
	// entry, waited what that brought; nil where its server does not block.
	before, waited *look
}

// picture is a downloaded entry.
type picture struct {
	*answer
	entry     *playlist.Segment
	number    uint64
	next      bool // the entry behind it goes on where it ends
	timescale int  // 0 unknown: the media cannot be read
	sample    *fmp4.Sample
	at        uint64 // when it is shown, in ticks; valid with sample
	need      int    // bytes of the range up to the end of the sample
	bad       error  // why there is no sample
}

// lookAtIFrames fetches the I-frame playlists and some of their pictures.
func (p *presentation) lookAtIFrames(ctx context.Context, c *client) {
	if p.m == nil {
		return
	}
	var all sync.WaitGroup
	for i := range p.m.IFrames {
		v := &p.m.IFrames[i]
		u, err := p.url.Parse(v.URI)
		if err != nil {
			continue
		}
		f := &iframes{followed: follow(c, v.URI, u), variant: v}
		p.iframes = append(p.iframes, f)
		all.Go(func() { f.collect(ctx) })
	}
	all.Wait()
}

func (f *iframes) collect(ctx context.Context) {
	f.seen = f.look(ctx, "")
	m := f.seen.m
	if m == nil {
		return
	}
	section := ""
	keys, _ := m.Keys()
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.Map != nil {
			section = s.Map.URI
		}
		if s.Gap || i < len(m.Segments)-maxIFrames {
			continue
		}
		if section != "" && f.sections[section] == nil {
			f.needSection(ctx, &playlist.Map{URI: section})
		}
		pic := &picture{entry: s, number: m.MediaSequence + uint64(i)}
		if i+1 < len(m.Segments) {
			after := &m.Segments[i+1]
			pic.next = !after.Gap && after.Discontinuities == 0
		}
		if len(keys[i]) > 0 && keys[i][0].Method == playlist.MethodAES128 {
			f.load(ctx, pic, nil) // which nobody can look into
		} else {
			f.load(ctx, pic, f.sections[section])
		}
		f.pictures = append(f.pictures, pic)
	}
	if c := m.ServerControl; c != nil && c.CanBlockReload && !m.EndList {
		if f.before = f.look(ctx, ""); f.before.m != nil {
			f.waited = f.look(ctx, fmt.Sprintf("_HLS_msn=%d", f.before.end()))
		}
	}
}

// load fetches the range of an entry and looks into it.
func (f *iframes) load(ctx context.Context, p *picture, section *section) {
	u, err := f.resolve(p.entry.URI)
	if err != nil {
		p.answer = &answer{err: err}
		return
	}
	p.answer = f.client.span(ctx, u, p.entry.ByteRange)
	switch {
	case !p.ok():
		return
	case section == nil && isTransport(p.body):
		var c contents
		c.open(p.body, false)
		if p.timescale, p.bad = transportRate, c.bad; c.bad == nil {
			first := &c.fragments[0]
			p.sample, p.at, p.need = &first.Samples[0], first.Base+uint64(int64(first.Samples[0].Offset)), len(p.body)
		}
		return
	case section == nil || section.h == nil:
		return
	}
	p.timescale = int(section.h.Timescale)
	p.sample, p.at, p.need, p.bad = firstSample(p.body)
}

// firstSample reads the sample that a range begins with. The mdat may be cut
// off behind it: need is how many bytes it takes all the same.
func firstSample(b []byte) (s *fmp4.Sample, at uint64, need int, err error) {
	whole := b
	for left := b; len(left) >= 8; {
		size := int(binary.BigEndian.Uint32(left))
		if size < 8 || size > maxMedia {
			break
		}
		if size > len(left) {
			whole = append(b[:len(b):len(b)], make([]byte, size-len(left))...)
			break
		}
		left = left[size:]
	}
	fragments, err := fmp4.ReadFragments(whole)
	if err != nil {
		return nil, 0, 0, err
	}
	if len(fragments) == 0 || len(fragments[0].Samples) == 0 {
		return nil, 0, 0, errors.New("there is no moof with a sample")
	}
	need = len(whole)
	for i := range fragments {
		if i > 0 {
			need -= fragments[i].Size
		}
	}
	first := &fragments[0]
	for i := range first.Samples[1:] {
		need -= len(first.Samples[i+1].Payload)
	}
	return &first.Samples[0], first.Base + uint64(int64(first.Samples[0].Offset)), need, nil
}

// span fetches a range, or all where there is none. A server that sends more is
// taken to mean it.
func (c *client) span(ctx context.Context, u *url.URL, r *playlist.ByteRange) *answer {
	if r == nil {
		return c.get(ctx, u, maxMedia, false)
	}
	from := max(r.Offset, 0)
	a := c.ask(ctx, u, maxMedia, http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", from, from+r.Length-1)}})
	switch {
	case a.err != nil:
	case a.status == http.StatusPartialContent:
		a.status = http.StatusOK
	case a.status == http.StatusOK && int64(len(a.body)) >= from+r.Length:
		a.body = a.body[from : from+r.Length]
	}
	return a
}

// iframeRules judge I-frame playlists.
var iframeRules = []rule{
	{"iframe-playlists", "Apple 6.1", false, "there are I-frame playlists beside video", func(p *presentation, v *verdict) {
		if p.m == nil || p.sealed() {
			return
		}
		for i := range p.m.Variants {
			if p.m.Variants[i].Width > 0 {
				v.applies()
				if len(p.m.IFrames) == 0 {
					v.broken(nil, "no EXT-X-I-FRAME-STREAM-INF")
				}
				return
			}
		}
	}},
	{"iframe-attributes", "Apple 9.1", true, "EXT-X-I-FRAME-STREAM-INF has CODECS and RESOLUTION", func(p *presentation, v *verdict) {
		for _, f := range p.iframes {
			v.applies()
			if f.variant.Codecs == "" || f.variant.Width == 0 {
				v.broken(f.followed, "CODECS %q, RESOLUTION %dx%d", f.variant.Codecs, f.variant.Width, f.variant.Height)
			}
		}
	}},
	{"iframes-only", "4.4.3.6", true, "what EXT-X-I-FRAME-STREAM-INF names is a playlist with EXT-X-I-FRAMES-ONLY", func(p *presentation, v *verdict) {
		for _, f := range p.iframes {
			v.applies()
			switch {
			case f.seen.m == nil:
				v.broken(f.followed, "%s %v", f.seen.said(), f.seen.bad)
			case !f.seen.m.IFramesOnly:
				v.broken(f.followed, "the tag is not there")
			}
		}
	}},
	{"iframe-range", "Apple 6.10", true, "an entry of an I-frame playlist is a range that holds all of its picture and, in fMP4, begins with its moof", func(p *presentation, v *verdict) {
		p.eachPicture(func(f *iframes, pic *picture) {
			if !pic.ok() {
				v.broken(f.followed, "%s answers %s", pic.entry.URI, pic.said())
				return
			}
			if pic.timescale == 0 {
				return
			}
			v.applies()
			switch {
			case pic.sample == nil:
				v.broken(f.followed, "%s: %v", pic.entry.URI, pic.bad)
			case pic.need > len(pic.body):
				v.broken(f.followed, "%s: the picture ends %d bytes behind the range", pic.entry.URI, pic.need-len(pic.body))
			}
		})
	}},
	{"iframe-key", "4.4.3.6", true, "each entry of an I-frame playlist is an I-frame", func(p *presentation, v *verdict) {
		p.eachPicture(func(f *iframes, pic *picture) {
			if pic.sample != nil {
				v.applies()
				if !pic.sample.Key {
					v.broken(f.followed, "%s is none", pic.entry.URI)
				}
			}
		})
	}},
	{"iframe-extinf", "4.4.3.6", true, "EXTINF of an I-frame lasts until the next one", func(p *presentation, v *verdict) {
		for _, f := range p.iframes {
			for i, pic := range f.pictures {
				if i+1 == len(f.pictures) || !pic.next || pic.sample == nil || pic.timescale == 0 || f.pictures[i+1].sample == nil {
					continue
				}
				v.applies()
				apart := int64(f.pictures[i+1].at) - int64(pic.at)
				if isTransport(pic.body) && apart < 0 {
					apart += transportWrap
				}
				lasts := ticks(apart, pic.timescale)
				if off := lasts - pic.entry.Duration; off.Abs() > 100*time.Millisecond {
					v.broken(f.followed, "%s: EXTINF %v, the next picture is shown after %v", pic.entry.URI, pic.entry.Duration, lasts)
				}
			}
		}
	}},
	{"iframe-target", "Apple 6.11", true, "a live I-frame playlist has the TARGETDURATION of the others", func(p *presentation, v *verdict) {
		p.eachBeside(func(f *iframes, beside *playlist.Media) {
			v.applies()
			if got := f.seen.m.TargetDuration; p.live && got != beside.TargetDuration {
				v.broken(f.followed, "%d, elsewhere %d", got, beside.TargetDuration)
			}
		})
	}},
	{"iframe-control", "6.2.4", true, "an I-frame playlist has the EXT-X-SERVER-CONTROL of the others", func(p *presentation, v *verdict) {
		p.eachBeside(func(f *iframes, beside *playlist.Media) {
			a, b := beside.ServerControl, f.seen.m.ServerControl
			if a == nil && b == nil {
				return
			}
			v.applies()
			if a == nil || b == nil || *a != *b {
				v.broken(f.followed, "%+v, elsewhere %+v", deref(b), deref(a))
			}
		})
	}},
	{"iframe-parts", "4.4.4.9", false, "an I-frame playlist has no parts", func(p *presentation, v *verdict) {
		for _, f := range p.iframes {
			if f.seen.m != nil {
				v.applies()
				if f.seen.hasParts() {
					v.broken(f.followed, "there are some")
				}
			}
		}
	}},
	{"iframe-blocks", "6.2.5.2", false, "an I-frame playlist blocks where the others do", func(p *presentation, v *verdict) {
		for _, f := range p.iframes {
			if f.waited == nil {
				continue
			}
			v.applies()
			if l := f.waited; l.m == nil || !l.m.EndList && l.end() <= f.before.end() {
				v.broken(f.followed, "%s: %s after %v, with nothing new", l.query, l.said(), l.took.Round(time.Millisecond))
			}
		}
	}},
}

// eachPicture calls check with every picture looked at.
func (p *presentation) eachPicture(check func(*iframes, *picture)) {
	for _, f := range p.iframes {
		for _, pic := range f.pictures {
			check(f, pic)
		}
	}
}

// eachBeside calls check with every I-frame playlist and the first media
// playlist as it was at first.
func (p *presentation) eachBeside(check func(f *iframes, beside *playlist.Media)) {
	for _, other := range p.list {
		all := other.read()
		if len(all) == 0 {
			continue
		}
		for _, f := range p.iframes {
			if f.seen.m != nil {
				check(f, all[0].m)
			}
		}
		return
	}
}
