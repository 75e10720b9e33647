package status

import (
	"errors"
	"time"
)

// What marking a stream answers beside ErrNotFound.
var (
	ErrBadMarker    = errors.New("bad marker")
	ErrMarkerID     = errors.New("the marker's id is taken")
	ErrNoMarker     = errors.New("no date range with that id goes on")
	ErrManyMarkers  = errors.New("too many markers")
	ErrMarkersEnded = errors.New("the stream has ended")
)

// Marker asks for something to be marked on a stream: a date range, which
// players and the playlists know by its ID, or timed metadata where ID3, Text or
// Private is set.
type Marker struct {
	ID    string `json:"id,omitempty" maxLength:"255" doc:"Names the date range for as long as the stream lives; made where it is absent. The same one again adds to what is known of the range" example:"break-7"`
	Class string `json:"class,omitempty" maxLength:"255" doc:"What sort of range it is" example:"org.example.ad"`
	Start string `json:"start,omitempty" doc:"now, which is what it is where it is absent; a date as RFC 3339 writes it, or a distance from now like +5s and -1.5s" example:"+5s"`

	Duration *float64 `json:"duration,omitempty" minimum:"0" maximum:"31622400" doc:"Seconds; an instant where this, planned, open and endOnNext are absent" example:"30"`
	Planned  float64  `json:"planned,omitempty" minimum:"0" maximum:"31622400" doc:"Seconds that the range is meant to last; it goes on until it is ended"`
	Open     bool     `json:"open,omitempty" doc:"It goes on until it is ended"`

	EndOnNext  bool           `json:"endOnNext,omitempty" doc:"It ends where the next one of its class begins"`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Attributes of your own, texts and numbers, by names that begin with X-" example:"{\"X-AD-ID\":\"4711\"}"`
	SCTE35     *SCTE35        `json:"scte35,omitempty"`

	Text    map[string]string `json:"text,omitempty" doc:"Timed metadata: texts by name, as TXXX frames of an ID3 tag" example:"{\"title\":\"Song\"}"`
	Private *Private          `json:"private,omitempty" doc:"Timed metadata: a PRIV frame of an ID3 tag"`
	ID3     []byte            `json:"id3,omitempty" doc:"Timed metadata: a whole ID3v2 tag, base64"`
}

// MarkerEnd ends a date range that goes on.
type MarkerEnd struct {
	End      string   `json:"end,omitempty" doc:"now, which is what it is where it is absent; a date as RFC 3339 writes it; or a distance from now like +5s and -1.5s" example:"now"`
	Duration *float64 `json:"duration,omitempty" minimum:"0" maximum:"31622400" doc:"Seconds that it has lasted, in place of end"`

	Attributes map[string]any `json:"attributes,omitempty" doc:"More attributes of your own, by names that begin with X-"`
	SCTE35     *SCTE35        `json:"scte35,omitempty"`
}

// SCTE35 are splice_info_sections.
type SCTE35 struct {
	Command []byte `json:"command,omitempty" doc:"splice_info_section that concerns the range, base64"`
	Out     []byte `json:"out,omitempty" doc:"splice_info_section that begins the break, base64"`
	In      []byte `json:"in,omitempty" doc:"splice_info_section that ends the break, base64"`
}

// Private is data that its owner understands.
type Private struct {
	Owner string `json:"owner" minLength:"1" maxLength:"255" doc:"Who understands the data: a URL or address" example:"org.example"`
	Data  []byte `json:"data" doc:"base64"`
}

// Marked is a marker with its place on a stream.
type Marked struct {
	ID    string    `json:"id,omitempty" doc:"Absent for timed metadata"`
	Class string    `json:"class,omitempty"`
	Kind  string    `json:"kind" enum:"daterange,metadata"`
	Start time.Time `json:"start,omitzero" doc:"By the dates of the playlists; absent before the stream has media"`

	Duration  *float64 `json:"duration,omitempty" doc:"Seconds; absent while it is not known"`
	Planned   float64  `json:"planned,omitempty" doc:"Seconds"`
	EndOnNext bool     `json:"endOnNext,omitempty"`

	Attributes map[string]any `json:"attributes,omitempty"`
	SCTE35     *SCTE35        `json:"scte35,omitempty"`
}
