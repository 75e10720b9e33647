package libav

import (
	"fmt"
	"io"
	"strings"
)

// receive hands on all that is ready.
func (f *FrameFilter) receive(emit func(int, *Frame) error) error {
	for again := true; again; {
		again = false
		for o := range f.outputs {
			got, err := f.pull(o, emit)
			if err != nil {
				return err
			}
			again = again || got
		}
	}
	return nil
}

// pull hands on one frame of an output.
func (f *FrameFilter) pull(o int, emit func(int, *Frame) error) (bool, error) {
	if f.ended[o] || f.graph == nil {
		return false, nil
	}
	got, ended, err := f.graph.pull(o, f.frame.f)
	if err != nil {
		return false, err
	}
	f.ended[o] = ended
	if !got {
		return false, nil
	}
	out, err := f.frame.take()
	if err != nil {
		return false, err
	}
	c := f.graph.clocks[o]
	out.clock, out.rate = c.den, c.rate
	if pts, ok := out.PTS(); ok && c.num > 1 {
		out.SetPTS(pts * int64(c.num))
	}
	setDuration(out.f, duration(out.f)*int64(c.num))
	if err := out.upright(); err != nil {
		out.Close()
		return false, err
	}
	return true, emit(o, out)
}

// generate takes the next frame of each output of a graph without inputs.
func (f *FrameFilter) generate(emit func(int, *Frame) error) error {
	if f.graph == nil {
		g, err := newGraph(f.description, nil, 1)
		if err != nil {
			return err
		}
		f.graph = g
	}
	more := false
	for o := range f.outputs {
		if _, err := f.pull(o, emit); err != nil {
			return err
		}
		more = more || !f.ended[o]
	}
	if !more {
		return io.EOF
	}
	return nil
}

// Command changes a running filter, and again each time that the graph is
// built. target is the name of a filter, or what stands after its @.
func (f *FrameFilter) Command(target, command, argument string) error {
	if f.closed {
		return fmt.Errorf("filter %s: it is closed", f.description)
	}
	if f.graph != nil {
		if err := f.graph.command(target, command, argument); err != nil {
			return fmt.Errorf("filter %s: %w", f.description, err)
		}
	} else if !strings.Contains(f.description, target) {
		return fmt.Errorf("filter %s: no filter called %s", f.description, target)
	}
	for i, c := range f.commands {
		if c.target == target && c.command == command {
			f.commands[i].argument = argument
			return nil
		}
	}
	f.commands = append(f.commands, filterCommand{target, command, argument})
	return nil
}
