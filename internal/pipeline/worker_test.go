package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

// pace sends up to a media time, a group of pictures at a time, and lets the
// coder keep up, as it does where media is not faster than time.
func (r *rig) pace(c *camera, path string, to time.Duration) {
	r.t.Helper()
	p := r.lookup(path)
	for at := c.next[0].Truncate(c.gop) + c.gop; at < to; at += c.gop {
		before := p.graph.newest.Load().Segment
		c.send(at + 40*time.Millisecond)
		r.until("cut", func() bool { return p.graph.newest.Load().Segment > before })
		r.until("coder", func() bool {
			session := r.worker(path)
			return session == nil || session.Stats().Lag < 200*time.Millisecond
		})
	}
	c.send(to)
}

// worker returns the stream's session, nil where it has none.
func (r *rig) worker(path string) *transcode.Session {
	p := r.lookup(path)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.worker
}

func (r *rig) listed(urlPath string, n int) []listed {
	r.t.Helper()
	var segments []listed
	r.until(urlPath+" listing more", func() bool {
		segments, _ = r.list(urlPath)
		return len(segments) >= n
	})
	return segments
}

func gaps(segments []listed) (n int) {
	for _, s := range segments {
		if s.gap {
			n++
		}
	}
	return n
}

func breaks(segments []listed) (n int) {
	for _, s := range segments[1:] {
		if s.discontinuity {
			n++
		}
	}
	return n
}

