package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
)

// supervise is the goroutine that decides which process is current.
func (h *Host) supervise(ctx context.Context) {
	script, _ := h.given()
	s := &supervision{h: h, budget: child.Budget{Pause: h.opts.Pause}, files: newFiles([]string{script}), begin: time.Now()}
	poll := time.NewTicker(h.opts.Poll)
	defer poll.Stop()
	s.start(ctx)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-readyOf(s.next):
			s.promote()
		case <-goneOf(s.next):
			s.rejected()
		case <-goneOf(s.current):
			s.died()
		case <-s.pause:
			s.pause = nil
			s.start(ctx)
		case <-h.other:
			script, _ := h.given()
			s.files = newFiles([]string{script})
			s.changed(ctx, "the app is another one now, or sees other variables")
		case <-poll.C:
			if s.files.changed() {
				s.changed(ctx, "the app's files changed")
			}
		}
	}
	s.end()
}

// supervision is the state of supervise.
type supervision struct {
	h       *Host
	current *instance // is asked
	next    *instance // starts
	retired sync.WaitGroup
	budget  child.Budget
	begin   time.Time
	pause   <-chan time.Time // set while a start waits
	files   *files
}

func readyOf(i *instance) <-chan struct{} {
	if i == nil {
		return nil
	}
	return i.ready
}

func goneOf(i *instance) <-chan struct{} {
	if i == nil {
		return nil
	}
	return i.gone
}

// start starts another process beside the one that may be there.
func (s *supervision) start(ctx context.Context) {
	i, err := s.h.launch(ctx)
	if err != nil {
		s.h.down(err)
		s.rest()
		return
	}
	s.next = i
}

// rest lets the next start wait.
func (s *supervision) rest() {
	pause, again := s.budget.Spend(time.Since(s.begin))
	if !again {
		pause = longRest
	}
	s.pause = time.After(pause)
}

// longRest is between starts of an app that dies again and again.
const longRest = 30 * time.Second

// promote makes the process that is ready the current one.
func (s *supervision) promote() {
	old := s.current
	s.current, s.next = s.next, nil
	script, _ := s.h.given()
	s.files = newFiles(append(s.current.inputs, script))
	h := s.h
	h.mu.Lock()
	h.current, h.known, h.why = s.current, s.current.hooks.Load(), nil
	h.change()
	h.mu.Unlock()
	h.logger().Info("the app runs", "pid", s.current.p.PID, "files", len(s.current.inputs))
	h.opts.Tell("app:ready", "", map[string]any{"pid": s.current.p.PID})
	if old != nil {
		s.retired.Go(old.leave)
	}
}

// rejected deals with a process that ended before it was ready.
func (s *supervision) rejected() {
	i := s.next
	s.next = nil
	s.files.add(i)
	if s.current != nil {
		s.h.mu.Lock()
		s.h.why = i.death
		s.h.mu.Unlock()
		s.h.logger().Error("the changed app does not start; the old one goes on", attrs(i.death)...)
		s.h.opts.Tell("app:rejected", "", reason(i.death))
		return
	}
	s.h.down(i.death)
	var f *failure
	if errors.As(i.death, &f) && f.hopeless() {
		return // until a file changes
	}
	s.rest()
}

// died deals with the death of the current process.
func (s *supervision) died() {
	i := s.current
	s.current = nil
	s.h.mu.Lock()
	s.h.restarts++
	s.h.mu.Unlock()
	s.h.down(i.death)
	if s.next == nil {
		s.rest()
	}
}

// changed starts the script anew, for a reason.
func (s *supervision) changed(ctx context.Context, why string) {
	s.h.logger().Info(why)
	if s.next != nil {
		s.next.p.Kill(child.Closed, why)
		<-s.next.gone
		s.next = nil
	}
	s.pause = nil
	s.budget = child.Budget{Pause: s.h.opts.Pause}
	s.start(ctx)
}

// end ends all processes.
func (s *supervision) end() {
	for _, i := range []*instance{s.current, s.next} {
		if i != nil {
			s.retired.Go(i.leave)
		}
	}
	s.retired.Wait()
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	s.h.current = nil
	s.h.change()
}

// down makes known that no process is there, and why.
func (h *Host) down(err error) {
	h.mu.Lock()
	h.current, h.why = nil, err
	h.change()
	h.mu.Unlock()
	h.logger().Error("the app is down", attrs(err)...)
	h.opts.Tell("app:died", "", reason(err))
}

// dropped takes note that an instance is gone before supervise has.
func (h *Host) dropped(i *instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == i {
		h.current = nil
	}
}

func reason(err error) map[string]string {
	data := map[string]string{"reason": err.Error()}
	var f *failure
	if errors.As(err, &f) && f.said != nil && f.said.Position != "" {
		data["position"] = f.said.Position
	}
	return data
}

// attrs are what a log line tells of a death.
func attrs(err error) []any {
	list := []any{"err", err}
	var f *failure
	if !errors.As(err, &f) {
		return list
	}
	if f.said != nil && f.said.Stack != "" {
		list = append(list, "stack", f.said.Stack)
	}
	if f.death.Printed != "" {
		list = append(list, "printed", f.death.Printed)
	}
	return list
}
