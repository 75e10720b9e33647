package media

import (
	"context"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// Options say what the streams of a runtime have around them.
type Options struct {
	// Engine makes coders, filters and containers. Nil: there are none here,
	// and whoever asks for one is told so.
	Engine transcode.Engine

	// Stream is the path (or the file) that the script works for; errors
	// carry it.
	Stream string

	// Live sources drop by default where a script or a stage is too slow;
	// others wait.
	Live bool

	// Source is what a pipeline script is called with; nil where there is
	// none. Its Close is called once, when the JavaScript source is destroyed
	// or the loop ends.
	Source Source

	// HLS makes what hls() writes to. Nil: hls() throws an error that says
	// where it works. See HLSSink for the calls that follow.
	HLS func(HLSSpec) (HLSSink, error)

	// Ladder makes what stands behind a ladder() that does not go into hls()
	// alone: the Cutter and the coders, whose output goes to out. The calls are
	// those of HLS. Nil: ladder() goes into hls() only.
	Ladder func(spec HLSSpec, out LadderOutput) (HLSSink, error)
	// Placed makes what hls() writes to where such a ladder's packets reach it.
	// It is called on the loop.
	Placed func(HLSOptions) (PlacedSink, error)

	// Budget bounds the bytes of frames, and of packets that were made or
	// retained, that the script holds; 0 means 256 MiB. Beyond it the script
	// gets an error with the code ERR_MEDIA_BUDGET.
	Budget int64

	// Dry says that nothing is to flow: the loop stops where the first source
	// would begin, when the script has built its graph.
	Dry bool

	// Clock makes time that of the source, for millrace run --source.
	Clock *Clock
}

// Source delivers packets of some tracks, one reader at a time. A
// transcode.Input is one.
type Source interface {
	// Tracks are the newest revisions.
	Tracks() []*media.Track
	// Read returns the next packet, io.EOF at the end. A packet's Epoch that
	// has grown marks a discontinuity.
	Read(ctx context.Context) (*media.Packet, error)
	Close()
}

// HLSSpec is what a script asked for when it called hls(), and ladder()
// before it.
type HLSSpec struct {
	// Ladder is what was given to ladder(); nil where packets or frames go
	// into hls() without one, which is a copy of packets as they are (each
	// video track that comes in is a rendition of its own).
	Ladder *Ladder
	// HLS are the options of hls(), to be laid over those of the stream.
	HLS HLSOptions
}

// Ladder is what a script gave to ladder().
type Ladder struct {
	Mode    transcode.Mode    // Auto, Passthrough or Explicit
	Rungs   []transcode.Rung  // Explicit only
	Encoder transcode.Encoder // zero fields are the stream's
}

// HLSOptions are the keys of streams[].hls that a script gave; nil where it
// did not.
type HLSOptions struct {
	Segment, Part, Window, DVR *time.Duration
	Container                  *string // fmp4, ts
	LowLatency                 *bool
}

// LadderOutput takes what a ladder makes: it is a pipeline.SinkOutput. Write is
// called from several goroutines, but for each rendition in order.
type LadderOutput interface {
	Plan(plan *transcode.Plan, dependent bool) error
	Cut(media.Cut) error
	Write(rendition string, p media.Placed) error
	GivenUp(transcode.Degradation) error
	Suspended() error
	Handed() error
}

// PlacedSink is the end of a presentation whose packets have their place. All
// calls come one at a time: those of LadderOutput, in the order in which a
// ladder made them, then End or Abort, once.
type PlacedSink interface {
	LadderOutput
	End(ctx context.Context) error
	Abort(reason error)
}

// HLSTrack is one input of an HLSSink: packets of a track, or frames in their
// place.
type HLSTrack struct {
	// Track describes what comes. Its ID is unique within the sink (they are
	// numbered anew, from 1, video first), and each packet's Track has it too.
	// Of frames, the Codec is media.Raw, the ClockRate is that of the
	// frames, size, rate and channels are those of the first one.
	Track *media.Track
	// Frames says that WriteFrame is called for it, not Write.
	Frames bool
}

// HLSSink is where a chain that ends in hls() goes: the Cutter, the ladder
// where there is one, and the packager (or the way to it).
//
// Options.HLS is called on the loop when every input has delivered its first
// object (or has ended, or a second of media has come without it); what it
// refuses the script sees as the error of hls(). All other calls come from one
// goroutine, of the sink's stage: Start once, then the writes, in order of
// arrival where the source is live, of time where it is not, then End or
// Abort, once. Where ctx ends, the script has destroyed the stream.
type HLSSink interface {
	// Start names the inputs.
	Start(ctx context.Context, tracks []HLSTrack) error
	// Write takes a packet. It may block, which holds back files and makes
	// live sources drop. Packets whose Epoch has grown begin a discontinuity;
	// a packet's Track may be a later revision of the one in Start.
	Write(ctx context.Context, p *media.Packet) error
	// WriteFrame takes a frame over in place of a packet of t, which is a
	// Track of Start. Epoch is as a packet's, arrival too.
	WriteFrame(ctx context.Context, t *media.Track, f transcode.Frame, epoch uint32, arrival time.Duration) error
	// End waits until everything was put out, and ends the presentation.
	End(ctx context.Context) error
	// Abort ends it where something went wrong or the script gave up.
	Abort(reason error)
}
