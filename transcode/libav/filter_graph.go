package libav

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// FrameFilter runs a libavfilter graph; see transcode.Engine. It is built when
// each input has brought its first frame, and built again when the frames of
// one change their shape.
type FrameFilter struct {
	description string
	kinds       []media.Kind // of the inputs
	outputs     []string     // labels

	graph    *graph
	inputs   []filterInput
	ended    []bool // outputs
	commands []filterCommand
	frame    *Frame // what comes out
	closed   bool
}

// filterInput is one input of a FrameFilter.
type filterInput struct {
	form    form
	like    *Frame   // has the form
	waiting []*Frame // until the graph can be built
	bytes   int64
	ended   bool
}

type filterCommand struct{ target, command, argument string }

// form is what a graph is built for at one input.
type form struct {
	shape
	sound  soundShape
	clock  int
	frames media.Rational
}

// mostWaitingFrames is how much may wait at an input for the first frame of
// another one, in bytes.
const mostWaitingFrames = 256 << 20

func formOf(f *Frame) form {
	if f.Kind() == media.Video {
		return form{shape: shapeOf(f.f), clock: f.clock, frames: f.rate}
	}
	return form{sound: soundShape{f.SampleRate(), f.Channels(), f.f.SampleFormat()}, clock: f.clock}
}

// NewFrameFilter reads a description. What is wrong with it is a
// *transcode.OptionError or a *GraphError.
func NewFrameFilter(description string, kinds []media.Kind) (*FrameFilter, error) {
	if err := checkSegment(description); err != nil {
		return nil, err
	}
	in, out, err := openKinds(description)
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", description, err)
	}
	if len(in) != len(kinds) {
		return nil, fmt.Errorf("filter %s: the graph has %s open, and %d come in: %w",
			description, amount(len(in), "input"), len(kinds), ErrShape)
	}
	for i := range in {
		if in[i] != kinds[i] {
			return nil, fmt.Errorf("filter %s: input %d takes %s, and %s comes in: %w", description, i, in[i], kinds[i], ErrShape)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("filter %s: nothing comes out of the graph: %w", description, ErrShape)
	}
	frame, err := newFrame()
	if err != nil {
		return nil, err
	}
	return &FrameFilter{
		description: description, kinds: kinds, outputs: out, inputs: make([]filterInput, len(in)),
		ended: make([]bool, len(out)), frame: frame,
	}, nil
}

// Outputs are the labels of the outputs in order, empty where one has none.
func (f *FrameFilter) Outputs() []string { return f.outputs }

// Push gives one input a frame, which the filter takes over, and hands on what
// is ready; nil ends the input. A graph without inputs goes on by one frame an
// output with each Push of nil to input 0, and answers io.EOF when it has ended.
func (f *FrameFilter) Push(i int, frame transcode.Frame, emit func(int, transcode.Frame) error) error {
	var in *Frame
	if frame != nil {
		var err error
		if in, err = FrameOf(frame); err != nil {
			return fmt.Errorf("filter: %w", err)
		}
	}
	err := f.push(i, in, func(o int, out *Frame) error { return emit(o, out) })
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("filter %s: %w", f.description, err)
	}
	return err
}

func (f *FrameFilter) push(i int, in *Frame, emit func(int, *Frame) error) error {
	if in != nil {
		defer in.Close()
	}
	if f.closed {
		return errors.New("it is closed")
	}
	if len(f.inputs) == 0 && i == 0 && in == nil {
		return f.generate(emit)
	}
	if i < 0 || i >= len(f.inputs) {
		return fmt.Errorf("there is no input %d: %w", i, ErrShape)
	}
	if f.inputs[i].ended {
		if in == nil {
			return nil
		}
		return fmt.Errorf("a frame for input %d, which has ended: %w", i, ErrOrder)
	}
	if in == nil {
		return f.end(i, emit)
	}
	return f.feed(i, in, emit)
}

func (f *FrameFilter) feed(i int, in *Frame, emit func(int, *Frame) error) error {
	if in.Kind() != f.kinds[i] {
		return fmt.Errorf("input %d takes %s, and %s came in: %w", i, f.kinds[i], in.Kind(), ErrShape)
	}
	if in.clock <= 0 {
		return fmt.Errorf("a frame of no clock rate came in: %w", ErrShape)
	}
	if in.rate.Known() && duration(in.f) <= 0 {
		// Filters that fill time want to know how long the last one lasts.
		setDuration(in.f, media.Rescale(int64(in.rate.Den), in.rate.Num, in.clock))
	}
	to := &f.inputs[i]
	is := formOf(in)
	if is == to.form && f.graph != nil {
		return f.run(i, in, emit)
	}
	if f.graph != nil {
		if err := f.drain(emit); err != nil {
			return err
		}
	}
	if to.like == nil || is != to.form {
		if err := to.reshape(in, is); err != nil {
			return err
		}
	}
	if !f.complete() {
		return f.wait(i, in)
	}
	return f.begin(i, in, emit)
}

