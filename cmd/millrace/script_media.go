package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/loop"
	jsmedia "github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/jsapi/program"
	"github.com/millrace/millrace/jsapi/rehearse"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/worker"
)

// mediaFlags are those of run that concern media streams.
type mediaFlags struct {
	Source string `placeholder:"FILE" help:"Run a pipeline script against a file, by the file's own clock: the same in every run."`
	Out    string `placeholder:"FOLDER" help:"Where hls() writes to; made when it is not there."`
	Dot    bool   `help:"Print the media graph that the script builds, for Graphviz, and let nothing flow."`
}

// scriptMedia is what a script has of media around it.
type scriptMedia struct {
	flags  mediaFlags
	w      *world
	engine transcode.Engine
	source jsmedia.Source
	module *jsmedia.Module
	stage  *rehearse.Stage
}

// around makes ready what the flags ask for.
func (f mediaFlags) around(ctx context.Context, w *world) (*scriptMedia, error) {
	m := &scriptMedia{flags: f, w: w, engine: worker.NewEngine(nil)} //nolint:contextcheck // it needs no closing
	if f.Source == "" {
		return m, nil
	}
	if err := checkInput(f.Source); err != nil {
		return nil, err
	}
	input, err := m.engine.Open(ctx, f.Source, transcode.InputOptions{})
	if err != nil {
		return nil, inputError(f.Source, err)
	}
	m.source = input
	m.stage = &rehearse.Stage{Path: f.Source, Env: environment(w), Log: w.stderr}
	return m, nil
}

// provide gives a runtime the module millrace.
func (m *scriptMedia) provide(l *loop.Loop) error {
	o := jsmedia.Options{Engine: m.engine, Stream: m.flags.Source, Dry: m.flags.Dot}
	if m.source != nil {
		o.Source, o.Clock = m.source, jsmedia.NewClock()
		m.stage.Provide(l)
	}
	o.Ladder = m.ladder
	if m.flags.Out != "" || m.flags.Dot {
		o.HLS, o.Placed = m.hls, m.placed
	}
	m.module = jsmedia.Provide(l, o)
	return nil
}

// run runs the script: a pipeline script where there is a source for it.
func (m *scriptMedia) run(ctx context.Context, p *program.Program, script *compile.Program) error {
	var started func() error
	if m.source != nil {
		started = func() error { return m.stage.Start(p) }
	}
	err := p.Run(ctx, script, started)
	m.module.Wait()
	var waits *program.Unsettled
	if m.flags.Dot && errors.As(err, &waits) { // for what does not flow
		err = nil
	}
	if m.flags.Dot && err == nil {
		fmt.Fprint(m.w.stdout, m.module.Dot())
	}
	return err
}

// hls makes what hls() writes to.
func (m *scriptMedia) hls(spec jsmedia.HLSSpec) (jsmedia.HLSSink, error) {
	if m.flags.Out == "" {
		return nil, usagef("hls() needs a folder: --out FOLDER")
	}
	policy, err := m.policy(spec)
	if err != nil {
		return nil, err
	}
	return &folderSink{m: m, policy: policy, copies: spec.Ladder == nil}, nil
}

// policy is what a script asked for.
func (m *scriptMedia) policy(spec jsmedia.HLSSpec) (transcode.Policy, error) {
	policy := transcode.Policy{Mode: transcode.Passthrough, EveryVideo: spec.Ladder == nil}
	if l := spec.Ladder; l != nil {
		policy.Mode, policy.Rungs, policy.Encoder = l.Mode, l.Rungs, l.Encoder
	}
	if m.source != nil && policy.Encoder.Threads == 0 {
		policy.Encoder.Threads = 1 // x264's rate control on several is never twice the same
	}
	if spec.HLS.Segment != nil {
		policy.Segment = *spec.HLS.Segment
	}
	if spec.HLS.Container != nil {
		policy.TransportStream = *spec.HLS.Container == "ts"
	}
	return policy, policy.Check()
}

// ladder makes what stands behind a ladder() that does not go into hls() alone.
func (m *scriptMedia) ladder(spec jsmedia.HLSSpec, out jsmedia.LadderOutput) (jsmedia.HLSSink, error) {
	policy, err := m.policy(spec)
	if err != nil {
		return nil, err
	}
	return &ladderSink{pipeline.NewFileSink(m.flags.Source, m.engine, out, policy, slog.New(slog.DiscardHandler))}, nil
}

// placed makes what hls() writes to that such a ladder goes into.
func (m *scriptMedia) placed(o jsmedia.HLSOptions) (jsmedia.PlacedSink, error) {
	if m.flags.Out == "" {
		return nil, usagef("hls() needs a folder: --out FOLDER")
	}
	policy, err := m.policy(jsmedia.HLSSpec{HLS: o})
	if err != nil {
		return nil, err
	}
	f, err := pipeline.NewPlacedFolder(m.flags.Out, policy, slog.New(slog.DiscardHandler))
	if err != nil { // not a nil folder in an interface
		return nil, err
	}
	return f, nil
}

// ladderSink is a pipeline.Sink as the media streams want it.
type ladderSink struct{ s *pipeline.Sink }

func (k *ladderSink) Start(_ context.Context, tracks []jsmedia.HLSTrack) error {
	all := make([]*media.Track, len(tracks))
	for i, t := range tracks {
		all[i] = t.Track
	}
	return k.s.Start(all)
}

func (k *ladderSink) Write(_ context.Context, p *media.Packet) error { return k.s.Write(p) }

func (k *ladderSink) WriteFrame(_ context.Context, t *media.Track, f transcode.Frame, epoch uint32, arrival time.Duration) error {
	return k.s.WriteFrame(t, f, epoch, arrival)
}

func (k *ladderSink) End(context.Context) error {
	err := k.s.End()
	k.s.Close()
	return err
}

func (k *ladderSink) Abort(error) { k.s.Close() }

// folderSink is a pipeline.Folder as the media streams want it.
type folderSink struct {
	m      *scriptMedia
	policy transcode.Policy
	copies bool // no ladder was asked for
	f      *pipeline.Folder
}

func (s *folderSink) Start(_ context.Context, tracks []jsmedia.HLSTrack) error {
	all := make([]*media.Track, len(tracks))
	for i, t := range tracks {
		all[i] = t.Track
		if s.copies && t.Frames && t.Track.Kind == media.Video {
			s.policy.Mode, s.policy.EveryVideo = transcode.Auto, false // there is nothing to copy
		}
	}
	var err error
	s.f, err = pipeline.NewFolder(s.m.flags.Out, s.m.flags.Source, s.m.engine, s.policy, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return s.f.Start(all)
}

func (s *folderSink) Write(_ context.Context, p *media.Packet) error { return s.f.Write(p) }

func (s *folderSink) WriteFrame(_ context.Context, t *media.Track, f transcode.Frame, epoch uint32, arrival time.Duration) error {
	return s.f.WriteFrame(t, f, epoch, arrival)
}

func (s *folderSink) End(ctx context.Context) error { return s.f.End(ctx) }

func (s *folderSink) Abort(error) {
	if s.f != nil {
		s.f.Abort()
	}
}
