package wire

import "github.com/millrace/millrace/internal/media"

// Info is what is in a file or behind a URL, as `millrace probe --json` prints
// it. Times are seconds; zero means unknown throughout.
type Info struct {
	Container string       `json:"container"` // libavformat's short name, "mov,mp4,m4a,3gp,3g2,mj2"
	Duration  float64      `json:"duration,omitempty"`
	Bitrate   int          `json:"bitrate,omitempty"` // bits/s
	Size      int64        `json:"size,omitempty"`    // bytes
	Streams   []StreamInfo `json:"streams"`
}

// StreamInfo is one elementary stream of an input.
type StreamInfo struct {
	Index    int         `json:"index"`
	Kind     string      `json:"kind"` // "video", "audio", "subtitle", "data"
	Codec    media.Codec `json:"codec"`
	Profile  string      `json:"profile,omitempty"` // in words: "High"
	Level    int         `json:"level,omitempty"`   // as the codec counts: 31 is 3.1 for H.264
	Bitrate  int         `json:"bitrate,omitempty"`
	Duration float64     `json:"duration,omitempty"`
	Language string      `json:"language,omitempty"`

	// Usable reports whether the stream can be a source track; Track is the
	// ID it has then, which Open gives it too.
	Usable bool `json:"usable"`
	Track  int  `json:"track"`

	Width        int     `json:"width,omitempty"`
	Height       int     `json:"height,omitempty"`
	SampleAspect string  `json:"sampleAspect,omitempty"` // "16:15"; left out when square or unknown
	Rotation     int     `json:"rotation,omitempty"`     // degrees clockwise
	FrameRate    string  `json:"frameRate,omitempty"`    // "30000/1001"
	FPS          float64 `json:"fps,omitempty"`          // the same, for people
	Interlaced   bool    `json:"interlaced,omitempty"`
	BitDepth     int     `json:"bitDepth,omitempty"`
	Chroma       string  `json:"chroma,omitempty"` // "4:2:0"
	BFrames      bool    `json:"bFrames,omitempty"`

	SampleRate int `json:"sampleRate,omitempty"`
	Channels   int `json:"channels,omitempty"`
}
