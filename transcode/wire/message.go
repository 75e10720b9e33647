package wire

import (
	"github.com/millrace/millrace/internal/media"
)

// Version is the version of the protocol. Parent and worker are the same
// binary, so only one version is ever accepted.
const Version = 1

// Type is the frame type.
type Type uint8

// Frame types. Those from 64 on are sent by workers.
const (
	TypeConfig Type = iota + 1 // on the lifeline only
	TypeJob
	TypeTune
	TypeCut    // both directions
	TypeTrack  // both directions
	TypePacket // both directions
	TypeDrain
	TypeBye // both directions
	TypeOpen
	TypeProbe
	TypeThumbnail
	TypeScriptJob
	TypePresence
	TypeHandover
	TypeScript // both directions
	TypeSenderClock
)

// Frame types of workers.
const (
	TypeHello Type = iota + 64
	TypeStats
	TypeLog
	TypeDrained
	TypeError
	TypeOpened
	TypeProbed
	TypeImage
	TypeRenditions
	TypeSuspended
	TypeHanded
	TypeFiles
	TypeGivenUp
)

// Message is one frame's content: a pointer to one of the message types of
// this package.
type Message interface{ Type() Type }

// Role is what a worker process is for. It decides what it may reach.
type Role string

// The roles.
const (
	RoleStream    Role = "stream"    // transcodes packets; no network, no files
	RoleInput     Role = "input"     // opens, probes and demuxes files and URLs
	RoleThumbnail Role = "thumbnail" // makes pictures of keyframes; no network, no files
	RoleApp       Role = "app"       // runs the app script, with what the server's user may do; speaks jsapi/host/wire
	RoleScript    Role = "script"    // runs a pipeline script, with what the server's user may do
)

// Config is the first and only frame on the lifeline.
type Config struct {
	Role     Role   `json:"role"`
	Name     string `json:"name"`     // stream path or input, for logs
	LogLevel int    `json:"logLevel"` // lowest slog.Level worth sending
}

// Hello is a worker's first frame: it is alive and waits for work.
type Hello struct {
	PID    int    `json:"pid"`
	FFmpeg string `json:"ffmpeg"` // version of the libraries, for logs
}

// Job is the graph a stream worker runs. It is sent once.
type Job struct {
	Name  string `json:"name"`
	Graph Graph  `json:"graph"`

	// Live asks for frames as soon as they can be had; otherwise for throughput.
	Live bool `json:"live"`

	// From is the discontinuity at which output begins: frames before the
	// first Cut with at least this Discontinuity are decoded and not put out.
	From uint64 `json:"from"`
}

// Tune says what a worker must give up to keep up with a live source. It is a
// whole state, not a change, and holds from the next Cut on (at once when sent
// before the first). Its zero value is full quality.
type Tune struct {
	// Preset replaces the preset of every video encoder; empty keeps each
	// encoder's own. It never makes an encoder slower than its own preset. It
	// takes effect at the next Cut with a higher Discontinuity, because it
	// brings other parameter sets.
	Preset string `json:"preset,omitempty"`

	// Off names the renditions that are not to be made.
	Off []string `json:"off,omitempty"`

	// FrameDivisor of n keeps one frame of n before the encoders, never
	// dropping one that starts a segment; 0 and 1 keep all.
	FrameDivisor int `json:"frameDivisor,omitempty"`
}

// Cut says where a segment starts; see the package's rules of the media.
type Cut struct {
	Segment       uint64 `json:"segment"`
	Discontinuity uint64 `json:"discontinuity"`
	PTS           int64  `json:"pts"` // ticks of ClockRate
	ClockRate     int    `json:"clockRate"`
	Wall          int64  `json:"wall,omitempty"` // Unix ns; from script workers only
}

// Track announces a track or a new revision of one, before its first packet.
//
// From the parent, Stream is the source track's ID and Rendition is empty.
// From a stream worker, Stream is a number the worker chose for one output and
// Rendition the output node's name; Track describes what comes out, Config
// included, its ID is Stream and its Revision grows with every announcement of
// the same output that changes it. From an input worker Stream is the track's
// ID and Rendition is empty.
//
// A codec that internal/media has no name for travels under the name of its
// libavcodec descriptor ("mpeg2video"), with libav's extradata as Config.
type Track struct {
	Stream    int         `json:"stream"`
	Rendition string      `json:"rendition,omitempty"`
	Track     media.Track `json:"track"`
}

