package media

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/loop"
)

// form is what flows over a link.
type form string

const (
	packets form = "packets"
	frames  form = "frames"
	either  form = "packets or frames"
	bytes   form = "bytes"
	nothing form = ""
)

// worker is what a stage does with the objects that reach it. It is used by
// the stage's goroutine alone.
type worker interface {
	// take handles an object, which it takes over.
	take(ctx context.Context, o object) error
	// finish puts out what is left, when nothing more comes.
	finish(ctx context.Context) error
	// close frees what the worker holds, in any state.
	close()
}

// restarter is a worker that can begin anew after an error.
type restarter interface {
	restart()
}

// producer is a stage's work where nothing comes in: it puts out until it
// returns.
type producer func(ctx context.Context) error

// stage is one step of the media path: a goroutine with a queue before it and
// an outlet behind, each where it has one.
type stage struct {
	m      *Module
	id     int
	kind   string // decode, filter, encode …
	label  string // for the graph
	output string // of an output of a filter: what it is called
	takes  form
	gives  form

	in       *queue  // nil of a source
	out      *outlet // nil of a sink
	work     worker
	produce  producer
	ladder   *Ladder               // of a ladder()
	feed     *feed                 // of a source
	parent   *stage                // of a track of a source, or an output of a filter: that
	tracks   func() []*media.Track // of a source
	branches []*stage              // of a filter with several outputs: these
	inputs   atomic.Int32          // links and JavaScript, numbered as they came
	toHLS    atomic.Int32          // links that go into hls()

	mu     sync.Mutex
	before map[int]*stage // by input: the stage at its other end
	named  map[string]int // inputs that a script feeds, by its stream's name

	ctx    context.Context
	cancel context.CancelCauseFunc
	once   sync.Once
	done   chan struct{}

	listener func(event string, value goja.Value) // on the loop
	handles  atomic.Bool                          // the script handles errors of this stage
	restarts restarts

	err error // how it ended; after done

	// Of the loop:
	at *loop.Immediate
	js *queue // what JavaScript reads
}

// start starts the stage's goroutine: a source's when all that is being wired
// at the moment has been. It is called on the loop.
func (s *stage) start() {
	if s.parent != nil {
		s.parent.start()
		return
	}
	if s.produce == nil {
		s.begin()
		return
	}
	if s.at != nil {
		return
	}
	s.at = s.m.l.SetImmediate(func() {
		if s.m.opts.Dry {
			s.m.l.Stop(nil)
			return
		}
		s.begin()
	})
}

func (s *stage) begin() {
	s.once.Do(func() {
		s.m.busy.add(1)
		s.m.stayAlive()
		go s.run()
	})
}

func (s *stage) run() {
	defer s.m.busy.add(-1)
	defer close(s.done)
	err := s.loop()
	if s.work != nil {
		s.work.close()
	}
	s.err = err
	if err != nil && !errors.Is(err, errClosed) && s.ctx.Err() == nil {
		s.m.post(func() { s.tell("error", err) })
		return
	}
	if err == nil && s.out != nil {
		s.out.end()
	}
	if err == nil {
		s.endBranches()
	}
	s.m.post(func() { s.tell("done", nil) })
}

func (s *stage) loop() error {
	if s.produce != nil {
		return s.produce(s.ctx)
	}
	for {
		o, err := s.in.pop(s.ctx)
		if errors.Is(err, io.EOF) {
			return s.work.finish(s.ctx)
		}
		if err != nil {
			return err
		}
		if o.ended {
			if e, ok := s.work.(inputEnder); ok {
				if err := e.inputEnded(s.ctx, o.input); err != nil {
					return err
				}
			}
			continue
		}
		if err := s.work.take(s.ctx, o); err != nil {
			if err := s.recover(err); err != nil {
				return err
			}
		}
	}
}

// inputEnder is a worker that wants to know when one of its inputs ends.
type inputEnder interface {
	inputEnded(ctx context.Context, input int) error
}

// recover restarts the worker where its error allows that and the script
// does not want to see to it.
func (s *stage) recover(err error) error {
	var own *Error
	r, can := s.work.(restarter)
	if !errors.As(err, &own) || !own.Recoverable || !can || s.ctx.Err() != nil ||
		s.handles.Load() || !s.restarts.allow() {
		return err
	}
	r.restart()
	s.m.post(func() { s.tell("restart", err) })
	return nil
}

