package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/transcode"
)

// Folder is a Sink whose presentation is built on disk: what a script makes of
// a file, whole or not at all.
type Folder struct {
	sink *Sink
	pres *packager.Presentation
}

// NewFolder makes ready to build a presentation in dir.
func NewFolder(dir, name string, engine transcode.Engine, policy transcode.Policy, logger *slog.Logger) (*Folder, error) {
	pres, err := folder(dir, &policy, logger)
	if err != nil {
		return nil, err
	}
	return &Folder{pres: pres, sink: NewFileSink(name, engine, folderOutput{pres}, policy, logger)}, nil
}

// NewFileSink makes a Sink for media that comes from a file.
func NewFileSink(name string, engine transcode.Engine, out SinkOutput, policy transcode.Policy, logger *slog.Logger) *Sink {
	if policy.Segment == 0 {
		policy.Segment = 2 * time.Second
	}
	return NewSink(SinkConfig{
		Name: name, Logger: logger, Engine: engine, Output: out, Policy: policy,
		// A file arrives by its own time.
		Date: func(arrival time.Duration) time.Time { return time.Unix(0, int64(arrival)) },
	})
}

func folder(dir string, policy *transcode.Policy, logger *slog.Logger) (*packager.Presentation, error) {
	if policy.Segment == 0 {
		policy.Segment = 2 * time.Second
	}
	if err := policy.Check(); err != nil {
		return nil, err
	}
	out, err := store.NewOutput(dir)
	if err != nil {
		return nil, err
	}
	pres, err := packager.New(packager.Config{
		Segment: policy.Segment, Container: container(policy.TransportStream), VOD: true, Output: out, Logger: logger,
	})
	if err != nil {
		return nil, errors.Join(err, out.Discard())
	}
	return pres, nil
}

// PlacedFolder is a presentation on disk of what a Sink has placed.
type PlacedFolder struct {
	SinkOutput
	pres *packager.Presentation
}

// NewPlacedFolder makes ready to build a presentation in dir.
func NewPlacedFolder(dir string, policy transcode.Policy, logger *slog.Logger) (*PlacedFolder, error) {
	pres, err := folder(dir, &policy, logger)
	if err != nil {
		return nil, err
	}
	return &PlacedFolder{folderOutput{pres}, pres}, nil
}

// End puts everything out; the presentation is in its place then.
func (f *PlacedFolder) End(context.Context) error {
	err := f.pres.End() //nolint:contextcheck // it is bounded by itself
	f.pres.Close()
	return err
}

// Abort leaves nothing in the folder.
func (f *PlacedFolder) Abort(error) { f.pres.Close() }

// Start names the tracks that come.
func (f *Folder) Start(tracks []*media.Track) error { return f.sink.Start(tracks) }

// Write takes a packet.
func (f *Folder) Write(p *media.Packet) error { return f.sink.Write(p) }

// WriteFrame takes a frame over in place of a packet.
func (f *Folder) WriteFrame(t *media.Track, frame transcode.Frame, epoch uint32, arrival time.Duration) error {
	return f.sink.WriteFrame(t, frame, epoch, arrival)
}

// End puts everything out; the presentation is in its place then.
func (f *Folder) End(context.Context) error {
	err := f.sink.End()
	f.sink.Close()
	if err == nil {
		err = f.pres.End() //nolint:contextcheck // it is bounded by itself
	}
	f.pres.Close()
	return err
}

// Abort leaves nothing in the folder.
func (f *Folder) Abort() {
	f.sink.Close()
	f.pres.Close()
}

// folderOutput gives a presentation what a Sink makes.
type folderOutput struct{ pres *packager.Presentation }

func (o folderOutput) Plan(plan *transcode.Plan, dependent bool) error {
	if dependent {
		o.pres.SetDependent()
		return nil // the plan is the one that was told before
	}
	return o.pres.SetRenditions(renditions(plan))
}

func (o folderOutput) Cut(c media.Cut) error { return o.pres.Cut(c) }

func (o folderOutput) Write(rendition string, p media.Placed) error {
	return o.pres.Write(rendition, p)
}

func (folderOutput) Suspended() error { return nil }

func (folderOutput) Handed() error { return nil }

// GivenUp implements SinkOutput; a file waits for its encoders.
func (folderOutput) GivenUp(transcode.Degradation) error { return nil }
