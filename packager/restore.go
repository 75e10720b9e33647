package packager

import (
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// restorable reports whether every planned rendition has a past, so that the
// long playlists begin together.
func (p *Presentation) restorable(rs []Rendition, pasts map[string][]Listed) bool {
	for _, spec := range rs {
		past := pasts[spec.Name]
		if len(past) == 0 || past[0].Kind != spec.Kind || past[0].Container != p.cfg.Container {
			return false
		}
	}
	return p.cfg.DVR > 0
}

// restore has a new rendition go on where an earlier presentation of the stream
// stopped: its segments stand in the long playlist, and the numbers go on.
// Parts of them are not known any more, nor need they be: they are long past.
func (r *rendition) restore(past []Listed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &window{changed: make(chan struct{}), segmented: make(chan struct{})}
	sections, keys := map[string]*initSection{}, map[[16]byte]*key{}
	for i := range past {
		l := &past[i]
		s := &segment{
			number: l.Number, discontinuity: l.Discontinuity, duration: l.Duration, wall: l.Wall,
			gap: l.Gap(), uri: r.segmentName(l.Number),
		}
		if !s.gap {
			section := sections[l.Init]
			if section == nil {
				section = restoredSection(l, r.text != nil || r.p.cfg.Container == TS)
				sections[l.Init] = section
			}
			s.key = restoredKey(l, keys)
			s.init, s.file, s.size, s.length, s.iframeSize = section, l.File, l.Size, length(int(l.Size)), l.IFrame
		}
		if i > 0 {
			s.discontinuities = int(s.discontinuity - past[i-1].Discontinuity)
		}
		w.held = append(w.held, s)
	}
	w.long = len(w.held)
	w.inits, w.keys = r.initsOf(w), w.keysOf()
	r.next = past[len(past)-1].Number + 1
	r.floor = r.next
	r.window.Store(w)
}

// discard gives up a past that does not fit what the stream is now.
func discard(past map[string][]Listed) {
	for _, list := range past {
		for _, l := range list {
			if l.File != nil {
				l.File.Remove()
			}
		}
	}
}

// restoredKey is the key of a segment; keys has those that others have.
func restoredKey(l *Listed, keys map[[16]byte]*key) *key {
	if l.Key == nil {
		return nil
	}
	k := keys[l.Key.ID]
	if k == nil {
		method := protect.AES128
		if l.KeyTag.Method == playlist.MethodSampleAES {
			method = protect.CBCS
		}
		k = &key{l.Key, method, l.KeyTag, l.Served}
		keys[l.Key.ID] = k
	}
	return k
}

func restoredSection(l *Listed, inBand bool) *initSection {
	section := &initSection{name: l.Init, plain: l.Init, bytes: l.Section, inBand: inBand}
	if b, err := fmp4.Unprotect(l.Section); err == nil {
		section.plain = sectionName(b)
	}
	return section
}
