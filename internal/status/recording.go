package status

import (
	"errors"
	"time"
)

// What a keeper of recordings answers.
var (
	ErrNoRecording = errors.New("no such recording")
	ErrRecording   = errors.New("the recording is still being written")
)

// Recording is what a stream left behind.
type Recording struct {
	Path    string        `json:"path" doc:"The stream's path" example:"cam/front"`
	ID      string        `json:"id" doc:"Tells the stream's recordings apart: when it begins" example:"2026-01-31T20-15-00Z"`
	Start   time.Time     `json:"start" doc:"When it begins"`
	Seconds float64       `json:"duration" doc:"Seconds"`
	Size    int64         `json:"size" doc:"Bytes"`
	Writing bool          `json:"writing" doc:"It is still being written and cannot be played yet"`
	URLs    RecordingURLs `json:"urls"`
}

// RecordingURLs are absolute and work from where the client stands. Web fills
// them in.
type RecordingURLs struct {
	HLS   string `json:"hls,omitempty" doc:"Absent while it is being written"`
	Watch string `json:"watch,omitempty" doc:"Absent while it is being written"`
}
