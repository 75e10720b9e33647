package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/pipeline"
	jsmedia "github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// sinks makes what hls() writes to: one at a time, since a stream has one
// presentation.
type sinks struct {
	job    *wire.ScriptJob
	w      *writer
	engine transcode.Engine
	logger *slog.Logger
	sender pipeline.SenderClock
	behind func() (time.Duration, uint64)

	mu      sync.Mutex
	current *sink   // of an hls()
	ladders []*sink // that do not go into hls() alone
	shown   *shown  // the hls() that one of them goes into
	used    pipeline.Numbers
	streams int
	from    *wire.Handover // came before there was a sink
}

func newSinks(job *wire.ScriptJob, w *writer, engine transcode.Engine) *sinks {
	return &sinks{job: job, w: w, engine: engine, logger: slog.New(relayed{w})}
}

// sink is one hls() of the script, or a ladder by itself.
type sink struct {
	all    *sinks
	out    pipeline.SinkOutput // of a ladder by itself; nil: the server
	policy transcode.Policy
	copies bool // no ladder was asked for
	hls    wire.HLS

	mu  sync.Mutex
	run *pipeline.Sink // nil before Start
}

var errSecond = errors.New("the stream has one hls() already: a pipeline has one end that viewers see")

// open is what hls() calls; see jsmedia.Options.
func (s *sinks) open(spec jsmedia.HLSSpec) (jsmedia.HLSSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil || s.shown != nil {
		return nil, errSecond
	}
	k, err := s.plan(spec)
	if err == nil {
		s.current = k
	}
	return k, err
}

// ladder is what a ladder() calls that does not go into hls() alone.
func (s *sinks) ladder(spec jsmedia.HLSSpec, out jsmedia.LadderOutput) (jsmedia.HLSSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.plan(spec)
	if err != nil {
		return nil, err
	}
	k.out = out
	s.ladders = append(s.ladders, k)
	return k, nil
}

// placed is what hls() calls that such a ladder goes into.
func (s *sinks) placed(o jsmedia.HLSOptions) (jsmedia.PlacedSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil || s.shown != nil {
		return nil, errSecond
	}
	s.shown = &shown{s.output(asked(o)), s}
	return s.shown, nil
}

func (s *sinks) output(hls wire.HLS) *output {
	return &output{w: s.w, hls: hls, began: began(s.job), streams: map[string]*announced{}, owners: &s.streams}
}

// shown is the presentation of what a ladder has placed.
type shown struct {
	*output
	all *sinks
}

// End implements jsmedia.PlacedSink.
func (p *shown) End(context.Context) error {
	p.Abort(nil)
	return nil
}

// Abort implements jsmedia.PlacedSink: there may be another one.
func (p *shown) Abort(error) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	if p.all.shown == p {
		p.all.shown = nil
	}
}

// plan lays what a script asked for over the stream's own.
func (s *sinks) plan(spec jsmedia.HLSSpec) (*sink, error) {
	k := &sink{all: s, copies: spec.Ladder == nil, hls: asked(spec.HLS)}
	if err := json.Unmarshal([]byte(s.job.Policy), &k.policy); err != nil {
		return nil, fmt.Errorf("read the stream's policy: %w", err)
	}
	k.policy.Segment = time.Duration(s.job.HLS.Segment)
	if l := spec.Ladder; l != nil && l.Mode != "" {
		k.policy.Mode, k.policy.Rungs = l.Mode, l.Rungs
		k.policy.Encoder = overlaid(k.policy.Encoder, l.Encoder)
	}
	if s.job.Fixed {
		if k.hls.Segment > 0 && k.hls.Segment != s.job.HLS.Segment || k.hls.Part > 0 && k.hls.Part != s.job.HLS.Part ||
			k.hls.Window > 0 && k.hls.Window != s.job.HLS.Window {
			s.w.log(slog.LevelWarn, "hls() asks for another shape than viewers have: segment, part and window stay until the stream ends", nil)
		}
	} else if k.hls.Segment > 0 {
		k.policy.Segment = time.Duration(k.hls.Segment)
	}
	if k.hls.Container != "" && !s.job.Fixed {
		k.policy.TransportStream = k.hls.Container == "ts"
	}
	if k.hls.LowLatency != nil {
		k.policy.LowLatency = *k.hls.LowLatency && k.policy.Live
	}
	return k, k.policy.Check()
}

// asked are the options that a script gave.
func asked(o jsmedia.HLSOptions) wire.HLS {
	h := wire.HLS{LowLatency: o.LowLatency}
	for _, d := range []struct {
		to   *int64
		from *time.Duration
	}{{&h.Segment, o.Segment}, {&h.Part, o.Part}, {&h.Window, o.Window}, {&h.DVR, o.DVR}} {
		if d.from != nil {
			*d.to = int64(*d.from)
		}
	}
	if o.Container != nil {
		h.Container = *o.Container
	}
	return h
}

