package wire

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/millrace/millrace/internal/media"
)

// HLS is the shape of a stream's playlists as far as a script may choose it.
// In a ScriptJob it is what the configuration says; in Renditions only what
// the script asked for is set. Times are nanoseconds.
type HLS struct {
	Segment    int64  `json:"segment,omitempty"`
	Part       int64  `json:"part,omitempty"`
	Window     int64  `json:"window,omitempty"`
	DVR        int64  `json:"dvr,omitempty"`
	Container  string `json:"container,omitempty"`
	LowLatency *bool  `json:"lowLatency,omitempty"`
}

// ScriptJob is what a script worker is told first, and once.
type ScriptJob struct {
	Name   string `json:"name"`   // the stream's path
	Script string `json:"script"` // absolute path of the script

	// Tracks are the source's as the script first sees them.
	Tracks []media.Track `json:"tracks"`
	Live   bool          `json:"live"`

	// Policy plans the renditions where the script does not say which; it is
	// the JSON of a transcode.Policy.
	Policy string `json:"policy"`
	HLS    HLS    `json:"hls"`
	// Fixed says that viewers have playlists of this shape already, which a
	// script cannot change any more.
	Fixed bool `json:"fixed,omitempty"`

	// After is the media time, in ns, that viewers have already: the first
	// segment starts there or later.
	After int64 `json:"after,omitempty"`
	// Standby has nothing put out before a Handover says from when on.
	Standby bool `json:"standby,omitempty"`

	// Origin is the wall clock, in Unix ns, at which packets arrived whose
	// Arrival is 0.
	Origin int64 `json:"origin"`

	// Env are the environment variables that the script may see.
	Env map[string]string `json:"env,omitempty"`
}

// Presence says whether the publisher is there. While it is not, a script may
// go on with media of its own.
type Presence struct {
	Here bool `json:"here"`
}

// SenderClock tells the publisher's own clock, where the dates of a stream are
// to follow it. It comes before the packets that it holds for.
type SenderClock struct {
	// Zero is its date of media time zero, in Unix ns; 0 where it is not known
	// at present, after its time broke.
	Zero int64 `json:"zero"`
	// Anew says that the packets of the next epoch are another publisher's.
	Anew bool `json:"anew,omitempty"`
}

// Handover names the media time at which one script worker takes over from
// another; each gets it before it gets the source's packet of that time. The
// one that is to leave cuts there, puts out all that comes before and answers
// Handed; the other, in standby so far, begins its first segment there.
type Handover struct {
	PTS       int64 `json:"pts"`
	ClockRate int   `json:"clockRate"`
	Leave     bool  `json:"leave,omitempty"`
}

// Handed answers a Handover that asked to leave. Nothing follows but what ends
// the conversation.
type Handed struct{}

// Files names what a script was made of: another version of any of them is
// another script. It is sent once, before the script runs.
type Files struct {
	Paths []string `json:"paths"` // absolute
}

// GivenUp tells what the ladder of a script worker gives up, from its next Cut
// on, because its encoders do not keep up; all zero where they do again.
type GivenUp struct {
	Level        int      `json:"level"`
	Preset       string   `json:"preset,omitempty"`
	Off          []string `json:"off,omitempty"` // renditions
	FrameDivisor int      `json:"frameDivisor,omitempty"`
}

// Renditions is what a script worker makes from its next Cut on. It may be
// sent again before the first Cut of a discontinuity.
type Renditions struct {
	Renditions []Rendition `json:"renditions"`
	// Dependent says that segments may start without a keyframe.
	Dependent bool `json:"dependent,omitempty"`
	// HLS is what the script's options ask for.
	HLS HLS `json:"hls"`
	// Cost is how many cores its ladder is going to keep busy.
	Cost float64 `json:"cost,omitempty"`
}

// Rendition is one of Renditions.
type Rendition struct {
	Name           string         `json:"name"`
	Kind           media.Kind     `json:"kind"`
	Codec          media.Codec    `json:"codec"`
	Copy           bool           `json:"copy,omitempty"` // put out as the script gave it
	Source         int            `json:"source"`         // track of the script's output
	Width          int            `json:"width,omitempty"`
	Height         int            `json:"height,omitempty"`
	FPS            media.Rational `json:"fps"`
	SampleRate     int            `json:"sampleRate,omitempty"`
	Channels       int            `json:"channels,omitempty"`
	Bitrate        int            `json:"bitrate,omitempty"`
	AverageBitrate int            `json:"averageBitrate,omitempty"`
	Language       string         `json:"language,omitempty"`
	Group          string         `json:"group,omitempty"`
	Title          string         `json:"title,omitempty"`
	Default        bool           `json:"default,omitempty"`
}

// Suspended says that nothing will come of what a script worker was given
// before the publisher left: open segments may be closed. What comes later
// begins with another discontinuity.
type Suspended struct{}

