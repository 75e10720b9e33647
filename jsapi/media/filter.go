package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

func asOption(err error, to **transcode.OptionError) bool { return errors.As(err, to) }

// filter is a libavfilter graph. It is made when each of its inputs has
// delivered a frame, because only then the kinds of all are known.
type filter struct {
	s           *stage
	description string

	graph    transcode.FrameFilter
	inputs   map[int]int // by the stage's input: the graph's
	forced   bool        // to be made of the inputs that there are
	held     []object    // until it is made
	tracks   map[media.Kind]*media.Track
	epoch    uint32
	commands commands
	again    uint32        // added to the epoch, for each restart
	arrival  time.Duration // of the newest
	ended    map[int]bool
}

func (f *filter) take(ctx context.Context, o object) error {
	if f.graph == nil {
		f.held = append(f.held, o)
		return f.begin(ctx)
	}
	if o.epoch != f.epoch {
		if err := f.finish(ctx); err != nil {
			o.close()
			return err
		}
		f.close()
		f.held = append(f.held, o)
		return f.begin(ctx)
	}
	return f.push(ctx, o)
}

// begin makes the graph as soon as the kinds of its inputs are known.
func (f *filter) begin(ctx context.Context) error {
	kinds := map[int]media.Kind{}
	for _, o := range f.held {
		if _, seen := kinds[o.input]; !seen {
			kinds[o.input] = o.frame.Kind()
		}
	}
	if len(kinds)+len(f.ended) < int(f.s.inputs.Load()) && len(f.held) < 64 && !f.forced {
		return nil
	}
	var list []media.Kind
	f.inputs = map[int]int{}
	for _, input := range order(kinds) {
		f.inputs[input] = len(list)
		list = append(list, kinds[input])
	}
	graph, err := f.s.m.opts.Engine.Filter(f.description, list)
	if err != nil {
		return f.s.failure(codeFilter, false, err)
	}
	f.graph, f.epoch = graph, f.held[0].epoch
	held := f.held
	f.held = nil
	for i, o := range held {
		if err := f.push(ctx, o); err != nil {
			for _, o := range held[i+1:] {
				o.close()
			}
			return err
		}
	}
	return nil
}

func (f *filter) push(ctx context.Context, o object) error {
	input, ok := f.inputs[o.input]
	if !ok {
		o.close()
		return f.s.failure(codeLink, false, errors.New("another stream was piped into it after it had begun; pipe all of its inputs at once"))
	}
	if o.track != nil {
		f.tracks[o.track.Kind] = o.track
	}
	f.arrival = o.arrival
	return f.run(ctx, input, o.frame)
}

func (f *filter) run(ctx context.Context, input int, frame transcode.Frame) error {
	for _, c := range f.commands.all() {
		if err := f.graph.Command(c.target, c.name, c.argument); err != nil {
			if frame != nil {
				frame.Close()
			}
			return f.s.failure(codeOption, false, err)
		}
	}
	var blocked error
	err := f.graph.Push(input, frame, func(output int, out transcode.Frame) error {
		blocked = f.put(ctx, output, object{frame: out, track: f.tracks[out.Kind()], epoch: f.epoch + f.again, arrival: f.arrival})
		return blocked
	})
	if blocked != nil {
		return blocked
	}
	if err != nil {
		return f.s.failure(codeFilter, true, err)
	}
	return nil
}

// inputEnded ends one of several inputs.
func (f *filter) inputEnded(ctx context.Context, input int) error {
	f.ended[input] = true
	i, ok := f.inputs[input]
	if f.graph == nil || !ok || len(f.inputs) < 2 {
		return nil
	}
	delete(f.inputs, input)
	return f.run(ctx, i, nil)
}

func (f *filter) finish(ctx context.Context) error {
	if f.graph == nil && len(f.held) > 0 {
		f.forced = true
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	if f.graph == nil {
		return nil
	}
	for _, input := range order(f.inputs) {
		if err := f.run(ctx, f.inputs[input], nil); err != nil {
			return err
		}
	}
	return nil
}

// restart begins anew with the next frame.
func (f *filter) restart() {
	f.again++
	f.close()
}

func (f *filter) close() {
	if f.graph != nil {
		f.graph.Close()
		f.graph = nil
	}
	for i := range f.held {
		f.held[i].close()
	}
	f.held = nil
}

// command changes a filter that runs.
type command struct{ target, name, argument string }

// commands are those that wait for the next frame.
type commands struct {
	mu   sync.Mutex
	list []command
}

func (c *commands) put(one command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, one)
}

func (c *commands) all() []command {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}