// emit puts out an object, which it takes over.
func (s *stage) emit(ctx context.Context, o object) error { return s.out.push(ctx, o) }

// tell tells the stage's JavaScript of an event, on the loop.
func (s *stage) tell(event string, err error) {
	if err == nil {
		s.say(event, goja.Undefined())
		return
	}
	s.say(event, s.m.l.Reason(reason(err)))
}

func (s *stage) say(event string, value goja.Value) {
	if s.listener != nil {
		s.listener(event, value)
	}
}

// destroy ends the stage at once; f is called on the loop when its goroutine
// has ended.
func (s *stage) destroy(f func()) {
	s.cancel(errDestroyed)
	if s.in != nil {
		s.in.close()
	}
	if s.out != nil {
		s.out.close()
	}
	started := true
	s.once.Do(func() {
		started = false
		close(s.done)
		s.discard()
	})
	if !started {
		f()
		return
	}
	s.m.wait(s.done, f)
}

// discard frees what a stage that never started holds.
func (s *stage) discard() {
	if s.work != nil {
		s.work.close()
	}
	if s.feed != nil {
		s.feed.discard()
	}
}

// link moves objects from one stage to another.
type link struct {
	from, to *stage
	input    int
	q        *queue
	cancel   context.CancelFunc
	done     chan struct{}
}

// join begins a link; ended is called on the loop when everything was moved
// and nothing more comes.
func join(from, to *stage, ended func()) *link {
	ctx, cancel := context.WithCancel(from.ctx)
	l := &link{from: from, to: to, q: from.out.attach(), cancel: cancel, done: make(chan struct{})}
	l.input = to.input(from)
	if to.kind == "hls" {
		from.toHLS.Add(1)
	}
	m := from.m
	m.busy.add(1)
	m.stayAlive()
	go func() {
		defer m.busy.add(-1)
		defer close(l.done)
		for {
			o, err := l.q.pop(ctx)
			if err == nil {
				o.input = l.input
				if err = to.in.push(ctx, o); err != nil && !errors.Is(err, errClosed) {
					l.q.unpop(o)
				}
			}
			switch {
			case errors.Is(err, io.EOF):
				_ = to.in.push(ctx, object{ended: true, input: l.input})
				m.post(ended)
				return
			case err != nil:
				return
			}
		}
	}()
	from.start()
	to.start()
	return l
}

// input is the number of one more input, which from feeds; nil where that is
// a script.
func (s *stage) input(from *stage) int {
	n := int(s.inputs.Add(1)) - 1
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before == nil {
		s.before = map[int]*stage{}
	}
	s.before[n] = from
	return n
}

// given is how many tracks a stage is expected to put out; 0 is not known.
func (s *stage) given() int {
	if s.tracks != nil {
		return len(s.tracks())
	}
	if s.kind == "filter" {
		return 1
	}
	if l, ok := s.work.(*laddering); ok && l.way.Load() == alone {
		return l.made.count()
	}
	n := 0
	for _, of := range s.expected() {
		if of.tracks == 0 {
			return 0
		}
		n += of.tracks
	}
	return n
}

// expectation is how many tracks come by an input; 0 is not known. A script on
// the way may have left some of them out.
type expectation struct {
	tracks   int
	scripted bool
}

// expected is what is expected at each input.
func (s *stage) expected() map[int]expectation {
	s.mu.Lock()
	before, scripted := maps.Clone(s.before), map[int]bool{}
	for _, input := range s.named {
		scripted[input] = true
	}
	s.mu.Unlock()
	all := map[int]expectation{}
	for input, from := range before {
		e := expectation{scripted: scripted[input]}
		if from != nil {
			e.tracks = from.given()
		}
		all[input] = e
	}
	return all
}

// stop ends a link; what it has not moved stays with the stage before it.
func (l *link) stop() {
	l.cancel()
	<-l.done
	if l.to.kind == "hls" {
		l.from.toHLS.Add(-1)
	}
	l.from.out.detach(l.q)
}