// Packet is one coded access unit. Stream and Revision name the Track that was
// announced last for them; Placed.Track is nil on the wire, Tracks.Resolve
// fills it in. Arrival is the parent's clock and comes back with the output
// that the packet led to, so that latency can be measured.
type Packet struct {
	Stream   int
	Revision int
	media.Placed
}

// Drain asks a worker to put out everything that it was sent so far.
type Drain struct{}

// Drained answers Drain after the last packet.
type Drained struct{}

// Bye ends the conversation: from the parent, leave; from an input worker, the
// input is at its end; from any worker, nothing follows.
type Bye struct{}

// Open asks an input worker to demux an input. The answer is Opened, then
// Track for each track of it that can be used, then packets in DTS order over
// all tracks, then Bye. Packets have ticks of their track's clock rate (90000
// for video, the sample rate for audio), the first DTS of the input is at
// zero or after, and Segment, Discontinuity and Arrival are zero.
type Open struct {
	URL string `json:"url"` // a file's path or a URL
}

// Opened answers Open.
type Opened struct {
	Info Info `json:"info"`
}

// Probe asks an input worker what is in an input.
type Probe struct {
	URL string `json:"url"`
}

// Probed answers Probe. A failure is answered by Error.
type Probed struct {
	Info Info `json:"info"`
}

// Thumbnail asks for a picture of a keyframe: Payload is one access unit as
// media.Packet stores it, Track says how to decode it.
type Thumbnail struct {
	ID      uint64      `json:"id"`
	Width   int         `json:"width"` // of the picture; the height follows the display aspect
	Track   media.Track `json:"track"`
	Payload []byte      `json:"-"`
}

// Image answers Thumbnail: a JPEG, or Error in words. A frame that cannot be
// decoded is no reason for the worker to die.
type Image struct {
	ID    uint64 `json:"id"`
	Error string `json:"error,omitempty"`
	JPEG  []byte `json:"-"`
}

// Log is a line for the parent's log.
type Log struct {
	Level   int               `json:"level"` // slog.Level
	Message string            `json:"message"`
	Attrs   map[string]string `json:"attrs,omitempty"`
}

// Class sorts fatal errors by who can do something about them.
type Class string

// The classes of fatal errors.
const (
	ClassInput       Class = "input"       // the media is broken or cannot be opened
	ClassUnsupported Class = "unsupported" // a codec, filter or option the libraries do not have
	ClassMemory      Class = "memory"      // an allocation failed
	ClassProtocol    Class = "protocol"    // the other side broke the protocol
	ClassInternal    Class = "internal"    // a fault of ours
	ClassScript      Class = "script"      // the user's script failed; Node is the position in it
)

// Error tells why the worker is about to exit.
type Error struct {
	Class   Class  `json:"class"`
	Node    string `json:"node,omitempty"` // graph node, where one is to blame
	Message string `json:"message"`
}

func (e *Error) Error() string {
	if e.Node != "" {
		return e.Node + ": " + e.Message
	}
	return e.Message
}

// Type implements Message.
func (*Config) Type() Type { return TypeConfig }

// Type implements Message.
func (*Job) Type() Type { return TypeJob }

// Type implements Message.
func (*Tune) Type() Type { return TypeTune }

// Type implements Message.
func (*Cut) Type() Type { return TypeCut }

// Type implements Message.
func (*Track) Type() Type { return TypeTrack }

// Type implements Message.
func (*Packet) Type() Type { return TypePacket }

// Type implements Message.
func (*Drain) Type() Type { return TypeDrain }

// Type implements Message.
func (*Bye) Type() Type { return TypeBye }

// Type implements Message.
func (*Open) Type() Type { return TypeOpen }

// Type implements Message.
func (*Probe) Type() Type { return TypeProbe }

// Type implements Message.
func (*Thumbnail) Type() Type { return TypeThumbnail }

// Type implements Message.
func (*Hello) Type() Type { return TypeHello }

// Type implements Message.
func (*Stats) Type() Type { return TypeStats }

// Type implements Message.
func (*Log) Type() Type { return TypeLog }

// Type implements Message.
func (*Drained) Type() Type { return TypeDrained }

// Type implements Message.
func (*Error) Type() Type { return TypeError }

// Type implements Message.
func (*Opened) Type() Type { return TypeOpened }

// Type implements Message.
func (*Probed) Type() Type { return TypeProbed }

// Type implements Message.
func (*Image) Type() Type { return TypeImage }
