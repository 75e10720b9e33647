package e2e

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestTermination asks a server to stop while it codes a stream that is
// watched: the publisher is sent away, the viewer gets everything up to the
// end, and the server ends well and in time.
func TestTermination(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams: [{path: "*", hls: {window: 12s}}]`)
	clip, recipe := tools.Clip(t, "h264-720p30")
	publisher := s.publish("cam", clip)
	p := s.live("cam", 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watching := make(chan struct{})
	type result struct {
		*tools.Recording
		err error
	}
	watched := make(chan result, 1)
	begun := false
	go func() {
		r, err := tools.Read(ctx, s.hls("cam"), tools.ReadOptions{NoAudio: true, Each: func(tools.Seen) bool {
			if !begun {
				begun = true
				close(watching)
			}
			return true
		}})
		watched <- result{r, err}
	}()
	select {
	case <-watching:
	case r := <-watched:
		t.Fatalf("the viewer sees nothing: %v", r.err)
	}

	begin := time.Now()
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.eventually(5*time.Second, "ENDLIST is there for those who look", func() (err error) {
		if p, err = load(s.hls("cam")); err != nil {
			return err
		}
		for name, m := range p.media {
			if !m.EndList {
				return fmt.Errorf("%s goes on", name)
			}
		}
		return nil
	})
	for _, name := range p.names() {
		if list, err := p.download(name); err != nil || len(list) == 0 {
			t.Errorf("%s: %d segments of the window can be had, %v", name, len(list), err)
		}
	}
	if !publisher.Ends(5 * time.Second) {
		t.Error("the publisher goes on")
	}
	if !s.Ends(10*time.Second - time.Since(begin)) {
		t.Fatal("the server does not end within 10 s")
	}
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	r := <-watched
	if r.err != nil {
		t.Errorf("the viewer: %v", r.err)
	}
	if err := r.Check(recipe.Frames()); err != nil {
		t.Errorf("the viewer: %v", err)
	}
	// what it saw last is the last that there is
	top := p.media["360p"]
	var total time.Duration
	for _, seg := range top.Segments {
		total += seg.Duration
	}
	if n := len(r.Pictures); n == 0 || r.Pictures[n-1].PTS < r.Pictures[0].PTS+total-8*time.Second {
		t.Errorf("the viewer saw %d pictures, the window has %v", n, total)
	}
}

// TestReload changes one stream's configuration: that stream ends and comes
// back under the new rules, another goes through without losing a frame.
func TestReload(t *testing.T) {
	t.Parallel()
	const other = `{path: other, hls: {window: 60s}}`
	s := serve(t, "streams: [{path: changed, ladder: passthrough}, "+other+"]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	first, beside := s.publish("changed", clip), s.publish("other", clip)
	s.live("changed", 1)
	before := s.live("other", 3)
	workers := s.children()

	s.configure("streams: [{path: changed, ladder: passthrough, hls: {segment: 4s}}, " + other + "]")
	if err := s.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if !first.Ends(5 * time.Second) {
		t.Fatal("the changed stream's publisher goes on")
	}
	s.publish("changed", clip)
	s.eventually(20*time.Second, "the new rules are in force", func() error {
		p, err := load(s.hls("changed"))
		if err == nil && p.media["720p"].TargetDuration != 6 {
			err = fmt.Errorf("TARGETDURATION is %d", p.media["720p"].TargetDuration)
		}
		return err
	})

	if !beside.Running() {
		t.Fatal("the other stream's publisher was sent away")
	}
	if now := s.children(); len(now) != 1 || now[0] != workers[0] {
		t.Errorf("its worker was %v and is %v", workers, now)
	}
	var p *presentation
	s.eventually(20*time.Second, "the other stream lists five segments", func() (err error) {
		if p, err = load(s.hls("other")); err == nil && len(p.media["360p"].Segments) < 5 {
			err = fmt.Errorf("it lists %d", len(p.media["360p"].Segments))
		}
		return err
	})
	for name, m := range p.media {
		if n := discontinuities(m); n > 0 || m.MediaSequence > before.media[name].MediaSequence {
			t.Errorf("%s: %d discontinuities, from %d on; before from %d", name, n, m.MediaSequence, before.media[name].MediaSequence)
		}
	}
	p.checkAligned(t, frame30)
	for _, v := range p.multi.Variants[1:] { // the copied and a coded one
		r, holes := p.decode(t, v)
		if err := r.Check(recipe.Frames()); err != nil || len(holes) > 0 {
			t.Errorf("%s: %v, holes in the sound: %v", v.URI, err, holes)
		}
	}
}

// TestReloadOfMistakes has the server read a configuration that it cannot take:
// the log names the mistakes and nothing changes.
func TestReloadOfMistakes(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: cam, ladder: passthrough, hls: {window: 60s}}]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	publisher := s.publish("cam", clip)
	s.live("cam", 1)
	was, err := s.stream("cam")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ config, line string }{
		{"streams: [{path: cam, ladder: passthrough, hold: soon}]", "millrace.yaml:6:"},
		{"steams: []", `"streams"`},
		{"streams: [}", "millrace.yaml:6:"},
	} {
		s.configure(c.config)
		if err := s.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.eventually(5*time.Second, fmt.Sprintf("the log says what is wrong with %q", c.config), func() error {
			for line := range strings.Lines(s.Output()) {
				if strings.Contains(line, "the configuration stays as it was") && strings.Contains(line, strings.ReplaceAll(c.line, `"`, `\"`)) {
					return nil
				}
			}
			return fmt.Errorf("no line has %s", c.line)
		})
	}
	is, err := s.stream("cam")
	if err != nil || is.State != status.Live || !is.Since.Equal(was.Since) || !publisher.Running() {
		t.Errorf("the stream was %+v and is %+v, %v", was, is, err)
	}
	p, err := load(s.hls("cam"))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := p.decode(t, p.multi.Variants[0]); v.Check(recipe.Frames()) != nil || discontinuities(p.media["720p"]) > 0 {
		t.Errorf("viewers: %v", v.Check(recipe.Frames()))
	}
	s.configure("streams: [{path: cam, ladder: passthrough, hls: {window: 60s}}, {path: more, takeover: true}]")
	if err := s.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.eventually(5*time.Second, "a good configuration is taken again", func() error {
		if !strings.Contains(s.Output(), "configuration read again") {
			return fmt.Errorf("the log does not say so")
		}
		return nil
	})
	if !publisher.Running() {
		t.Error("the publisher of a stream that did not change was sent away")
	}
}
