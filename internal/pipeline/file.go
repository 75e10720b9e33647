package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/transcode"
)

// File is the transcoding of a file, or of a URL that ends, to HLS on disk: by
// the same planner, Cutter, workers and packager as live, but queues block and
// nothing is dropped.
type File struct {
	Input  string
	Output string // folder; gets the whole presentation or nothing

	Ladder  config.Ladder
	Encoder config.Encoder
	HLS     config.HLS // Segment and Container

	// Progress is told, now and then, how far the slowest rendition is; total
	// is 0 where the input does not say how long it is. May be nil.
	Progress func(done, total time.Duration)

	Transcoder *transcode.Supervisor
	Logger     *slog.Logger
}

// errGOPTooLong ends a run whose copy of the source cannot go on.
var errGOPTooLong = errors.New("keyframes are too far apart to copy the source")

// Run transcodes. Where it fails, or ctx ends, nothing is left in the output
// folder that looks finished. A file whose keyframes turn out to be too far
// apart somewhere in the middle is begun again, encoded as a whole, so that no
// discontinuity is left in it; what cannot be read twice gets one.
func (f File) Run(ctx context.Context) error {
	err := f.once(ctx, false)
	if errors.Is(err, errGOPTooLong) {
		return f.once(ctx, true)
	}
	return err
}

func (f File) once(ctx context.Context, gopTooLong bool) error {
	input, err := f.Transcoder.Open(ctx, f.Input)
	if err != nil {
		return err
	}
	defer input.Close()
	out, err := store.NewOutput(f.Output)
	if err != nil {
		return err
	}
	thumbnails := f.Transcoder.Thumbnailer()
	defer thumbnails.Close()
	pres, err := packager.New(packager.Config{
		Segment: f.HLS.Segment, Container: container(inTS(f.HLS)), VOD: true, Output: out, Logger: f.Logger, Pictures: thumbnails.JPEG,
		AudioOnly: f.HLS.AudioOnly,
	})
	if err != nil {
		return errors.Join(err, out.Discard())
	}
	defer pres.Close()

	r := &fileRun{File: f, ctx: ctx, input: input, begun: media.Now(), shown: map[string]time.Duration{}}
	r.total = time.Duration(input.Info().Duration * float64(time.Second))
	r.graph = graph{name: f.Input, log: f.Logger, owner: r, again: r.again}
	r.graph.byWorkers(f.Transcoder, pres)
	defer r.graph.dropSession()
	if err := r.run(ctx, gopTooLong); err != nil {
		return err
	}
	return pres.End() //nolint:contextcheck // pictures are drawn within a minute of their own
}

// fileRun is a File being transcoded.
type fileRun struct {
	File
	ctx   context.Context
	input *transcode.Demuxer
	graph graph
	total time.Duration
	begun time.Duration // by media.Now
	first time.Duration // beginning of the first packet
	read  time.Duration // end of the newest packet

	mu    sync.Mutex
	err   error                    // the first that went wrong on any goroutine
	shown map[string]time.Duration // how far each coded rendition is
}

func (r *fileRun) run(ctx context.Context, gopTooLong bool) error {
	first, seen, err := r.lookAhead()
	if err != nil {
		return err
	}
	policy := Policy(r.Ladder, r.Encoder, r.HLS)
	policy.GOPTooLong = gopTooLong || seen
	r.graph.begin(Numbers{})
	if err := r.graph.start(ctx, r.input.Tracks(), policy); err != nil {
		return err
	}
	for _, p := range first {
		if err := r.push(p); err != nil {
			return err
		}
	}
	for {
		p, err := r.input.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = r.push(p)
		}
		if err != nil {
			return err
		}
	}
	r.graph.cutter.Flush()
	if r.graph.session != nil {
		if err := r.graph.drain(ctx); err != nil {
			return errors.Join(r.failure(), err)
		}
	}
	if err := r.failure(); err != nil {
		return err
	}
	if r.graph.plan == nil || r.graph.newest.Load().Segment == 0 {
		return fmt.Errorf("%s: no picture or sound could be read from it", r.Input)
	}
	return r.cutOff()
}

// again has the run end where the input can be read once more.
func (r *fileRun) again() bool {
	if info, err := os.Stat(r.Input); err != nil || !info.Mode().IsRegular() {
		return false
	}
	r.trouble(errGOPTooLong)
	return true
}

// cutOff reports an input that ended long before the end it had announced:
// half a film must not look like a whole one.
func (r *fileRun) cutOff() error {
	length := r.read - r.first
	if r.total-length > max(time.Second, r.total/20) {
		return fmt.Errorf("%s: %w: it ends after %s, and should be %s long", r.Input, ErrCutOff,
			length.Round(100*time.Millisecond), r.total.Round(100*time.Millisecond))
	}
	return nil
}

// ErrCutOff is wrapped where an input is shorter than it says.
var ErrCutOff = errors.New("the input is cut off")

// lookAhead reads to the second keyframe of the video, or for as long as a
// segment may be, so that a source whose keyframes are too far apart is
// encoded from its beginning.
func (r *fileRun) lookAhead() (first []*media.Packet, gopTooLong bool, err error) {
	var start *media.Packet
	for {
		p, err := r.input.Next()
		if errors.Is(err, io.EOF) {
			return first, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		first = append(first, p)
		switch {
		case p.Track.Kind != media.Video:
		case start == nil && p.Key:
			start = p
		case start == nil:
		case p.Key:
			return first, false, nil
		case media.Duration(p.PTS-start.PTS, p.Track.ClockRate) > r.HLS.Segment*3/2:
			return first, true, nil
		}
		if start == nil && media.Duration(p.PTS, p.Track.ClockRate) > 10*r.HLS.Segment {
			return first, false, nil // no video, or none that can be decoded
		}
	}
}

func (r *fileRun) push(p *media.Packet) error {
	at := media.Duration(p.PTS, p.Track.ClockRate)
	if r.read == 0 {
		r.first = at
	}
	r.read = max(r.read, at+media.Duration(p.Duration, p.Track.ClockRate))
	p.Arrival = r.begun + at // a file arrives by its own time: that dates its segments
	r.graph.cutter.Push(p)
	r.progress("input", p)
	return r.failure()
}

// progress notes how far a rendition is and tells how far the last one is.
func (r *fileRun) progress(rendition string, p *media.Packet) {
	if r.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := media.Duration(p.PTS, p.Track.ClockRate) - r.first
	r.shown[rendition] = max(r.shown[rendition], at)
	least := at
	for _, other := range r.shown {
		least = min(least, other)
	}
	r.Progress(least, r.total)
}

func (r *fileRun) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *fileRun) trouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// Packet implements transcode.Output.
func (r *fileRun) Packet(rendition string, p media.Placed) {
	if err := r.graph.pres.Write(rendition, p); err != nil {
		r.trouble(fmt.Errorf("write %s: %w", rendition, err))
	}
	r.progress(rendition, p.Packet)
}

// WorkerLost implements transcode.Output; a file's worker is not replaced.
func (r *fileRun) WorkerLost(err error) { r.trouble(err) }

// Failed implements transcode.Output.
func (r *fileRun) Failed(err error) { r.trouble(err) }

func (r *fileRun) playing() context.Context { return r.ctx }

func (r *fileRun) planned(plan *transcode.Plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.shown)
	for _, rendition := range plan.Renditions {
		if !rendition.Copy {
			r.shown[rendition.Name] = 0
		}
	}
}

func (r *fileRun) working(encoders) {}

func (r *fileRun) degraded(transcode.Degradation) {}

func (r *fileRun) broken(err error) { r.trouble(err) }
