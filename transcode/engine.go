package transcode

import (
	"context"
	"io"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Engine makes the pieces of which scripts build graphs of their own; it is
// what jsapi knows of libav. Everything it makes is used by one goroutine at a
// time and closed by who made it. Names and values of options are libav's
// own; those that do not exist are an *OptionError before anything runs.
type Engine interface {
	// Open opens a file or URL for reading.
	Open(ctx context.Context, url string, o InputOptions) (Input, error)
	// Decoder decodes the packets of one track.
	Decoder(t *media.Track, o CoderOptions) (FrameDecoder, error)
	// Filter runs a libavfilter graph with one input for each of kinds and
	// the outputs that the description leaves open. They are counted by the
	// numbers of their labels ([0], [in1], [1:a]; [out0]) where all of them
	// have one, and else in the order in which they stand. What is wrong with
	// the description is an error at once.
	Filter(description string, kinds []media.Kind) (FrameFilter, error)
	// Encoder encodes frames; what it cannot know before the first of them
	// (size, rate, format) it takes from there.
	Encoder(o CoderOptions) (FrameEncoder, error)
	// Muxer writes a container of these tracks to w. Where w is an
	// io.WriteSeeker, formats that need one (plain MP4) work too; elsewhere
	// MP4 is fragmented. The tracks have their Config and differ by ID; time
	// begins at zero with the first packet.
	Muxer(w io.Writer, tracks []*media.Track, o MuxerOptions) (PacketMuxer, error)
	// Ladder carries out a plan in this process, from packets or frames.
	Ladder(plan *Plan, from uint64, out Output) (LadderRun, error)

	// Names lists what there is of a kind.
	Names(kind OptionKind) []string
	// Options lists the options of one of them, private ones and generic
	// ones.
	Options(kind OptionKind, name string) ([]Option, error)
	// Check says what is wrong with options, without opening anything: nil,
	// or an *OptionError.
	Check(kind OptionKind, name string, options map[string]string) error

	// Picture makes a picture of ours: black until its planes are written.
	// Format is a libav pixel format (yuv420p, rgba).
	Picture(width, height int, format string) (Frame, error)
	// Samples makes silence of so many samples a channel, as planar floats.
	Samples(rate, channels, samples int) (Frame, error)
}

// InputOptions say how to open.
type InputOptions struct {
	Format  string            // libav's demuxer; empty finds out
	Options map[string]string // AVOptions of demuxer and protocol
}

// Input is an open file or URL.
type Input interface {
	Tracks() []*media.Track
	Duration() time.Duration // 0 unknown
	// Read returns the next packet, io.EOF at the end.
	Read(ctx context.Context) (*media.Packet, error)
	Close()
}

// CoderOptions say what a decoder or encoder does. For a decoder Codec may be
// empty.
type CoderOptions struct {
	// Codec is libav's name of the coder (libx264, aac, libopus, png), or one
	// of media's (h264, h265, opus), for which the usual coder is taken.
	Codec string
	// Options are AVOptions, by name; an encoder's also pix_fmt, sample_fmt, ar
	// (sample rate) and ac (channels), where they are not to follow the frames.
	Options map[string]string

	ClockRate  int            // encoder of video: of its packets; 0 is the first frame's
	FrameRate  media.Rational // encoder of video: what rate control expects
	Bitrate    int            // encoder: bits/s; 0 is the coder's own
	Threads    int            // 0: one for a live decoder, the coder's choice otherwise
	LowLatency bool           // no look-ahead, no B-frames, no frame threads
	GOP        time.Duration  // encoder of video: longest distance of keyframes; 0 is 2 s
}

// FrameDecoder turns packets into frames.
type FrameDecoder interface {
	// Decode gives every frame that is ready to emit, who owns it. A nil
	// packet drains.
	Decode(p *media.Packet, emit func(Frame) error) error
	Close()
}

// FrameFilter is a filter graph. It is rebuilt when frames change shape.
type FrameFilter interface {
	// Push gives input one frame, which the filter takes over; a nil Frame
	// ends that input. Frames that are ready go to emit, who owns them. A
	// graph without inputs (testsrc2) makes one frame an output with each
	// Push of nil to input 0, which answers io.EOF when it has ended.
	Push(input int, f Frame, emit func(output int, f Frame) error) error
	// Outputs are the labels of the outputs in order, empty where one has none.
	Outputs() []string
	// Command changes a running filter: its name or label, a command of its,
	// the argument.
	Command(target, command, argument string) error
	Close()
}

// FrameEncoder turns frames into packets.
type FrameEncoder interface {
	// Encode codes one frame, which stays the caller's, as a keyframe where
	// key is set. A nil Frame drains; the next one begins anew. The packets'
	// Track describes what comes out; they may begin before the first frame,
	// at a negative DTS, by the encoder's delay.
	Encode(f Frame, key bool, emit func(*media.Packet) error) error
	Close()
}

// MuxerOptions say what container to write.
type MuxerOptions struct {
	Format  string // libav's muxer: mp4, matroska, mpegts, webm, flv, wav …
	Options map[string]string
}

// PacketMuxer writes a container.
type PacketMuxer interface {
	// Write takes a packet of one of the tracks: the same, or a revision with
	// its ID.
	Write(p *media.Packet) error
	// Close writes the trailer and frees the muxer.
	Close() error
}

// LadderRun is a plan at work in this process; see Engine.Ladder.
type LadderRun interface {
	// Cut begins a segment; see wire's rules of the media.
	Cut(media.Cut) error
	// Write takes a packet of a source track.
	Write(media.Placed) error
	// WriteFrame takes a frame in place of a packet of a source track, which
	// is then not decoded here. It takes the frame over.
	WriteFrame(t *media.Track, f Frame, arrival time.Duration) error
	// Tune says what is given up from the next cut on; a preset from the next
	// discontinuity on.
	Tune(Degradation)
	// Drain waits until everything was put out.
	Drain(context.Context) error
	// Close ends it. What it held is lost.
	Close() error
}

// Frame is one decoded picture or run of samples. It holds C memory, which
// its owner frees with Close; clones share it.
type Frame interface {
	Kind() media.Kind
	// PTS in ticks of ClockRate; ok is false where there is none.
	PTS() (pts int64, ok bool)
	SetPTS(pts int64)
	ClockRate() int
	SetClockRate(rate int)

	Width() int
	Height() int
	Format() string // libav's name of pixel or sample format
	Key() bool
	SampleRate() int
	Channels() int
	Samples() int // a channel

	// Planes is how many planes the frame has, Plane one of them with its
	// bytes a line, without a copy; it may be read until Close, and written
	// after Writable.
	Planes() int
	Plane(i int) (data []byte, stride int)
	// Writable makes the memory this Frame's own, copying where it is shared.
	Writable() error
	// Bytes is how much memory the planes take.
	Bytes() int64

	Clone() (Frame, error)
	Close()

	// Scale makes a picture of another size and pixel format; a width or
	// height of 0 keeps the aspect, an empty format the format.
	Scale(width, height int, format string) (Frame, error)
	// JPEG and PNG are the picture as a file; quality is 1 to 100.
	JPEG(quality int) ([]byte, error)
	PNG() ([]byte, error)
	// Diff is how different two pictures are: the mean absolute difference of
	// their brightness, 0 to 1. They may differ in size.
	Diff(other Frame) (float64, error)
	// Histogram counts brightness in 256 steps.
	Histogram() ([]int, error)
	// Levels is RMS and peak of each channel, in dBFS (-Inf is silence).
	Levels() (rms, peak []float64, err error)
}

// OptionKind is a family of libav's parts that take options.
type OptionKind string

// The families.
const (
	DecoderOptions OptionKind = "decoder"
	EncoderOptions OptionKind = "encoder"
	FilterOptions  OptionKind = "filter"
	MuxOptions     OptionKind = "muxer"
	DemuxOptions   OptionKind = "demuxer"
)

// Option is one option of a coder, filter, muxer or demuxer.
type Option struct {
	Name     string
	Help     string
	Type     string // int, float, bool, string, flags, rational, duration, size, color …
	Default  string
	Min, Max float64
	Values   []string // names that stand for numbers
}

// OptionError is an option, or a part, that does not exist, or a value out of
// its range.
type OptionError struct {
	Kind    OptionKind
	Part    string // libx264, scale …
	Option  string // empty: the part does not exist
	Value   string
	Nearest string // the name that may have been meant; empty: none is near
	Wanted  string // type and range in words, where the value is wrong
}

// Error says what was wrong, where, and what there is instead.
func (e *OptionError) Error() string {
	meant := ""
	if e.Nearest != "" {
		meant = "; did you mean " + e.Nearest + "?"
	}
	switch {
	case e.Option == "":
		return "there is no " + string(e.Kind) + " " + e.Part + meant
	case e.Wanted != "":
		return string(e.Kind) + " " + e.Part + ": " + e.Option + ": " + e.Value + " is not " + e.Wanted
	}
	return string(e.Kind) + " " + e.Part + " has no option " + e.Option + meant
}
