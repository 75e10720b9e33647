package transcode

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Mode says how renditions are chosen.
type Mode string

// The modes. The zero Mode is Auto.
const (
	Auto        Mode = "auto"        // by the source: see NewPlan
	Passthrough Mode = "passthrough" // video as it is; audio that players cannot take as AAC
	Explicit    Mode = "list"        // as Policy.Rungs says
)

// Policy is what the operator wants of one stream's renditions.
type Policy struct {
	Mode  Mode
	Rungs []Rung // Explicit only, top first

	// Segment is the aim for the length of segments; 0 means 2 s.
	Segment time.Duration

	Encoder Encoder

	// Live sources drop rather than block, and degrade rather than fall
	// behind. LowLatency has frames leave encoders as they are made, for
	// which it gives up look-ahead and B-frames; it needs Live.
	Live       bool
	LowLatency bool

	// EveryVideo makes a rendition of each video track, not of the first one
	// alone: they are the same picture, coded by somebody else, with keyframes
	// at the same times.
	EveryVideo bool

	// Sounds say what to call the audio tracks.
	Sounds []Sound

	// Originals has sound that is encoded to AAC offered as it came too, where
	// the container carries it and there are players for it.
	Originals bool

	// TransportStream says that segments are MPEG-TS: what it cannot carry is
	// encoded, and refused where it has to be copied.
	TransportStream bool

	// GOPTooLong says that the source's keyframes are too far apart for
	// segments to start at them: the top rung is encoded, not copied.
	GOPTooLong bool

	// Cores is the number of cores of the machine; 0 asks it. It decides how
	// many threads decoders and encoders get.
	Cores int
}

// Rung is one video rendition as the operator asks for it. Zero fields are
// chosen by the planner.
type Rung struct {
	// Name is the rendition's name in URLs; empty means the height with a p.
	Name string

	// Height is the short side of the picture as shown, so that 720 is
	// 1280x720 of a landscape source and 720x1280 of a portrait one; odd
	// numbers lose a line. Without Width the long side follows the source's
	// display aspect. Width and Height together are a box of the source's
	// orientation into which its picture is fitted. A source smaller than
	// the rung is never enlarged: the rung is left out, or made in the
	// source's size where no other rung fits.
	Height, Width int

	Bitrate int            // bits/s on average
	FPS     media.Rational // at most; frames are dropped, never made
	Codec   media.Codec    // H264 (or empty), or Copy
}

// Sound says what to call one audio track of the source.
type Sound struct {
	Track    int    // among the source's audio tracks, from 1
	Name     string // that viewers are shown; empty: by its number
	Language string // BCP 47; empty: as the source says
}

// Copy as a Rung's codec passes the source's video through.
const Copy media.Codec = "copy"

// Encoder says how what is encoded is encoded.
type Encoder struct {
	Threads int    // of each video encoder; 0 chooses by rendition and machine
	Nice    int    // of the worker process, 0 to 19
	Preset  string // x264's; empty means veryfast
}

const (
	defaultSegment = 2 * time.Second
	defaultPreset  = "veryfast"
)

// presets are x264's, cheapest first, with the CPU each takes beside veryfast.
var presets = []struct {
	name string
	cost float64
}{
	{"ultrafast", 0.45},
	{"superfast", 0.7},
	{"veryfast", 1},
	{"faster", 1.5},
	{"fast", 1.9},
	{"medium", 2.3},
	{"slow", 3.5},
	{"slower", 6},
	{"veryslow", 10},
	{"placebo", 20},
}

func presetIndex(name string) int {
	for i, p := range presets {
		if p.name == name {
			return i
		}
	}
	return -1
}

