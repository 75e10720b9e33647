//go:build soak

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSoakOverload gives real encoders more than one core can do: a preset
// that is too slow for the size of the picture. What is given up comes in the
// order that the manual states, and the stream goes on in full number of
// frames with what is left.
func TestSoakOverload(t *testing.T) {
	script := filepath.Join(t.TempDir(), "front.js")
	const words = `import { hls, ladder } from 'millrace';
export default async function (source) { source.pipe(ladder('auto')).pipe(hls()); }`
	if err := os.WriteFile(script, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, how := range map[string]string{"built in": "", "by a script": ", pipeline: " + script} {
		t.Run(name, func(t *testing.T) { overload(t, how) })
	}
}

func overload(t *testing.T, how string) {
	t.Helper()
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("taskset is not installed")
	}
	s := start(t, "127.0.0.1", "serve", `streams: [{path: cam, hls: {window: 60s}, encoder: {preset: slow}`+how+`}]`, taskset, "-c", "0")
	events := s.events()
	clip, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) {
		r.Name, r.Video.Width, r.Video.Height, r.Video.Bitrate, r.Video.Detail = "large", 1920, 1080, 8_000_000, 0.5
	})
	s.publish("cam", clip)
	s.live("cam", 4)
	s.eventually(2*time.Minute, "quality is given up", func() error {
		if len(events.degraded()) == 0 {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	s.eventually(3*time.Minute, "the encoders keep up with what is left", func() error {
		st, err := s.stream("cam")
		if how != "" {
			p, err := load(s.hls("cam"))
			if err == nil && p.media["360p"].Segments[len(p.media["360p"].Segments)-1].Gap {
				err = errors.New("360p is a gap")
			}
			return err
		}
		if err == nil && (st.Worker == nil || st.Worker.Speed < 1) {
			err = fmt.Errorf("worker: %+v", st.Worker)
		}
		return err
	})
	events.checkOrder(t, []string{
		"preset veryfast", "preset superfast", "preset ultrafast",
		"preset ultrafast; without 720p", "preset ultrafast; without 720p, 480p",
		"preset ultrafast; without 720p, 480p; one frame of 2", "preset ultrafast; without 720p, 480p; one frame of 4",
	})
}

// TestSoakStarvation takes a worker's time away until all that can be given up
// is, in order, and gives it back: then quality comes back too. A stream beside
// it notices nothing, and the copied rendition loses nothing.
func TestSoakStarvation(t *testing.T) {
	s := serve(t, `streams: [{path: beside, ladder: passthrough}, {path: cam, hls: {window: 240s}}]`)
	events := s.events()
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("beside", clip)
	s.publish("cam", clip)
	s.live("cam", 3)
	stop := throttle(t, s.children()[0], 4*time.Millisecond, 200*time.Millisecond)
	order := []string{
		"preset superfast", "preset ultrafast", "preset ultrafast; without 480p",
		"preset ultrafast; without 480p; one frame of 2", "preset ultrafast; without 480p; one frame of 4",
	}
	s.eventually(4*time.Minute, "a rung is given up", func() error {
		if said := events.degraded(); len(said) < 3 {
			return fmt.Errorf("given up: %q", said)
		}
		return nil
	})
	r := tools.MustRead(t, time.Minute, s.hls("beside"), tools.ReadOptions{Length: 8 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Errorf("the stream beside it: %v", err)
	}
	stop()
	s.eventually(5*time.Minute, "quality comes back", func() error {
		said := events.degraded()
		if n := len(said); slices.Index(order, said[n-1]) >= slices.Index(order, said[n-2]) {
			return fmt.Errorf("given up: %q", said)
		}
		return nil
	})
	events.checkOrder(t, order)
	p, err := load(s.hls("cam"))
	if err != nil {
		t.Fatal(err)
	}
	copied, off := p.media["720p"], 0
	for _, seg := range copied.Segments {
		if seg.Gap {
			t.Error("the copied rendition has a gap")
		}
	}
	for _, seg := range p.media["480p"].Segments {
		if seg.Gap {
			off++
		}
	}
	if off == 0 {
		t.Error("480p was given up and lists no gap")
	}
	// Another preset has other parameter sets: one discontinuity, everywhere.
	changes, everywhere := len(events.degraded()), discontinuities(copied)
	for name, m := range p.media {
		if n := discontinuities(m); n > changes || n != everywhere || m.TargetDuration != copied.TargetDuration {
			t.Errorf("%s: %d discontinuities (%d in the copied rendition, %d changes), TARGETDURATION %d", name, n, everywhere, changes, m.TargetDuration)
		}
	}
}

// throttle lets a process run for a while of each period only, until stop.
func throttle(t *testing.T, pid int, run, period time.Duration) (stop func()) {
	t.Helper()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			_ = syscall.Kill(pid, syscall.SIGSTOP) // a process that is gone is found out by the test
			<-time.After(period - run)
			_ = syscall.Kill(pid, syscall.SIGCONT)
			select {
			case <-end:
				return
			case <-time.After(run):
			}
		}
	}()
	var stopped bool
	stop = func() {
		if !stopped {
			stopped = true
			close(end)
			<-ended
		}
	}
	t.Cleanup(stop)
	return stop
}

// degraded is what was given up after each change so far, in words.
func (l *listener) degraded() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var said []string
	for _, e := range l.all {
		if data, ok := e.Data.(map[string]any); ok && e.Type == "worker:degraded" {
			said = append(said, fmt.Sprint(data["givenUp"]))
		}
	}
	return said
}

// checkOrder wants each change to be one step down or up in the order.
func (l *listener) checkOrder(t *testing.T, order []string) {
	t.Helper()
	said, level := l.degraded(), 0
	t.Logf("given up: %s", strings.Join(said, " -> "))
	for _, what := range said {
		next := slices.Index(order, what) + 1 // 0 is everything back
		if next == 0 && what != "" || next != level+1 && next != level-1 {
			t.Errorf("%q comes after level %d of %q", what, level, order)
			return
		}
		level = next
	}
}
