package transcode

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

func TestScriptGuard(t *testing.T) {
	cut := func(segment, discontinuity uint64) *wire.Cut {
		return &wire.Cut{Segment: segment, Discontinuity: discontinuity, ClockRate: 90000}
	}
	packet := func(rendition string, segment, discontinuity uint64, size int) func(*scriptGuard) error {
		return func(g *scriptGuard) error {
			p := &media.Packet{Track: h264(320, 180), Payload: make([]byte, size)}
			return g.packet(rendition, media.Placed{Packet: p, Segment: segment, Discontinuity: discontinuity}, time.Second)
		}
	}
	cuts := func(m *wire.Cut) func(*scriptGuard) error {
		return func(g *scriptGuard) error { _, err := g.cut(m); return err }
	}
	for _, c := range []struct {
		name string
		do   []func(*scriptGuard) error
		want string // part of the last one's error; empty is none
	}{
		{"in order", []func(*scriptGuard) error{cuts(cut(1, 1)), packet("720p", 1, 1, 10), cuts(cut(2, 1)), packet("720p", 2, 1, 10)}, ""},
		{"a discontinuity", []func(*scriptGuard) error{cuts(cut(1, 1)), cuts(cut(2, 2)), packet("720p", 2, 2, 10)}, ""},
		{"first segment is not 1", []func(*scriptGuard) error{cuts(cut(7, 1))}, "cut segment 7"},
		{"a segment is left out", []func(*scriptGuard) error{cuts(cut(1, 1)), cuts(cut(3, 1))}, "cut segment 3"},
		{"two discontinuities", []func(*scriptGuard) error{cuts(cut(1, 1)), cuts(cut(2, 3))}, "discontinuity 3"},
		{"a stranger", []func(*scriptGuard) error{cuts(cut(1, 1)), packet("4320p", 1, 1, 10)}, "4320p"},
		{"before its cut", []func(*scriptGuard) error{packet("720p", 1, 1, 10)}, "segment 1"},
		{"in the wrong discontinuity", []func(*scriptGuard) error{cuts(cut(1, 1)), packet("720p", 1, 2, 10)}, "discontinuity 2"},
		{"backwards", []func(*scriptGuard) error{
			cuts(cut(1, 1)), cuts(cut(2, 1)), packet("720p", 2, 1, 10), packet("720p", 1, 1, 10),
		}, "after segment 2"},
		{"too much", []func(*scriptGuard) error{cuts(cut(1, 1)), packet("720p", 1, 1, scriptBurst/2), packet("720p", 1, 1, scriptBurst/2)}, "MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newScriptGuard()
			g.renditions(&wire.Renditions{Renditions: []wire.Rendition{{Name: "720p", Kind: media.Video}}})
			var err error
			for i, do := range c.do {
				if err = do(g); err != nil && i < len(c.do)-1 {
					t.Fatalf("step %d: %v", i+1, err)
				}
			}
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	g := newScriptGuard()
	first, err := g.cut(&wire.Cut{Segment: 1, Discontinuity: 1, ClockRate: 1, Wall: 5e18})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := g.cut(&wire.Cut{Segment: 2, Discontinuity: 1, ClockRate: 1, Wall: 4e18}); err != nil || second.Wall.Before(first.Wall) {
		t.Errorf("dates go back: %v, then %v, %v", first.Wall, second.Wall, err)
	}
	if err := g.trackOf(&wire.Track{Rendition: "720p", Track: *h264(320, 180)}); err == nil {
		t.Error("a track of no rendition was taken")
	}
}

// Of too many messages the oldest of the app's go; what the server says itself
// stays.
func TestMailbox(t *testing.T) {
	b := newMailbox()
	b.put(&wire.Presence{})
	for i := range 2 * mailMessages {
		b.put(&wire.Script{Topic: fmt.Sprint(i), Sizes: []int{1}, Body: []byte("1")})
	}
	var got []wire.Message
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.carry(func(m wire.Message) error {
			if got = append(got, m); len(got) == mailMessages {
				return errors.New("enough")
			}
			return nil
		})
	}()
	<-done
	last, _ := got[len(got)-1].(*wire.Script)
	if _, ok := got[0].(*wire.Presence); !ok || last == nil || last.Topic != fmt.Sprint(2*mailMessages-1) {
		t.Errorf("first %T, last %v", got[0], last)
	}
	big := newMailbox()
	for range 10 {
		big.put(&wire.Script{Topic: "t", Body: make([]byte, wire.MaxMessage)})
	}
	if big.bytes > mailBytes || len(big.queue) != mailBytes/wire.MaxMessage {
		t.Errorf("%d messages of %d bytes wait", len(big.queue), big.bytes)
	}
	big.close()
	big.put(&wire.Presence{})
	big.carry(func(wire.Message) error { t.Error("a closed mailbox carries"); return nil })
}

// stage is a ScriptOutput that remembers.
type stage struct {
	mu      sync.Mutex
	packets int
	cuts    []media.Cut
	files   []string
	said    []*wire.Script
	died    chan error
}

func (s *stage) do(f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	return nil
}

func (s *stage) Files(paths []string)              { _ = s.do(func() { s.files = paths }) }
func (s *stage) Renditions(*wire.Renditions) error { return nil }
func (s *stage) Cut(c media.Cut) error             { return s.do(func() { s.cuts = append(s.cuts, c) }) }
func (s *stage) Packet(string, media.Placed) error { return s.do(func() { s.packets++ }) }
func (s *stage) GivenUp(Degradation)               {}
func (s *stage) Suspended()                        {}
func (s *stage) Handed()                           {}
func (s *stage) Message(m *wire.Script)            { _ = s.do(func() { s.said = append(s.said, m) }) }
func (s *stage) Died(err error)                    { s.died <- err }

func startScript(t *testing.T, mode string, change func(*Options)) (*Script, *stage) {
	t.Helper()
	o := Options{Command: worker(mode), Silence: 300 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	supervisor, err := NewSupervisor(o)
	if err != nil {
		t.Fatal(err)
	}
	out := &stage{died: make(chan error, 1)}
	run, err := supervisor.StartScript(t.Context(), ScriptJob{
		Name: "cam", Script: "/front.js", Tracks: []*media.Track{h264(320, 180)}, Policy: Policy{Live: true}, Output: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	return run, out
}

func write(t *testing.T, run *Script, n int) {
	t.Helper()
	track := h264(320, 180)
	for i := range n {
		if err := run.Write(&media.Packet{Track: track, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Key: i == 0, Payload: []byte("x")}); err != nil {
			return // its death tells
		}
	}
}

func TestScriptRunsAndEnds(t *testing.T) {
	run, out := startScript(t, "script", nil)
	write(t, run, 10)
	run.Send(&wire.Script{Topic: "echo", Sizes: []int{2}, Body: []byte("{}")})
	if err := run.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	run.Close()
	if len(out.cuts) != 1 || out.packets != 10 || len(out.files) != 1 {
		t.Errorf("%d cuts, %d packets, files %q", len(out.cuts), out.packets, out.files)
	}
	if st := run.Stats(); st.PacketsIn != 10 || st.PacketsOut != 10 {
		t.Errorf("stats %+v", st)
	}
	select {
	case err := <-out.died:
		t.Errorf("it died: %v", err)
	default:
	}
}

func TestScriptDeaths(t *testing.T) {
	for mode, want := range map[string]struct {
		outcome Outcome
		text    string
	}{
		"script=throw":  {Threw, "/front.js:1:2: TypeError: x"},
		"script=exit":   {Threw, "the script failed"},
		"script=panic":  {Crashed, "at once"},
		"script=mute":   {Silent, "not given way"},
		"script=uncut":  {Broke, "segment 9"},
		"script=rushes": {Broke, "messages in a second"},
	} {
		t.Run(mode, func(t *testing.T) {
			run, out := startScript(t, mode, nil)
			write(t, run, 10)
			var death *Death
			if err := <-out.died; !errors.As(err, &death) || death.Outcome != want.outcome || !strings.Contains(death.Error(), want.text) {
				t.Errorf("death %v, want %s with %q", err, want.outcome, want.text)
			}
		})
	}
}

func TestScriptThatDoesNotStart(t *testing.T) {
	supervisor, err := NewSupervisor(Options{Command: worker("unable")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := supervisor.StartScript(t.Context(), ScriptJob{Name: "cam", Script: "/front.js"}); err == nil {
		t.Error("it started")
	}
}

// script is the fake worker of TestScript…: it copies, or does wrong.
func (f *fake) script(m wire.Message) (code int, leave bool) {
	switch m := m.(type) {
	case *wire.ScriptJob:
		switch f.arg {
		case "throw":
			f.send(&wire.Error{Class: wire.ClassScript, Node: m.Script + ":1:2", Message: "TypeError: x"})
			return wire.ExitScript, true
		case "exit":
			return wire.ExitScript, true
		case "panic":
			panic("at once")
		case "rushes":
			for range 2 * maxControl {
				f.send(&wire.Suspended{})
			}
		}
		f.send(&wire.Files{Paths: []string{m.Script}})
		f.send(&wire.Renditions{Renditions: []wire.Rendition{{Name: "180p", Kind: media.Video}}})
		f.send(&wire.Cut{Segment: 1, Discontinuity: 1, ClockRate: 90000, Wall: time.Now().UnixNano()})
		t := m.Tracks[0]
		f.send(&wire.Track{Rendition: "180p", Track: t})
		if f.arg != "mute" {
			go func() {
				for {
					time.Sleep(20 * time.Millisecond)
					f.send(&wire.Stats{Position: "front.js:1"})
				}
			}()
		}
	case *wire.Packet:
		m.Segment, m.Discontinuity = 1, 1
		if f.arg == "uncut" {
			m.Segment = 9
		}
		f.send(m)
	case *wire.Script:
		f.send(m)
	case *wire.Drain:
		f.send(&wire.Drained{})
	case *wire.Bye:
		return wire.ExitDone, true
	}
	return 0, false
}
