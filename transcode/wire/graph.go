package wire

import "github.com/millrace/millrace/internal/media"

// Graph is what a stream worker runs: sources are decoded, frames filtered and
// encoded, and packets come back under a rendition's name. The ladder is one
// such graph; scripts build others.
//
//	source 0 ─ decode ─┬─ picture ─ encode ─ output "720p"
//	                   └─ picture ─ encode ─ output "360p"
//	source 1 ─ decode ─── sound ─── encode ─ output "audio"
//
// A node with several links going out feeds each of them everything. Validate
// says what makes a graph whole.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Links []Link `json:"links"`
}

// Link carries packets or frames from one node to another, by ID.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// NodeKind says what a node does.
type NodeKind string

// The kinds of nodes. Packets flow source → decode, encode → output and
// source → output; frames flow decode → (picture | sound | filter)* → encode.
const (
	NodeSource  NodeKind = "source"  // packets of source track Track
	NodeDecode  NodeKind = "decode"  // packets to frames; Decode
	NodePicture NodeKind = "picture" // shapes video frames; Picture
	NodeSound   NodeKind = "sound"   // shapes audio frames; Sound
	NodeFilter  NodeKind = "filter"  // one libavfilter filter; Filter
	NodeEncode  NodeKind = "encode"  // frames to packets; Encode
	NodeOutput  NodeKind = "output"  // packets to the parent, as Rendition
)

// Node is one node. The field of its kind is set, the others are zero.
type Node struct {
	ID        string   `json:"id"`
	Kind      NodeKind `json:"kind"`
	Track     int      `json:"track,omitempty"`     // source
	Rendition string   `json:"rendition,omitempty"` // output
	Decode    *Decode  `json:"decode,omitempty"`
	Picture   *Picture `json:"picture,omitempty"`
	Sound     *Sound   `json:"sound,omitempty"`
	Filter    *Filter  `json:"filter,omitempty"`
	Encode    *Encode  `json:"encode,omitempty"`
}

// Decode says how to decode. What is decoded is the source's Track.
type Decode struct {
	// Threads is the number of decoder threads; 0 leaves it to the worker,
	// which takes one (or slices) where LowLatency, since frame threading
	// delays by threads - 1 frames.
	Threads    int  `json:"threads,omitempty"`
	LowLatency bool `json:"lowLatency,omitempty"`
}

// Picture turns decoded frames into those of one rung: upright (the source
// track's Rotation undone), square samples, 4:2:0 8-bit, exactly Width x
// Height. A source whose display aspect is another one (it changed in flight)
// is fitted in and padded black. Timestamps stay the source's, in its ticks.
type Picture struct {
	Width  int `json:"width"` // even
	Height int `json:"height"`

	// FPS is the most frames a second that pass; frames are dropped to reach
	// it, never one that starts a segment. Unknown keeps every frame.
	FPS media.Rational `json:"fps"`

	// Deinterlace makes frames that are flagged interlaced progressive, one
	// frame out for each frame in.
	Deinterlace bool `json:"deinterlace,omitempty"`
}

// Sound turns decoded frames into those of one audio rendition: resampled,
// mixed to Channels, in step with the timestamps (gaps filled with silence,
// drift taken out by resampling). Timestamps are in ticks of SampleRate.
type Sound struct {
	SampleRate int `json:"sampleRate"`
	Channels   int `json:"channels"`
}

// Filter is a libavfilter filter with its options by name.
type Filter struct {
	Name    string            `json:"name"`
	Options map[string]string `json:"options,omitempty"`
}

// Encode is one encoder. Keyframes of video come at cuts and nowhere else;
// GOPs are closed. Video is in the source's clock, audio in sample-rate ticks.
type Encode struct {
	Codec media.Codec `json:"codec"` // h264 or aac

	Bitrate    int `json:"bitrate"`              // bits/s, average
	MaxBitrate int `json:"maxBitrate,omitempty"` // VBV: bits/s; 0 leaves it out
	BufSize    int `json:"bufSize,omitempty"`    // VBV: bits

	Preset     string `json:"preset,omitempty"` // x264's names
	Profile    string `json:"profile,omitempty"`
	Threads    int    `json:"threads,omitempty"`    // 0 is the encoder's own choice
	LowLatency bool   `json:"lowLatency,omitempty"` // no look-ahead, no B-frames: a frame in is a frame out

	// FrameRate is what rate control expects: the source's, or the
	// Picture's where that is lower. Unknown: the worker measures it.
	FrameRate media.Rational `json:"frameRate"`

	// Options are AVOptions by name, last word over all of the above.
	Options map[string]string `json:"options,omitempty"`
}
