package config

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/internal/media"
)

// MaxSubtitles is the most subtitle renditions that a stream may have.
const MaxSubtitles = 8

// Subtitles are the subtitle renditions of a stream. It is comparable.
type Subtitles struct {
	n    int
	list [MaxSubtitles]Subtitle
}

// Subtitle is one subtitle rendition, whose texts come over the API or from
// scripts.
type Subtitle struct {
	Name     string `key:"name" reload:"streams" doc:"Name in the players' menus; without one, the language."`
	Language string `key:"language" reload:"streams" doc:"Language tag: en, pt-BR. With -sdh and -forced behind it, where they are true, it is what the API and scripts call this rendition."`
	Default  bool   `key:"default" reload:"streams" doc:"Show it unless the viewer chooses otherwise."`
	Forced   bool   `key:"forced" reload:"streams" doc:"It holds what everybody has to read, such as signs in another language; players show it without being asked."`
	SDH      bool   `key:"sdh" reload:"streams" doc:"For the deaf and hard of hearing: it tells of sounds too."`
}

// ID is what the API and scripts call the rendition.
func (s Subtitle) ID() string {
	id := strings.ToLower(s.Language)
	if s.SDH {
		id += "-sdh"
	}
	if s.Forced {
		id += "-forced"
	}
	return id
}

// List returns the renditions as they are to be listed.
func (s Subtitles) List() []Subtitle { return slices.Clone(s.list[:s.n]) }

// decode reads a list of renditions.
func (s *Subtitles) decode(d *decoder, n *node, path string) {
	if n.kind == nullNode {
		return
	}
	if n.kind != listNode {
		d.errorf(n, path, "expected a list of {language: …}, got %s", n.describe(path))
		return
	}
	if len(n.items) > MaxSubtitles {
		d.errorf(n, path, "%d renditions; %d are the most", len(n.items), MaxSubtitles)
		return
	}
	*s = Subtitles{}
	d.list(n, path, func(item *node, at string) {
		var made Subtitle
		before := d.count
		d.structure(item, &made, at)
		if d.count > before {
			return
		}
		switch {
		case made.Language == "":
			d.errorf(item, at, "needs a language; write en, pt-BR or the like")
			return
		case !media.ValidLanguage(made.Language):
			d.errorf(item.get("language", item), at+".language", "%q is not a language tag; write en, pt-BR or the like", made.Language)
			return
		}
		if err := checkTitle(made.Name); err != nil {
			d.errorf(item.get("name", item), at+".name", "%v", err)
		}
		for _, other := range s.list[:s.n] {
			if other.ID() == made.ID() {
				d.errorf(item, at, "a second rendition is called %s; sdh and forced tell renditions of a language apart", made.ID())
			}
			if other.Default && made.Default {
				d.errorf(item.get("default", item), at+".default", "%s is the default already", other.ID())
			}
		}
		s.list[s.n] = made
		s.n++
	})
}
