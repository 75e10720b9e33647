package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/millrace/millrace/internal/media"
)

// MaxSounds is the most audio tracks that can be given a name.
const MaxSounds = 16

// Sounds say what to call audio tracks. It is comparable.
type Sounds struct {
	n    int
	list [MaxSounds]Sound
}

// Sound says what to call one audio track.
type Sound struct {
	Track    int    `key:"track" reload:"streams" range:"1 64" doc:"Which one, among the publisher's audio tracks, from 1."`
	Name     string `key:"name" reload:"streams" doc:"What viewers are shown; without one, Audio and the number."`
	Language string `key:"language" reload:"streams" doc:"Language as a BCP 47 tag (en, pt-BR); without one, what the publisher says."`
}

// List returns what was written.
func (s Sounds) List() []Sound { return slices.Clone(s.list[:s.n]) }

// decode reads a list of {track: …, name: …, language: …}.
func (s *Sounds) decode(d *decoder, n *node, path string) {
	if n.kind != listNode {
		d.errorf(n, path, "expected a list of {track: …, name: …}, got %s", n.describe(path))
		return
	}
	var made Sounds
	before := d.count
	d.list(n, path, func(item *node, at string) {
		sound, ok := decodeSound(d, item, at, made.list[:made.n])
		switch {
		case !ok:
		case made.n == MaxSounds:
			d.errorf(item, at, "there are more than %d; that many tracks can be named", MaxSounds)
		default:
			made.list[made.n] = sound
			made.n++
		}
	})
	if d.count == before {
		*s = made
	}
}

func decodeSound(d *decoder, n *node, path string, above []Sound) (Sound, bool) {
	var s Sound
	before := d.count
	d.structure(n, &s, path)
	if d.count > before {
		return s, false
	}
	if s.Track == 0 {
		d.errorf(n, path, "says of no track what to call it; write track: 1 for the first")
	}
	if err := checkTitle(s.Name); err != nil {
		d.errorf(n.get("name", n), path+".name", "%v", err)
	}
	if s.Language != "" && !media.ValidLanguage(s.Language) {
		d.errorf(n.get("language", n), path+".language", "%q is not a language tag; write en, pt-BR or the like", s.Language)
	}
	for _, o := range above {
		if o.Track == s.Track {
			d.errorf(n.get("track", n), path+".track", "track %d was named above", s.Track)
		}
		if o.Name == s.Name && s.Name != "" {
			d.errorf(n.get("name", n), path+".name", "a second track is called %q; give each a name of its own", s.Name)
		}
	}
	return s, d.count == before
}

// checkTitle allows what may stand in a quoted attribute (RFC 8216bis §4.2).
func checkTitle(name string) error {
	const most = 64
	switch {
	case len(name) > most:
		return fmt.Errorf("name of %d bytes; %d are the most", len(name), most)
	case strings.ContainsRune(name, '"') || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%q: quotes cannot be in a name", name)
	}
	return nil
}
