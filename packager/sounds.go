package packager

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/packager/playlist"
)

// sounds is a group of audio renditions (EXT-X-MEDIA).
type sounds struct {
	id      string
	members []member
}

// member is a rendition as the groups call it, which is the same in each.
type member struct {
	*rendition
	title string
	like  *shown // whose language and default it has
}

func group(r *rendition) string {
	if r.shown.spec.Group != "" {
		return r.shown.spec.Group
	}
	return "audio"
}

func title(r *rendition) string {
	return cmp.Or(r.shown.spec.Title, r.shown.spec.Language, r.name)
}

// groupsOf makes the groups. All have the same members (RFC 8216bis
// §4.4.6.1.1): the first group says which, and where another one has no
// rendition of the same title, that of the first stands in. The caller holds
// Presentation.mu.
func groupsOf(audio []*rendition) []sounds {
	if len(audio) == 0 {
		return nil
	}
	first := sounds{id: group(audio[0])}
	for _, r := range audio {
		if group(r) != first.id {
			continue
		}
		m := member{r, title(r), &r.shown}
		if slices.ContainsFunc(first.members, func(o member) bool { return o.title == m.title }) {
			m.title = r.name
		}
		first.members = append(first.members, m)
	}
	groups := []sounds{first}
	for _, r := range audio {
		id := group(r)
		if slices.ContainsFunc(groups, func(g sounds) bool { return g.id == id }) {
			continue
		}
		g, own := sounds{id: id, members: slices.Clone(first.members)}, false
		for i := range g.members {
			m := &g.members[i]
			j := slices.IndexFunc(audio, func(o *rendition) bool { return group(o) == id && title(o) == m.title })
			if j >= 0 {
				m.rendition, own = audio[j], true
			}
		}
		if own {
			groups = append(groups, g)
		}
	}
	return groups
}

// list is the group as the playlist has it: one member is the default.
func (g sounds) list() []playlist.Rendition {
	var out []playlist.Rendition
	for _, m := range g.members {
		out = append(out, playlist.Rendition{
			Type: "AUDIO", GroupID: g.id, Name: m.title, Language: m.like.spec.Language, Autoselect: true,
			Channels: strconv.Itoa(m.shown.channels), URI: m.name + "/" + mediaFile,
		})
	}
	out[g.first()].Default = true
	return out
}

// first is the member that players begin with.
func (g sounds) first() int {
	return max(0, slices.IndexFunc(g.members, func(m member) bool { return m.like.spec.Default }))
}

// with adds the group to a variant: its largest member to the bandwidth (Apple
// 9.13), all its codings to CODECS (RFC 8216bis §6.2.4).
func (g sounds) with(v playlist.Variant) playlist.Variant {
	peak, average, codecs := g.rates()
	v.Audio = g.id
	v.Bandwidth += peak
	v.AverageBandwidth += average
	v.Codecs = strings.Join(append([]string{v.Codecs}, codecs...), ",")
	return v
}

// rates are those of the largest members, and all their codings.
func (g sounds) rates() (peak, average int, codecs []string) {
	for _, m := range g.members {
		sh := &m.shown
		peak = max(peak, sh.bandwidth)
		average = max(average, min(shownAverage(sh), sh.bandwidth))
		if !slices.Contains(codecs, sh.codecs) {
			codecs = append(codecs, sh.codecs)
		}
	}
	return peak, average, codecs
}

// alone is the group as a variant without a picture: it is its own main media.
func (g sounds) alone() playlist.Variant {
	peak, average, codecs := g.rates()
	return playlist.Variant{
		Bandwidth: peak, AverageBandwidth: average, Codecs: strings.Join(codecs, ","), Audio: g.id,
		URI: g.members[g.first()].name + "/" + mediaFile,
	}
}

// listSounds lists what has no picture at all: a variant for each group. Where
// there is no choice within groups, nothing has to be said of them. The first
// is what everybody can play.
func listSounds(m *playlist.Multivariant, groups []sounds) {
	for _, g := range groups {
		v := g.alone()
		if len(g.members) == 1 {
			v.Audio = ""
		} else {
			m.Renditions = append(m.Renditions, g.list()...)
		}
		m.Variants = append(m.Variants, v)
	}
}
