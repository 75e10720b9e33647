package check

import (
	"bytes"
	"reflect"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// keyRules are about encryption.
var keyRules = []rule{
	{"keys-are-there", "5.1", true, "every key of KEYFORMAT identity can be fetched and has 16 bytes", func(p *presentation, v *verdict) {
		p.eachPiece(func(f *followed, uri string, s *piece) {
			switch k := s.lock.key; {
			case k == nil:
			case k.err != nil:
				v.applies()
				v.broken(f, "%s: key %s: %v", uri, k.url.Path, k.err)
			case !k.ok():
				v.applies()
				v.broken(f, "%s: key %s answers %d", uri, k.url.Path, k.status)
			default:
				v.applies()
				if len(k.body) != keySize {
					v.broken(f, "%s: key %s has %d bytes", uri, k.url.Path, len(k.body))
				}
			}
		})
	}},
	{"decrypts", "4.4.4.4", true, "what is encrypted can be decrypted with its key: whole blocks with their padding, or samples as their boxes tell", func(p *presentation, v *verdict) {
		p.eachPiece(func(f *followed, uri string, s *piece) {
			if k := s.lock.key; k != nil && k.ok() && len(k.body) == keySize && s.ok() {
				v.applies()
				if s.lock.refused != nil {
					v.broken(f, "%s: %v", uri, s.lock.refused)
				}
			}
		})
	}},
	{"keys-stay", "6.2.3", true, "the keys of a segment stay what they are as long as it is listed", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			known := map[uint64]playlist.InForce{}
			for _, l := range f.read() {
				if l.m.Skip != nil {
					continue
				}
				forces, _ := l.m.Keys()
				for i := range l.m.Segments {
					number := l.m.MediaSequence + uint64(i)
					old, seen := known[number]
					if l.m.Segments[i].Gap || len(old) == 0 && len(forces[i]) == 0 {
						continue
					}
					v.applies()
					if seen && !reflect.DeepEqual(old, forces[i]) {
						v.broken(f, "%s: %s became %s", l.m.Segments[i].URI, named(old), named(forces[i]))
					}
					known[number] = forces[i]
				}
			}
		}
	}},
	{"section-iv", "4.4.4.5", true, "an initialization section that AES-128 encrypts has an IV", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			_, sections := l.m.Keys()
			for i := range l.m.Segments {
				s := &l.m.Segments[i]
				if s.Map == nil || len(sections[i]) == 0 {
					continue
				}
				v.applies()
				if k := sections[i][0]; k.Method == playlist.MethodAES128 && k.IV == nil {
					v.broken(f, "%s stands behind EXT-X-KEY of %s, which has none", s.Map.URI, k.URI)
				}
			}
		})
	}},
}

// eachPiece calls check with all that was downloaded.
func (p *presentation) eachPiece(check func(f *followed, uri string, s *piece)) {
	for _, f := range p.list {
		for _, s := range f.segments {
			check(f, s.name(), s)
		}
		for uri, s := range f.parts {
			check(f, uri, s)
		}
	}
}

// sameInClear reports whether two initialization sections differ in their
// encryption only: each key may have its own.
func (f *followed) sameInClear(a, b string) bool {
	one, other := f.sections[a], f.sections[b]
	if one == nil || other == nil || !one.ok() || !other.ok() {
		return false
	}
	x, err := fmp4.Unprotect(one.body)
	y, err2 := fmp4.Unprotect(other.body)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// sealed reports whether segments are encrypted as a whole, so that no range of
// them can be decrypted.
func (p *presentation) sealed() bool {
	for _, f := range p.list {
		if l := f.newest(); l != nil {
			forces, _ := l.m.Keys()
			for _, keys := range forces {
				if len(keys) > 0 && keys[0].Method == playlist.MethodAES128 {
					return true
				}
			}
		}
	}
	return false
}

// named are keys as people read them.
func named(keys playlist.InForce) string {
	if len(keys) == 0 {
		return "no key"
	}
	return keys[0].Method + " " + keys[0].URI
}