// A worker that dies costs the coded renditions gaps, and all renditions the
// same discontinuity.
func TestWorkerDies(t *testing.T) {
	r := newRig(t, "", nil, auto("cam"))
	c := r.begin("cam", h264(720), aac())
	r.pace(c, "cam", 5*time.Second)
	r.listed("cam/480p/index.m3u8", 2)
	if err := syscall.Kill(r.worker("cam").Stats().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("another worker", func() bool {
		now := r.worker("cam").Stats()
		return now.Restarts == 1 && now.State == transcode.Running
	})
	before := r.worker("cam").Stats().PacketsOut
	c.send(6040 * time.Millisecond) // the first picture of the next segment
	r.until("its first packet", func() bool { return r.worker("cam").Stats().PacketsOut > before })
	r.pace(c, "cam", 14100*time.Millisecond)
	coded, copied, audio := r.listed("cam/480p/index.m3u8", 7), r.listed("cam/720p/index.m3u8", 7), r.listed("cam/audio/index.m3u8", 7)
	if gaps(coded) != 1 || gaps(copied)+gaps(audio) != 0 || breaks(copied) != 1 {
		t.Errorf("480p: %s\n720p: %s\naudio: %s", shape(coded), shape(copied), shape(audio))
	}
	same(t, copied, coded)
	same(t, copied, audio)
	gapless(t, copied)
}

// A worker that dies while the publisher leaves does not harm the next one's.
func TestWorkerDiesWithItsPublisher(t *testing.T) {
	r := newRig(t, "mortal", nil, auto("cam"))
	c := r.begin("cam", h264(720))
	r.pace(c, "cam", 4100*time.Millisecond)
	r.listed("cam/480p/index.m3u8", 2)
	c.pub.Close(nil)
	r.until("loss", func() bool { return r.state("cam") == status.Lost })
	c = r.begin("cam", h264(720))
	r.pace(c, "cam", 6100*time.Millisecond)
	copied, coded := r.listed("cam/720p/index.m3u8", 6), r.listed("cam/480p/index.m3u8", 6)
	same(t, copied, coded)
	if breaks(copied) != 1 || gaps(coded[len(coded)-3:]) != 0 {
		t.Errorf("720p: %s\n480p: %s", shape(copied), shape(coded))
	}
}

// What a session says, and is heard when it is over, does not concern the next.
func TestSessionsAreNotConfused(t *testing.T) {
	r := newRig(t, "", nil, passthrough("cam"))
	r.publish("cam", h264(180))
	p := r.lookup("cam")
	heard := ""
	p.heed(func() { heard += "one " })
	(*live)(p).working(nil)
	p.heed(func() { heard += "two " })
	p.obey()
	if heard != "two " {
		t.Errorf("heard %q", heard)
	}
}

// Where no worker starts, the stream has failed and copies go on.
func TestNoWorker(t *testing.T) {
	r := newRig(t, "absent", nil, auto("cam"))
	c := r.publish("cam", h264(720), aac())
	c.send(time.Millisecond)
	r.until("failure", func() bool { return r.state("cam") == status.Failed })
	r.pace(c, "cam", 8100*time.Millisecond)
	copied := r.listed("cam/720p/index.m3u8", 4)
	gapless(t, copied)
	if s, _ := r.Get("cam"); !strings.Contains(s.Error, "worker") {
		t.Errorf("error %q", s.Error)
	}
	if code, text := r.get("cam/index.m3u8"); code != 200 || strings.Contains(text, "480p") {
		t.Errorf("%d\n%s", code, text)
	}
}

// A worker that does not start at first is tried again, beside copies and
// without: the coded renditions come when it does, behind one discontinuity.
func TestWorkerStartsLater(t *testing.T) {
	for _, copied := range []bool{true, false} {
		file := filepath.Join(t.TempDir(), "ready")
		r := newRig(t, "needs="+file, func(_ *config.Config, deps *Deps) { deps.RetryTime = 10 * time.Millisecond }, auto("cam", func(s *config.Stream) {
			s.HLS.LowLatency = false
		}))
		video := h264(720)
		if !copied {
			video.BitDepth = 10
		}
		c := r.publish("cam", video)
		c.send(time.Millisecond)
		r.until("failure", func() bool { return r.state("cam") == status.Failed })
		if copied {
			c.send(4100 * time.Millisecond)
			r.listed("cam/720p/index.m3u8", 2)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		r.until("another attempt", func() bool { return r.state("cam") == status.Live })
		r.pace(c, "cam", 12100*time.Millisecond)
		coded := r.listed("cam/480p/index.m3u8", 3)
		if n := breaks(coded); n > 1 {
			t.Errorf("480p: %s", shape(coded))
		}
		if !copied {
			continue
		}
		top := r.listed("cam/720p/index.m3u8", 6)
		if breaks(top) != 1 {
			t.Errorf("720p: %s", shape(top))
		}
		gapless(t, top)
	}
}

// A source whose keyframes are too far apart is encoded, with a discontinuity
// in all renditions, whether it had a worker or not.
func TestLongGOP(t *testing.T) {
	for _, height := range []int{180, 720} {
		r := newRig(t, "", nil, auto("cam"))
		c := r.publish("cam", h264(height), aac())
		c.gop = 8 * time.Second
		c.send(time.Millisecond)
		r.until("life", func() bool { return r.state("cam") == status.Live })
		r.pace(c, "cam", 12100*time.Millisecond)
		top := fmt.Sprintf("cam/%dp/index.m3u8", height)
		video, audio := r.listed(top, 4), r.listed("cam/audio/index.m3u8", 5)
		if breaks(video) != 1 || gaps(video) != 0 {
			t.Errorf("%d: %s", height, shape(video))
		}
		same(t, video, audio)
		gapless(t, video)
		if height == 720 {
			same(t, video, r.listed("cam/480p/index.m3u8", len(video)))
		}
	}
}

// Where there is no room for the encoder that a long GOP asks for, the source
// is shown as it is.
func TestLongGOPWithoutRoom(t *testing.T) {
	r := newRig(t, "", func(_ *config.Config, deps *Deps) {
		workers, err := transcode.NewSupervisor(transcode.Options{Command: []string{os.Args[0], "worker", ""}, Cores: 0.01})
		if err != nil {
			t.Fatal(err)
		}
		deps.Transcoder = workers
	}, auto("*"))
	r.begin("other", h264(720))
	c := r.publish("cam", h264(180), aac())
	c.gop = 8 * time.Second
	c.send(time.Millisecond)
	r.until("life", func() bool { return r.state("cam") == status.Live })
	r.pace(c, "cam", 12100*time.Millisecond)
	video := r.listed("cam/180p/index.m3u8", 4)
	gapless(t, video)
	if got := r.state("cam"); got != status.Live {
		t.Errorf("state %s", got)
	}
	if _, text := r.get("cam/180p/index.m3u8"); strings.Contains(text, "EXT-X-INDEPENDENT-SEGMENTS") {
		t.Error("segments are said to be independent")
	}
}

// What primes a worker begins with a keyframe and is bounded.
func TestPriming(t *testing.T) {
	g := &graph{}
	put := func(tr *media.Track, key bool, size int) {
		g.remember(media.Placed{Packet: &media.Packet{Track: tr, Key: key, Payload: make([]byte, size)}})
	}
	put(audioTrack, true, 10)
	put(videoTrack, false, 10)
	if len(g.gop) != 0 {
		t.Error("a worker cannot start in front of a keyframe")
	}
	put(videoTrack, true, 10)
	put(audioTrack, true, 10)
	put(videoTrack, false, 10)
	if len(g.gop) != 3 {
		t.Errorf("%d packets are kept", len(g.gop))
	}
	put(videoTrack, false, maxPriming)
	put(videoTrack, false, 10)
	if len(g.gop) != 0 {
		t.Error("too much is kept")
	}
	put(videoTrack, true, 10)
	put(videoTrack, false, 10)
	if len(g.gop) != 2 {
		t.Errorf("%d packets are kept", len(g.gop))
	}
}