// Script is something that an app and a pipeline script say to each other. It
// goes both ways.
type Script struct {
	Topic string `json:"topic"`
	// Body is JSON and then blobs, for which the JSON has placeholders. Sizes
	// are their lengths, the JSON's first.
	Sizes []int  `json:"sizes"`
	Body  []byte `json:"-"`
}

// Bounds of what scripts send.
const (
	// MaxMessage is the largest message between app and pipeline, blobs
	// included.
	MaxMessage    = 1 << 20
	maxRenditions = 32
	maxBlobs      = 256
	maxEnv        = 256
	maxFiles      = 10_000
)

// Type implements Message.
func (*ScriptJob) Type() Type { return TypeScriptJob }

// Type implements Message.
func (*Presence) Type() Type { return TypePresence }

// Type implements Message.
func (*SenderClock) Type() Type { return TypeSenderClock }

// Type implements Message.
func (*Handover) Type() Type { return TypeHandover }

// Type implements Message.
func (*Handed) Type() Type { return TypeHanded }

// Type implements Message.
func (*Files) Type() Type { return TypeFiles }

// Type implements Message.
func (*GivenUp) Type() Type { return TypeGivenUp }

// Type implements Message.
func (*Renditions) Type() Type { return TypeRenditions }

// Type implements Message.
func (*Suspended) Type() Type { return TypeSuspended }

// Type implements Message.
func (*Script) Type() Type { return TypeScript }

func (j *ScriptJob) validate() error {
	switch {
	case !filepath.IsAbs(j.Script):
		return fmt.Errorf("script %q is no absolute path", j.Script)
	case len(j.Tracks) > MaxNodes:
		return fmt.Errorf("%d tracks", len(j.Tracks))
	case len(j.Env) > maxEnv:
		return fmt.Errorf("%d variables", len(j.Env))
	case j.After < 0:
		return errors.New("a negative time")
	}
	for i := range j.Tracks {
		if err := validateTrack(&j.Tracks[i]); err != nil {
			return err
		}
	}
	return j.HLS.validate()
}

func (h *HLS) validate() error {
	const most = 30 * 24 * 3600 * int64(1e9)
	for _, d := range []int64{h.Segment, h.Part, h.Window, h.DVR} {
		if d < 0 || d > most {
			return fmt.Errorf("a time of %d ns in hls", d)
		}
	}
	switch h.Container {
	case "", "fmp4", "ts":
		return nil
	}
	return fmt.Errorf("a container %q", h.Container)
}

func (r *Renditions) validate() error {
	if math.IsNaN(r.Cost) || r.Cost < 0 || r.Cost > 10_000 {
		return fmt.Errorf("a cost of %v cores", r.Cost)
	}
	if len(r.Renditions) == 0 || len(r.Renditions) > maxRenditions {
		return fmt.Errorf("%d renditions", len(r.Renditions))
	}
	for i := range r.Renditions {
		if err := r.Renditions[i].validate(); err != nil {
			return fmt.Errorf("rendition %q: %w", r.Renditions[i].Name, err)
		}
	}
	return r.HLS.validate()
}

func (r *Rendition) validate() error {
	switch {
	case r.Name == "" || len(r.Name) > MaxName || len(r.Language) > MaxName || len(r.Codec) > MaxName:
		return errors.New("no usable name, codec or language")
	case len(r.Group) > MaxName || len(r.Title) > MaxName:
		return errors.New("too long a group or title")
	case r.Kind != media.Video && r.Kind != media.Audio:
		return fmt.Errorf("kind %d", r.Kind)
	case r.Bitrate < 0 || r.AverageBitrate < 0 || r.Width < 0 || r.Height < 0 || r.SampleRate < 0 || r.Channels < 0:
		return errors.New("a negative number")
	case r.Width > MaxSide || r.Height > MaxSide:
		return fmt.Errorf("%dx%d", r.Width, r.Height)
	}
	return rational("frame rate", r.FPS)
}

// Check says what is wrong with a message before it is sent.
func (s *Script) Check() error {
	if s.Topic == "" || len(s.Topic) > MaxName {
		return errors.New("a message without a usable topic")
	}
	if len(s.Sizes) == 0 || len(s.Sizes) > maxBlobs {
		return fmt.Errorf("a message of %d parts", len(s.Sizes))
	}
	if len(s.Body) > MaxMessage {
		return fmt.Errorf("a message of %d bytes, at most %d are carried", len(s.Body), MaxMessage)
	}
	total := 0
	for _, n := range s.Sizes {
		if n < 0 || n > MaxMessage {
			return fmt.Errorf("a part of %d bytes", n)
		}
		total += n
	}
	if total != len(s.Body) {
		return fmt.Errorf("parts of %d bytes in a message of %d", total, len(s.Body))
	}
	return nil
}
