package transcode

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/millrace/millrace/internal/media"
)

const (
	audioName    = "audio"
	audioBitrate = 128_000
	// audioRate is what sample rates that players or AAC do without become.
	audioRate = 48000
)

func (p *Plan) planAudio(besideVideo bool) error {
	number, titles := 0, map[string]bool{}
	several := p.usableAudio() > 1
	for _, t := range p.tracks {
		if t.Kind != media.Audio {
			continue
		}
		number++
		r, err := p.audioRendition(t)
		if err != nil && !besideVideo && p.usableAudio() == 0 {
			return fmt.Errorf("plan audio of track %s: %w", t, err)
		}
		if err != nil {
			p.notef("audio track %s is left out: %v", t, err)
			continue
		}
		p.title(&r, number, several, titles)
		r.Default = len(titles) == 1
		p.add(r)
	}
	p.planOriginals()
	return nil
}

// usableAudio is how many audio tracks can be made renditions of.
func (p *Plan) usableAudio() (n int) {
	for _, t := range p.tracks {
		if t.Kind != media.Audio {
			continue
		}
		if _, err := p.audioRendition(t); err == nil {
			n++
		}
	}
	return n
}

// title gives the rendition of audio track number a title that no other has
// (RFC 8216bis §4.4.6.1.1), and its language.
func (p *Plan) title(r *Rendition, number int, several bool, taken map[string]bool) {
	title := ""
	for _, s := range p.policy.Sounds {
		if s.Track == number {
			title, r.Language = s.Name, cmp.Or(s.Language, r.Language)
		}
	}
	if title == "" && !several {
		title = "Audio"
	}
	if title == "" || taken[title] {
		title = "Audio " + strconv.Itoa(number)
	}
	for n := 2; taken[title]; n++ { // somebody called another track so
		title = fmt.Sprintf("Audio %d (%d)", number, n)
	}
	taken[title], r.Title = true, title
}

func (p *Plan) audioRendition(t *media.Track) (Rendition, error) {
	if !decodable[t.Codec] {
		return Rendition{}, fmt.Errorf("%w: audio %s", ErrUnsupported, t.Codec)
	}
	if t.Codec == media.AAC && len(t.Config) < 2 {
		return Rendition{}, fmt.Errorf("%w: no AudioSpecificConfig", ErrIncomplete)
	}
	r := Rendition{
		Name: audioName, Kind: media.Audio, Source: t.ID, Codec: media.AAC, Language: media.LanguageTag(t.Language),
		SampleRate: t.SampleRate, Channels: t.Channels,
	}
	why := unplayableAudio(t)
	if why == "" && p.policy.TransportStream {
		why = untransportable(t)
	}
	if why != "" {
		r.Why = why
		r.Bitrate, r.Channels = audioBitrate, 2
		switch t.SampleRate {
		case 32000, 44100, 48000:
		default:
			r.SampleRate = audioRate
		}
		return r, nil
	}
	r.Why = "every player takes the source"
	r.Copy, r.Bitrate = true, t.Bitrate
	return r, nil
}

// originals are the audio codecs that some players take as they are: in fMP4,
// and whether in MPEG-TS too (Apple 1.5).
var originals = map[media.Codec]bool{media.Opus: false, media.FLAC: false, media.AC3: true, media.EAC3: true}

// planOriginals puts copies beside what is encoded to AAC. Each codec is a
// group of its own, which players choose by its CODECS.
func (p *Plan) planOriginals() {
	if !p.policy.Originals {
		return
	}
	for _, r := range slices.Clone(p.Renditions) {
		if r.Kind != media.Audio || r.Copy {
			continue
		}
		t := p.source(r.Source)
		inTS, offered := originals[t.Codec]
		if !offered || p.policy.TransportStream && !inTS || t.Codec != media.AC3 && len(t.Config) == 0 {
			continue // AC-3 tells in its frames what it is
		}
		r.Name = r.Name + "-" + string(t.Codec)
		r.Group = audioName + "-" + string(t.Codec)
		r.Codec, r.Copy, r.Bitrate, r.SampleRate, r.Channels = t.Codec, true, t.Bitrate, t.SampleRate, t.Channels
		r.Why = "players that take the source get it as it is"
		p.add(r)
	}
}