// reshape takes note of another form. What waited in the old one is of no use.
func (in *filterInput) reshape(like *Frame, is form) error {
	in.discard()
	own, err := like.Share()
	if err != nil {
		return err
	}
	in.like, in.form = own, is
	return nil
}

// discard frees what the input holds.
func (in *filterInput) discard() {
	if in.like != nil {
		in.like.Close()
		in.like = nil
	}
	for _, w := range in.waiting {
		w.Close()
	}
	in.waiting, in.bytes = nil, 0
}

// complete reports whether every input has brought a frame.
func (f *FrameFilter) complete() bool {
	for i := range f.inputs {
		if f.inputs[i].like == nil {
			return false
		}
	}
	return true
}

func (f *FrameFilter) wait(i int, in *Frame) error {
	to := &f.inputs[i]
	if to.bytes += in.Bytes(); to.bytes > mostWaitingFrames {
		return fmt.Errorf("%d frames wait at input %d for the first one of the others: %w", len(to.waiting), i, ErrTooLarge)
	}
	own, err := in.take()
	if err != nil {
		return err
	}
	to.waiting = append(to.waiting, own)
	return nil
}

// begin builds the graph and gives it what waited, and then in.
func (f *FrameFilter) begin(i int, in *Frame, emit func(int, *Frame) error) error {
	rebuilt := true
	for n := range f.inputs {
		rebuilt = rebuilt && len(f.inputs[n].waiting) == 0
	}
	inputs := make([]input, len(f.inputs))
	for n := range f.inputs {
		like := f.inputs[n].like
		inputs[n] = input{like: like.f, clock: like.clock, rate: like.rate}
	}
	g, err := newGraph(f.description, inputs, 1)
	if err != nil {
		return err
	}
	f.graph = g
	for _, c := range f.commands {
		if err := g.command(c.target, c.command, c.argument); err != nil {
			return err
		}
	}
	clear(f.ended)
	for n := range f.inputs {
		to := &f.inputs[n]
		waited := to.waiting
		to.waiting, to.bytes = nil, 0
		for len(waited) > 0 && err == nil {
			err = f.run(n, waited[0], emit)
			waited[0].Close()
			waited = waited[1:]
		}
		for _, w := range waited {
			w.Close()
		}
		if err == nil && to.ended {
			// A picture that was the only one, as a logo is, stays.
			if rebuilt && f.kinds[n] == media.Video {
				err = g.push(n, to.like.f)
			}
			if err == nil {
				err = g.push(n, nil)
			}
		}
		if err != nil {
			return err
		}
	}
	if in == nil {
		return f.receive(emit)
	}
	return f.run(i, in, emit)
}

// run pushes one frame through.
func (f *FrameFilter) run(i int, in *Frame, emit func(int, *Frame) error) error {
	if f.kinds[i] == media.Video && f.inputs[i].like != nil && len(f.inputs) > 1 {
		// The newest picture is what a graph that is built again begins with.
		like := f.inputs[i].like
		like.f.Unref()
		if err := like.f.Ref(in.f); err != nil {
			return err
		}
	}
	err := f.graph.push(i, in.f)
	if err != nil && !errors.Is(err, astiav.ErrEof) { // the graph may want no more
		return err
	}
	return f.receive(emit)
}

// end ends an input.
func (f *FrameFilter) end(i int, emit func(int, *Frame) error) error {
	to := &f.inputs[i]
	to.ended = true
	if to.like == nil {
		return fmt.Errorf("input %d ended before its first frame: %w", i, ErrShape)
	}
	if f.graph == nil {
		return nil // it goes on when the graph is built
	}
	if err := f.graph.push(i, nil); err != nil && !errors.Is(err, astiav.ErrEof) {
		return err
	}
	return f.receive(emit)
}

// drain puts out what the graph holds and frees it.
func (f *FrameFilter) drain(emit func(int, *Frame) error) error {
	defer f.release()
	for i := range f.inputs {
		if f.inputs[i].ended {
			continue
		}
		if err := f.graph.push(i, nil); err != nil && !errors.Is(err, astiav.ErrEof) {
			return err
		}
	}
	return f.receive(emit)
}

func (f *FrameFilter) release() {
	if f.graph != nil {
		f.graph.free()
		f.graph = nil
	}
}

// Close frees the filter with everything it still holds. It may be called
// twice.
func (f *FrameFilter) Close() {
	f.closed = true
	f.release()
	f.frame.Close()
	for i := range f.inputs {
		f.inputs[i].discard()
	}
}
