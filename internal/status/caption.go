package status

import (
	"errors"
	"time"
)

// What captioning a stream answers beside ErrNotFound and ErrMarkersEnded.
var (
	ErrBadCue      = errors.New("bad cue")
	ErrNoSubtitles = errors.New("the stream has no such subtitles")
	ErrManyCues    = errors.New("too many cues")
)

// Cue asks for a text to be shown in a stream's subtitles.
type Cue struct {
	Text     string   `json:"text" minLength:"1" maxLength:"1000" doc:"Plain text, lines separated by \\n; nothing in it is markup" example:"Good evening."`
	Start    string   `json:"start,omitempty" doc:"now, which is what it is where it is absent; a date as RFC 3339 writes it, or a distance from now like +5s and -1.5s. What comes late is shown from when it can be" example:"-1.5s"`
	Duration *float64 `json:"duration,omitempty" minimum:"0" maximum:"600" doc:"Seconds; as long as it takes to read where it is absent" example:"4"`
	Line     *float64 `json:"line,omitempty" minimum:"0" maximum:"100" doc:"Percent of the picture's height, from above"`
	Position *float64 `json:"position,omitempty" minimum:"0" maximum:"100" doc:"Percent of the picture's width, from the left"`
	Align    string   `json:"align,omitempty" enum:"start,center,end,left,right" doc:"How the lines stand to each other"`
}

// Shown is a cue with its place on a stream.
type Shown struct {
	Subtitles string    `json:"subtitles" doc:"The rendition" example:"en"`
	Text      string    `json:"text"`
	Start     time.Time `json:"start,omitzero" doc:"By the dates of the playlists; absent before the stream has media"`
	Duration  float64   `json:"duration" doc:"Seconds"`
}
