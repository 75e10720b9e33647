package transcode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func language(l string) func(*media.Track) { return func(t *media.Track) { t.Language = l } }

// sounds is what a plan says of its audio renditions, one a line.
func sounds(p *Plan) string {
	var lines []string
	for _, r := range p.Renditions {
		if r.Kind != media.Audio {
			continue
		}
		line := fmt.Sprintf("%s of %d: %q %s", r.Name, r.Source, r.Title, r.Codec)
		for _, more := range []struct {
			there bool
			text  string
		}{{r.Copy, "copy"}, {r.Language != "", "in " + r.Language}, {r.Group != "", "beside, as " + r.Group}, {r.Default, "first"}} {
			if more.there {
				line += " " + more.text
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestSounds(t *testing.T) {
	const video = 0
	surround := func(t *media.Track) { t.Channels = 6 }
	dops := func(t *media.Track) { t.Config = []byte{0, 2} }
	for _, c := range []struct {
		name   string
		tracks []*media.Track
		policy Policy
		want   string
	}{
		{"one", []*media.Track{aac()}, Policy{}, `audio of 1: "Audio" aac copy first`},
		{"one that has a language", []*media.Track{aac(language("deu"))}, Policy{}, `audio of 1: "Audio" aac copy in de first`},
		{
			"two",
			[]*media.Track{aac(language("eng")), aac(id(2), language("fr"))},
			Policy{},
			"audio of 1: \"Audio 1\" aac copy in en first\naudio-2 of 2: \"Audio 2\" aac copy in fr",
		},
		{
			"named",
			[]*media.Track{aac(language("eng")), aac(id(2))},
			Policy{Sounds: []Sound{{Track: 2, Name: "Deutsch", Language: "de"}, {Track: 1, Name: "English"}, {Track: 7, Name: "nobody"}}},
			"audio of 1: \"English\" aac copy in en first\naudio-2 of 2: \"Deutsch\" aac copy in de",
		},
		{
			"some are named, as others would be called",
			[]*media.Track{aac(), aac(id(2)), aac(id(3))},
			Policy{Sounds: []Sound{{Track: 1, Name: "Audio 2"}, {Track: 3, Name: "Audio 2"}}},
			"audio of 1: \"Audio 2\" aac copy first\naudio-2 of 2: \"Audio 2 (2)\" aac copy\naudio-3 of 3: \"Audio 3\" aac copy",
		},
		{
			"numbers count what is left out",
			[]*media.Track{aac(codec("qcelp")), aac(id(2)), aac(id(3))},
			Policy{Sounds: []Sound{{Track: 3, Name: "Comment"}}},
			"audio of 2: \"Audio 2\" aac copy first\naudio-2 of 3: \"Comment\" aac copy",
		},
		{
			"originals of what is encoded",
			[]*media.Track{aac(codec(media.AC3), surround, language("en")), aac(id(2), codec(media.PCMU), rate(8000)), aac(id(3))},
			Policy{Originals: true},
			"audio of 1: \"Audio 1\" aac in en first\naudio-2 of 2: \"Audio 2\" aac\naudio-3 of 3: \"Audio 3\" aac copy\n" +
				"audio-ac3 of 1: \"Audio 1\" ac3 copy in en beside, as audio-ac3 first",
		},
		{
			"each codec is a group",
			[]*media.Track{aac(codec(media.Opus), dops), aac(id(2), codec(media.Opus), dops), aac(id(3), codec(media.FLAC), dops), aac(id(4), codec(media.EAC3), dops)},
			Policy{Originals: true},
			"audio of 1: \"Audio 1\" aac first\naudio-2 of 2: \"Audio 2\" aac\naudio-3 of 3: \"Audio 3\" aac\naudio-4 of 4: \"Audio 4\" aac\n" +
				"audio-opus of 1: \"Audio 1\" opus copy beside, as audio-opus first\naudio-2-opus of 2: \"Audio 2\" opus copy beside, as audio-opus\n" +
				"audio-3-flac of 3: \"Audio 3\" flac copy beside, as audio-flac\naudio-4-eac3 of 4: \"Audio 4\" eac3 copy beside, as audio-eac3",
		},
		{
			"MPEG-TS carries fewer",
			[]*media.Track{aac(codec(media.Opus), dops), aac(id(2), codec(media.AC3))},
			Policy{Originals: true, TransportStream: true},
			"audio of 1: \"Audio 1\" aac first\naudio-2 of 2: \"Audio 2\" aac\naudio-2-ac3 of 2: \"Audio 2\" ac3 copy beside, as audio-ac3",
		},
		{"unknown parameters", []*media.Track{aac(codec(media.Opus))}, Policy{Originals: true}, `audio of 1: "Audio" aac first`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := NewPlan(append([]*media.Track{h264(640, 360, id(video))}, c.tracks...), c.policy)
			if err != nil {
				t.Fatal(err)
			}
			if got := sounds(p); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			checkPlan(t, p)
		})
	}
}