// Check reports what is wrong with p whatever the source. NewPlan calls it;
// calling it when a configuration is read tells the operator sooner.
func (p *Policy) Check() error {
	switch p.Mode {
	case "", Auto, Passthrough:
		if len(p.Rungs) > 0 {
			return fmt.Errorf("ladder %s takes no list of rungs", p.mode())
		}
	case Explicit:
		if len(p.Rungs) == 0 {
			return errors.New("the ladder lists no rungs")
		}
	default:
		return fmt.Errorf("ladder %q is none of auto, passthrough and a list", p.Mode)
	}
	if p.Segment < 0 {
		return fmt.Errorf("segments of %s", p.Segment)
	}
	if p.LowLatency && !p.Live {
		return errors.New("low latency is for live sources only")
	}
	if e := p.Encoder; e.Threads < 0 || e.Threads > 64 {
		return fmt.Errorf("%d encoder threads: 0 to 64 can be had", e.Threads)
	} else if e.Nice < 0 || e.Nice > 19 {
		return fmt.Errorf("niceness %d: 0 to 19 can be had", e.Nice)
	} else if e.Preset != "" && presetIndex(e.Preset) < 0 {
		return fmt.Errorf("preset %q is none of x264's", e.Preset)
	}
	seen := make(map[string]bool)
	for i, r := range p.Rungs {
		if err := r.check(); err != nil {
			return fmt.Errorf("rung %d: %w", i+1, err)
		}
		if name := r.name(); name != "" {
			if seen[name] {
				return fmt.Errorf("rung %d: the name %s is taken", i+1, name)
			}
			seen[name] = true
		}
	}
	return nil
}

func (p *Policy) mode() Mode {
	if p.Mode == "" {
		return Auto
	}
	return p.Mode
}

func (p *Policy) segment() time.Duration {
	if p.Segment == 0 {
		return defaultSegment
	}
	return p.Segment
}

func (p *Policy) preset() string {
	if p.Encoder.Preset == "" {
		return defaultPreset
	}
	return p.Encoder.Preset
}

// name is the rung's name as far as it is known without the source.
func (r *Rung) name() string {
	if r.Name == "" && r.Codec != Copy && r.Height > 0 {
		return heightName(r.Height)
	}
	return r.Name
}

func (r *Rung) check() error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	switch r.Codec {
	case "", media.H264:
	case Copy:
		if r.Height != 0 || r.Width != 0 || r.Bitrate != 0 || r.FPS.Known() {
			return errors.New("a copy is as the source is: it takes no size, rate or bitrate")
		}
		return nil
	default:
		return fmt.Errorf("encoding to %s is not in this version; h264 and copy are", r.Codec)
	}
	const least, most = 32, 8192
	switch {
	case r.Height == 0 && r.Width == 0:
		return errors.New("no height")
	case r.Height != 0 && (r.Height < least || r.Height > most):
		return fmt.Errorf("height %d: %d to %d can be made", r.Height, least, most)
	case r.Width != 0 && (r.Width < least || r.Width > most):
		return fmt.Errorf("width %d: %d to %d can be made", r.Width, least, most)
	case r.Bitrate != 0 && (r.Bitrate < 10_000 || r.Bitrate > 400_000_000):
		return fmt.Errorf("bitrate %d: 10k to 400M bits a second can be made", r.Bitrate)
	case r.FPS != (media.Rational{}) && (!r.FPS.Known() || r.FPS.Float() > maxFPS || r.FPS.Float() < 0.1):
		return fmt.Errorf("%s frames a second: 0.1 to %d can be made", r.FPS, maxFPS)
	}
	return nil
}

// checkName allows what may stand as one element of a URL's path.
func checkName(name string) error {
	if name == "" {
		return nil
	}
	ok := len(name) <= 64 && name != "." && name != ".."
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			ok = false
		}
	}
	if !ok {
		return fmt.Errorf("name %q: 1 to 64 of A-Z a-z 0-9 _ . - can be had", name)
	}
	if name == audioName || len(name) > len(audioName) && name[:len(audioName)+1] == audioName+"-" {
		return fmt.Errorf("name %q is kept for audio", name)
	}
	return nil
}
