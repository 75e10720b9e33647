package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// Engine is everything of libav, and ladders on top: what scripts run on in
// their worker process.
type Engine struct {
	libav.Engine
	logger *slog.Logger
}

// NewEngine makes an Engine, which needs no closing. What ladders and FFmpeg,
// whose log is the process's, have to say goes to logger, which must not block
// and may be nil.
func NewEngine(logger *slog.Logger) *Engine {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	least := libav.LogFatal // see startLogs
	if logger.Enabled(context.Background(), slog.LevelDebug) {
		least = libav.LogWarning
	}
	libav.SetLog(least, func(level libav.LogLevel, line string, dropped int) {
		grade := slog.LevelDebug
		if level <= libav.LogFatal {
			grade = slog.LevelError
		}
		logger.Log(context.Background(), grade, line, "from", "ffmpeg", "suppressed", dropped)
	})
	return &Engine{logger: logger}
}

var _ transcode.Engine = (*Engine)(nil)

// Ladder carries out the coded renditions of a plan in this process; those that
// are copied are its caller's. Output's WorkerLost is never called, Failed at
// most once.
func (e *Engine) Ladder(plan *transcode.Plan, from uint64, out transcode.Output) (transcode.LadderRun, error) {
	if !plan.NeedsWorker() {
		return nil, errors.New("start ladder: nothing is to be encoded")
	}
	l := &ladderRun{done: make(chan struct{})}
	job := &wire.Job{Graph: plan.Graph(), Live: plan.Live(), From: from}
	var err error
	if l.intake, err = newIntake(job, &hand{out: out, logger: e.logger, tracks: make(map[int]*wire.Track)}); err != nil {
		return nil, fmt.Errorf("start ladder: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	l.ctx, l.cancel = ctx, cancel
	var all sync.WaitGroup
	for _, line := range l.chains.lines {
		all.Go(func() {
			if err := line.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		all.Wait()
		if err := context.Cause(ctx); !errors.Is(err, errClosed) {
			out.Failed(err)
		}
		close(l.done)
	}()
	return l, nil
}

// ladderRun is a plan at work in this process.
type ladderRun struct {
	intake
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing runs any more
}

var errClosed = errors.New("the ladder is closed")

// Cut begins a segment.
func (l *ladderRun) Cut(c media.Cut) error {
	if err := l.alive(nil); err != nil {
		return err
	}
	return l.alive(l.cut(l.ctx, wire.Cut{
		Segment: c.Segment, Discontinuity: c.Discontinuity, PTS: c.PTS, ClockRate: c.ClockRate,
	}))
}

// Write takes a packet of a source track, and waits for room.
func (l *ladderRun) Write(p media.Placed) error {
	if err := l.alive(nil); err != nil {
		return err
	}
	l.announced(p.Track)
	return l.alive(l.packet(l.ctx, p))
}

// WriteFrame takes a frame in place of a packet, and waits for room.
func (l *ladderRun) WriteFrame(t *media.Track, frame transcode.Frame, arrival time.Duration) error {
	f, err := libav.FrameOf(frame)
	if err != nil {
		return err
	}
	if err := l.alive(nil); err != nil {
		f.Close()
		return err
	}
	pts, timed := f.PTS()
	if !timed || f.Kind() != t.Kind {
		f.Close()
		return fmt.Errorf("a frame without a time, or of another kind than track %s: %w", t, libav.ErrShape)
	}
	if rate := f.ClockRate(); rate > 0 && rate != t.ClockRate {
		f.SetPTS(media.Rescale(pts, rate, t.ClockRate))
		f.SetClockRate(t.ClockRate)
	}
	l.announced(t)
	return l.alive(l.frame(l.ctx, t, f, arrival))
}

// Tune says what is given up from the next cut on.
func (l *ladderRun) Tune(d transcode.Degradation) {
	l.tune = &wire.Tune{Preset: d.Preset, Off: d.Off, FrameDivisor: d.FrameDivisor}
}

// Drain waits until everything was put out; more may follow.
func (l *ladderRun) Drain(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) })() //nolint:contextcheck // it ends with the ladder, too
	return l.alive(l.drain(ctx))
}

// alive says why a ladder that ended did so.
func (l *ladderRun) alive(err error) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return err
}

// Close ends the ladder and waits for it; what it held is lost.
func (l *ladderRun) Close() error {
	l.cancel(errClosed)
	<-l.done
	if err := context.Cause(l.ctx); !errors.Is(err, errClosed) {
		return err
	}
	return nil
}

// hand gives what lines make to an Output of this process.
type hand struct {
	logger *slog.Logger

	mu     sync.Mutex // Output is called one at a time
	out    transcode.Output
	tracks map[int]*wire.Track // the newest, by stream
}

func (h *hand) send(m wire.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m := m.(type) {
	case *wire.Track:
		h.tracks[m.Stream] = m
	case *wire.Packet:
		t := h.tracks[m.Stream]
		m.Packet.Track = &t.Track
		h.out.Packet(t.Rendition, m.Placed)
	}
	return nil
}

func (h *hand) log(level slog.Level, message string, attrs map[string]string) {
	args := make([]any, 0, 2*len(attrs))
	for k, v := range attrs {
		args = append(args, k, v)
	}
	h.logger.Log(context.Background(), level, message, args...)
}
