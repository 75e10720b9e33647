package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia/tools"
)

const frame30 = time.Second / 30

// TestLadder publishes 720p and holds what comes out to its promises: a copied
// and two coded rungs, aligned, every frame once, sound with the picture.
func TestLadder(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("live/cam", clip)
	p := s.live("live/cam", 3)
	s.eventually(30*time.Second, "six segments are listed", func() (err error) {
		if p, err = load(s.hls("live/cam")); err == nil && len(p.media["360p"].Segments) < 6 {
			err = fmt.Errorf("%d are", len(p.media["360p"].Segments))
		}
		return err
	})
	if names := p.names(); !slices.Equal(names, []string{"360p", "480p", "720p", "audio"}) {
		t.Fatalf("renditions: %v", names)
	}
	p.checkAligned(t, frame30)
	for i, v := range p.multi.Variants {
		r := tools.MustRead(t, 30*time.Second, s.hls("live/cam"), tools.ReadOptions{
			Length: 5 * time.Second, Video: fmt.Sprintf("0:v:%d", i),
		})
		if err := r.Check(recipe.Frames()); err != nil {
			t.Errorf("%s: %v", v.URI, err)
		}
		for _, skew := range r.Skews() {
			if skew.Abs() > 40*time.Millisecond {
				t.Errorf("%s: the sound is %v late", v.URI, skew)
			}
		}
		probed := tools.MustProbe(t, p.resolve(v.URI), "-show_streams")
		if video := probed.Find("video"); video.Width != v.Width || video.Height != v.Height {
			t.Errorf("%s is %dx%d, its playlist says %dx%d", v.URI, video.Width, video.Height, v.Width, v.Height)
		}
	}
}

// TestWorkerKilled kills a worker: its stream's coded rungs list what they
// missed as GAP and go on behind a discontinuity that stands at the same
// segment everywhere; another stream loses nothing.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: other, ladder: passthrough}]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("cam", clip)
	s.publish("other", clip)
	s.live("cam", 3)
	s.live("other", 1)
	workers := s.children()
	if len(workers) != 1 {
		t.Fatalf("there are %d workers for one stream that needs one", len(workers))
	}
	kill(t, workers[0])
	killed := time.Now()
	var p *presentation
	s.eventually(10*time.Second, "coded rungs go on behind a discontinuity", func() (err error) {
		if p, err = load(s.hls("cam")); err != nil {
			return err
		}
		for _, name := range p.names() {
			i := discontinuity(p.media[name])
			if i < 0 || i == len(p.media[name].Segments) || p.media[name].Segments[i].Gap {
				return fmt.Errorf("%s does not", name)
			}
		}
		return nil
	})
	if took := time.Since(killed); took > 6*time.Second {
		t.Errorf("it took %v until the next whole segment", took)
	}
	at := p.media["720p"].MediaSequence + uint64(discontinuity(p.media["720p"]))
	for _, name := range p.names() {
		m := p.media[name]
		if here := m.MediaSequence + uint64(discontinuity(m)); here != at {
			t.Errorf("%s has its discontinuity at %d, 720p at %d", name, here, at)
		}
		for i, seg := range m.Segments {
			coded := name == "480p" || name == "360p"
			if seg.Gap && (!coded || m.MediaSequence+uint64(i) >= at) {
				t.Errorf("%s: segment %d is a GAP", name, m.MediaSequence+uint64(i))
			}
		}
	}
	st, err := s.stream("cam")
	if err != nil || st.State != status.Live || st.Worker == nil || st.Worker.Restarts != 1 {
		t.Errorf("the API says %+v, %v", st, err)
	}
	r := tools.MustRead(t, 30*time.Second, s.hls("other"), tools.ReadOptions{Length: 8 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Errorf("the other stream: %v", err)
	}
}

// discontinuity is the index of the first segment behind one, -1 without.
func discontinuity(m *playlist.Media) int {
	return slices.IndexFunc(m.Segments, func(s playlist.Segment) bool { return s.Discontinuities > 0 })
}

// TestPublisherReturns kills the publisher and brings it back within hold: the
// same playlists go on behind a discontinuity.
func TestPublisherReturns(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: '*', ladder: passthrough}]")
	clip, _ := tools.Clip(t, "h264-b")
	first := s.publish("cam", clip)
	before := s.live("cam", 1)
	first.Kill()
	s.eventually(10*time.Second, "the loss is noticed", s.inState("cam", status.Lost))
	still, err := load(s.hls("cam"))
	if err != nil {
		t.Fatal(err)
	}
	if still.media["360p"].EndList {
		t.Error("ENDLIST while the publisher is waited for")
	}
	s.publish("cam", clip)
	var p *presentation
	s.eventually(15*time.Second, "it goes on", func() (err error) {
		if p, err = load(s.hls("cam")); err == nil && discontinuity(p.media["360p"]) < 0 {
			err = fmt.Errorf("no discontinuity yet")
		}
		return err
	})
	was, is := before.media["360p"], p.media["360p"]
	if is.MediaSequence < was.MediaSequence || is.DiscontinuitySequence < was.DiscontinuitySequence {
		t.Errorf("sequence numbers go back: %d/%d to %d/%d", was.MediaSequence, was.DiscontinuitySequence, is.MediaSequence, is.DiscontinuitySequence)
	}
	for i := 1; i < len(is.Segments); i++ {
		if !is.Segments[i].ProgramDateTime.After(is.Segments[i-1].ProgramDateTime) {
			t.Errorf("the date of segment %d does not grow", i)
		}
	}
}

// TestPublisherGone lets hold pass: ENDLIST, one window more, then 404 and
// nothing left.
func TestPublisherGone(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: '*', hold: 1s, hls: {window: 6s}}]")
	before, err := tools.UsageOf(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	clip, _ := tools.Clip(t, "h264-720p30")
	publisher := s.publish("cam", clip)
	s.live("cam", 3)
	publisher.Kill()
	s.eventually(10*time.Second, "ENDLIST", func() error {
		p, err := load(s.hls("cam"))
		if err == nil {
			for name, m := range p.media {
				if !m.EndList {
					err = fmt.Errorf("%s has none", name)
				}
			}
		}
		return err
	})
	s.eventually(15*time.Second, "404", func() error {
		_, err := fetch(s.hls("cam"))
		if isStatus(err, 404) {
			return nil
		}
		return fmt.Errorf("the answer is another: %v", err) //nolint:errorlint // may be nil
	})
	s.eventually(10*time.Second, "nothing is left", func() error {
		after, err := tools.UsageOf(s.PID())
		if err == nil && (len(after.Children) > 0 || len(after.Files) > len(before.Files)+2) {
			err = fmt.Errorf("%d children, descriptors %v", len(after.Children), after.Files)
		}
		return err
	})
}

// inState returns a condition for eventually.
func (s *server) inState(path string, want status.State) func() error {
	return func() error {
		st, err := s.stream(path)
		if err == nil && st.State != want {
			err = fmt.Errorf("it is %s (%s)", st.State, st.Error)
		}
		return err
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
