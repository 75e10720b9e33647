package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode/wire"
)

// Caption shows a text in the subtitles of a stream, as whoever uses the API or
// the app asks.
func (m *Manager) Caption(path, subtitles string, ask status.Cue) (status.Shown, error) {
	p := m.lookup(path)
	if p == nil {
		return status.Shown{}, status.ErrNotFound
	}
	return p.caption(subtitles, &ask, nil)
}

// caption puts a cue on what viewers see. Its time may be media time, in
// seconds.
func (p *Pipeline) caption(subtitles string, ask *status.Cue, at *float64) (status.Shown, error) {
	cue, err := cueOf(subtitles, ask, p.now())
	if err != nil {
		return status.Shown{}, fmt.Errorf("%w: %w", status.ErrBadCue, err)
	}
	if at != nil {
		cue.Date, cue.At = time.Time{}, seconds(*at)
	}
	pres, _ := p.presented()
	shown, err := pres.Caption(cue)
	if err != nil {
		return status.Shown{}, cueError(err, p.inForce().HLS.Subtitles)
	}
	return status.Shown{Subtitles: shown.Subtitles, Text: shown.Text, Start: shown.Date.UTC(), Duration: shown.Duration.Seconds()}, nil
}

// captionTopic is the topic under which a script says what it shows; see
// jsapi/builtin/src/millrace/pipeline.js.
const captionTopic = "millrace:caption"

// scriptCaption takes a cue of the stream's script.
func (p *Pipeline) scriptCaption(m *wire.Script) {
	var said struct {
		Subtitles string     `json:"subtitles"`
		Cue       status.Cue `json:"cue"`
		Time      *float64   `json:"time"` // media time, in seconds
	}
	err := json.Unmarshal(m.Body[:m.Sizes[0]], &said)
	if err == nil {
		_, err = p.caption(said.Subtitles, &said.Cue, said.Time)
	}
	if err != nil {
		p.log.Warn("a cue of the script is not taken", "err", err)
	}
}

// cueOf is what somebody asks for at a time.
func cueOf(subtitles string, ask *status.Cue, now time.Time) (media.Cue, error) {
	c := media.Cue{
		Subtitles: strings.ToLower(subtitles), Text: strings.NewReplacer("\r\n", "\n", "\t", " ").Replace(ask.Text),
		Line: ask.Line, Position: ask.Position, Align: ask.Align,
	}
	if ask.Duration != nil {
		if *ask.Duration <= 0 || *ask.Duration > 3600 { // before it is counted in nanoseconds
			return c, fmt.Errorf("a duration of %v seconds", *ask.Duration)
		}
		c.Duration = seconds(*ask.Duration)
	}
	var err error
	c.Date, err = readStart(ask.Start, now)
	return c, err
}

// cueError says to web what it has a status for.
func cueError(err error, there config.Subtitles) error {
	switch {
	case errors.Is(err, packager.ErrNoSubtitles):
		var ids []string
		for _, s := range there.List() {
			ids = append(ids, s.ID())
		}
		if len(ids) == 0 {
			return fmt.Errorf("%w: its configuration has no hls.subtitles", status.ErrNoSubtitles)
		}
		return fmt.Errorf("%w; it has %s", status.ErrNoSubtitles, strings.Join(ids, ", "))
	case errors.Is(err, media.ErrCue), errors.Is(err, packager.ErrLateCue):
		return fmt.Errorf("%w: %w", status.ErrBadCue, err)
	case errors.Is(err, packager.ErrTooMany):
		return fmt.Errorf("%w: %w", status.ErrManyCues, err)
	}
	return markError(err)
}

// subtitles are the packager's words for those of a configuration.
func subtitles(s config.Subtitles) []packager.Subtitles {
	var list []packager.Subtitles
	for _, one := range s.List() {
		list = append(list, packager.Subtitles{
			ID: one.ID(), Title: one.Name, Language: one.Language, Default: one.Default, Forced: one.Forced, SDH: one.SDH,
		})
	}
	return list
}

// subtitled reports whether a rendition of subtitles has that name in URLs.
func (p *Pipeline) subtitled(name string) bool {
	id, ok := strings.CutPrefix(name, packager.SubtitlesPrefix)
	return ok && slices.ContainsFunc(p.set.HLS.Subtitles.List(), func(s config.Subtitle) bool { return s.ID() == id })
}