func overlaid(e, own transcode.Encoder) transcode.Encoder {
	if own.Threads != 0 {
		e.Threads = own.Threads
	}
	if own.Preset != "" {
		e.Preset = own.Preset
	}
	return e
}

// Start implements jsmedia.HLSSink.
func (k *sink) Start(_ context.Context, tracks []jsmedia.HLSTrack) error {
	all := make([]*media.Track, len(tracks))
	for i, t := range tracks {
		all[i] = t.Track
	}
	raw := slices.ContainsFunc(tracks, func(t jsmedia.HLSTrack) bool { return t.Frames && t.Track.Kind == media.Video })
	if k.copies && !raw {
		k.policy.Mode, k.policy.Rungs, k.policy.EveryVideo = transcode.Passthrough, nil, true
	}
	s := k.all
	s.mu.Lock()
	used, from := s.used, s.from
	s.mu.Unlock()
	first := used == pipeline.Numbers{}
	cfg := pipeline.SinkConfig{
		Name: s.job.Name, Logger: s.logger, Engine: s.engine, Policy: k.policy, Above: used,
		Standby: first && s.job.Standby,
		Sender:  &s.sender, Behind: s.behind,
		Output: k.out,
	}
	if k.out == nil {
		cfg.Output = s.output(k.hls)
	}
	if first {
		cfg.After = time.Duration(s.job.After)
	}
	run := pipeline.NewSink(cfg)
	if from != nil {
		run.Handover(from.PTS, from.ClockRate, from.Leave)
	}
	k.mu.Lock()
	k.run = run
	k.mu.Unlock()
	return run.Start(all)
}

// Write implements jsmedia.HLSSink.
func (k *sink) Write(_ context.Context, p *media.Packet) error { return k.running().Write(p) }

// WriteFrame implements jsmedia.HLSSink.
func (k *sink) WriteFrame(_ context.Context, t *media.Track, f transcode.Frame, epoch uint32, arrival time.Duration) error {
	return k.running().WriteFrame(t, f, epoch, arrival)
}

// End implements jsmedia.HLSSink.
func (k *sink) End(context.Context) error {
	err := k.running().End()
	k.close()
	return err
}

// Abort implements jsmedia.HLSSink.
func (k *sink) Abort(error) { k.close() }

func (k *sink) running() *pipeline.Sink {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.run
}

// close makes room for another sink.
func (k *sink) close() {
	run, s := k.running(), k.all
	var used pipeline.Numbers
	if run != nil {
		used = run.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch i := slices.Index(s.ladders, k); {
	case s.current == k:
		s.current = nil
	case i >= 0:
		s.ladders = slices.Delete(s.ladders, i, i+1)
	default:
		return
	}
	s.used.Segment = max(s.used.Segment, used.Segment) // another one may have gone further
	s.used.Discontinuity = max(s.used.Discontinuity, used.Discontinuity)
}

// running are the sinks that have started.
func (s *sinks) running() []*pipeline.Sink {
	s.mu.Lock()
	all := slices.Clone(s.ladders)
	if s.current != nil {
		all = append(all, s.current)
	}
	s.mu.Unlock()
	var runs []*pipeline.Sink
	for _, k := range all {
		if run := k.running(); run != nil {
			runs = append(runs, run)
		}
	}
	return runs
}

// handover passes on when the script is to begin or to leave.
func (s *sinks) handover(m *wire.Handover) {
	runs := s.running()
	for _, run := range runs {
		run.Handover(m.PTS, m.ClockRate, m.Leave)
	}
	s.mu.Lock()
	if len(runs) == 0 {
		s.from = m
	}
	shown := s.current != nil || s.shown != nil
	s.mu.Unlock()
	if m.Leave && !shown {
		_ = s.w.send(&wire.Handed{}) // nothing was made
	}
}

// rest closes what is open when nothing has come for d.
func (s *sinks) rest(d time.Duration) {
	for _, run := range s.running() {
		if run.Idle() < d {
			continue
		}
		if err := run.Suspend(); err != nil {
			s.logger.Debug("suspend", "err", err) // the next packet meets it too
		}
	}
}

// close ends what the script left open.
func (s *sinks) close() {
	s.mu.Lock()
	all := slices.Clone(s.ladders)
	if s.current != nil {
		all = append(all, s.current)
	}
	s.mu.Unlock()
	for _, k := range all {
		k.close()
	}
}

// relayed is a logger's handler that writes to the server's log.
type relayed struct{ w *writer }

// Enabled implements slog.Handler.
func (r relayed) Enabled(_ context.Context, l slog.Level) bool { return l >= r.w.level }

// Handle implements slog.Handler.
func (r relayed) Handle(_ context.Context, rec slog.Record) error {
	attrs := map[string]string{}
	rec.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.String()
		return true
	})
	r.w.log(rec.Level, rec.Message, attrs)
	return nil
}

// WithAttrs implements slog.Handler; nobody here uses it.
func (r relayed) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup implements slog.Handler; nobody here uses it.
func (r relayed) WithGroup(string) slog.Handler { return r }
