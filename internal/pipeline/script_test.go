package pipeline

import (
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

// scriptFile writes what the script does.
func scriptFile(t *testing.T, words string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "front.js")
	rewrite(t, file, words)
	return file
}

func rewrite(t *testing.T, file, words string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
}

func byScript(file string) func(*config.Stream) {
	return func(s *config.Stream) { s.Pipeline = file }
}

// run is the worker that runs the script now; the rig waits for one.
func (r *rig) actor(path string) *transcode.Script {
	r.t.Helper()
	var run *transcode.Script
	r.until("script", func() bool {
		s := r.lookup(path).script
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.acting != nil {
			run = s.acting.run
		}
		return run != nil
	})
	return run
}

// play sends up to a media time, a group of pictures at a time, each as soon as
// the one before it is listed.
func (r *rig) play(c *camera, path string, to time.Duration) {
	r.t.Helper()
	p := r.lookup(path)
	for at := c.next[0].Truncate(c.gop) + c.gop; at < to; at += c.gop {
		before := p.graph.newest.Load().Segment
		c.send(at + 40*time.Millisecond)
		r.until("cut", func() bool { return p.graph.newest.Load().Segment > before })
	}
	c.send(to)
}

func TestScriptMakesTheStream(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy"))))
	c := r.begin("cam", h264(180), aac())
	r.play(c, "cam", 8100*time.Millisecond)
	video, audio := r.listed("cam/180p/index.m3u8", 4), r.listed("cam/audio/index.m3u8", 4)
	same(t, video, audio)
	gapless(t, video)
	if got := shape(video); got != "2 2 2 2" {
		t.Errorf("video: %s", got)
	}
	s, _ := r.Get("cam")
	if len(s.Renditions) != 2 || s.Renditions[0].Name != "180p" || !s.Renditions[0].Copy || s.Renditions[0].State != "live" {
		t.Errorf("renditions: %+v", s.Renditions)
	}
	if s.Worker == nil {
		t.Error("the status tells of no worker")
	}
}

// A script worker that is killed is replaced; what viewers have is not shown
// again, and all of it is there.
func TestScriptWorkerDies(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy"))))
	c := r.begin("cam", h264(180), aac())
	c.gop = time.Second
	c.send(5500 * time.Millisecond)
	r.listed("cam/180p/index.m3u8", 2)
	first := r.actor("cam").Stats().PID
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("another worker", func() bool { return r.actor("cam").Stats().PID != first })
	c.send(10100 * time.Millisecond)
	video, audio := r.listed("cam/180p/index.m3u8", 5), r.listed("cam/audio/index.m3u8", 5)
	same(t, video, audio)
	if breaks(video) != 1 || gaps(video) != 0 {
		t.Errorf("video: %s", shape(video))
	}
	for i, s := range video[1:] {
		if s.date.Before(video[i].date.Add(video[i].length / 2)) {
			t.Errorf("segment %d is dated %s after one of %s at %s", i+1, s.date, video[i].length, video[i].date)
		}
	}
	if s, _ := r.Get("cam"); s.State != status.Live || s.Worker == nil || s.Worker.Restarts != 1 {
		t.Errorf("status: %+v", s)
	}
}

func TestScriptThrows(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "throws"))))
	events := r.Events(t.Context())
	c := r.begin("cam", h264(180), aac())
	c.send(6 * time.Second)
	r.until("failure", func() bool { return r.state("cam") == status.Failed })
	s, _ := r.Get("cam")
	if !strings.Contains(s.Error, "front.js:3:7: TypeError: it is nothing") {
		t.Errorf("error %q", s.Error)
	}
	for e := range events {
		if e.Type == "script:failed" {
			break
		}
	}
	// The next publisher has another try.
	c.pub.Close(nil)
	r.until("loss", func() bool { return r.state("cam") == status.Lost })
	r.begin("cam", h264(180), aac())
}

func TestScriptThrowsAndTheBuiltInWayGoesOn(t *testing.T) {
	file := scriptFile(t, "throws")
	r := newRig(t, "", nil, passthrough("cam", byScript(file), func(s *config.Stream) { s.OnScriptError = "passthrough" }))
	c := r.begin("cam", h264(180), aac())
	c.gop = time.Second
	c.send(4 * time.Second)
	r.until("warning", func() bool { s, _ := r.Get("cam"); return strings.Contains(s.Error, "TypeError") })
	c.send(9100 * time.Millisecond)
	video := r.listed("cam/180p/index.m3u8", 4)
	if breaks(video) != 1 || gaps(video) != 0 || r.state("cam") != status.Live {
		t.Errorf("%s, video: %s", r.state("cam"), shape(video))
	}
	// A mended script takes the stream over again.
	rewrite(t, file, "copy, mended")
	r.until("the script", func() bool { s, _ := r.Get("cam"); return s.Error == "" && s.Worker != nil })
	c.send(14100 * time.Millisecond)
	r.until("another discontinuity", func() bool {
		list, _ := r.list("cam/180p/index.m3u8")
		return len(list) > 1 && breaks(list) == 2
	})
}

// A changed script takes over without a discontinuity where it makes the same.
func TestScriptChanges(t *testing.T) {
	file := scriptFile(t, "copy")
	r := newRig(t, "", nil, auto("cam", byScript(file)))
	events := r.Events(t.Context())
	c := r.begin("cam", h264(180), aac())
	c.gop = time.Second
	at := 4100 * time.Millisecond
	c.send(at)
	heard := func(want string) {
		t.Helper()
		r.until(want, func() bool {
			at += 500 * time.Millisecond
			c.send(at)
			for {
				select {
				case e := <-events:
					if e.Type == want {
						return true
					}
				case <-time.After(100 * time.Millisecond):
					return false
				}
			}
		})
	}
	rewrite(t, file, "copy, better")
	heard("script:reloaded")
	rewrite(t, file, "syntax")
	heard("script:refused")
	at = at.Truncate(time.Second) + 4100*time.Millisecond
	c.send(at)
	video, audio := r.listed("cam/180p/index.m3u8", 6), r.listed("cam/audio/index.m3u8", 6)
	same(t, video, audio)
	gapless(t, video)
	if breaks(video) != 0 || gaps(video)+gaps(audio) != 0 {
		t.Errorf("video: %s\naudio: %s", shape(video), shape(audio))
	}
	rewrite(t, file, "the picture alone")
	heard("script:reloaded")
	c.send(at + 20*time.Second)
	r.until("a discontinuity", func() bool {
		list, _ := r.list("cam/180p/index.m3u8")
		return len(list) > 1 && breaks(list) == 1
	})
	if s, _ := r.Get("cam"); len(s.Renditions) != 1 {
		t.Errorf("renditions: %+v", s.Renditions)
	}
}

// A script goes on over the absence of its publisher.
func TestScriptOutlivesItsPublisher(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy"))))
	c := r.begin("cam", h264(180), aac())
	r.play(c, "cam", 5*time.Second)
	pid := r.actor("cam").Stats().PID
	c.pub.Close(nil)
	r.until("loss", func() bool { return r.state("cam") == status.Lost })
	r.listed("cam/180p/index.m3u8", 3) // the open one is closed
	c = r.begin("cam", h264(180), aac())
	r.play(c, "cam", 4100*time.Millisecond)
	video := r.listed("cam/180p/index.m3u8", 5)
	if breaks(video) != 1 || gaps(video) != 0 {
		t.Errorf("video: %s", shape(video))
	}
	if now := r.actor("cam").Stats().PID; now != pid {
		t.Errorf("worker %d became %d", pid, now)
	}
	if err := r.End("cam", "enough"); err != nil {
		t.Fatal(err)
	}
	r.until("the end", func() bool { _, ended := r.list("cam/180p/index.m3u8"); return ended })
}

func TestScriptWithOtherTracks(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy"))))
	c := r.begin("cam", h264(180))
	r.play(c, "cam", 5*time.Second)
	pid := r.actor("cam").Stats().PID
	c.pub.Close(nil)
	r.until("loss", func() bool { return r.state("cam") == status.Lost })
	c = r.begin("cam", h264(180), aac())
	r.until("another worker", func() bool { return r.actor("cam").Stats().PID != pid })
	r.play(c, "cam", 4100*time.Millisecond)
	r.listed("cam/audio/index.m3u8", 2)
}

// A script that never gives way is killed, and that is its own fault.
func TestScriptHangs(t *testing.T) {
	r := newRig(t, "", func(_ *config.Config, deps *Deps) {
		workers, err := transcode.NewSupervisor(transcode.Options{
			Command: []string{os.Args[0], "worker", ""}, Silence: 300 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		deps.Transcoder = workers
	}, auto("cam", byScript(scriptFile(t, "mute"))))
	r.begin("cam", h264(180))
	r.until("failure", func() bool { return r.state("cam") == status.Failed })
	if s, _ := r.Get("cam"); !strings.Contains(s.Error, "not given way") {
		t.Errorf("error %q", s.Error)
	}
}

func TestScriptAndApp(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "echo"))), auto("plain"))
	said := r.Messages(t.Context())
	r.begin("cam", h264(180))
	r.actor("cam")
	if err := r.Send(Message{Path: "cam", Topic: "text", JSON: []byte(`{"a":1}`), Blobs: [][]byte{[]byte("abc"), []byte("d")}}); err != nil {
		t.Fatal(err)
	}
	m := <-said
	if m.Path != "cam" || m.Topic != "text" || string(m.JSON) != `{"a":1}` || len(m.Blobs) != 2 || string(m.Blobs[0]) != "abc" || string(m.Blobs[1]) != "d" {
		t.Errorf("heard %+v", m)
	}
	r.begin("plain", h264(180))
	if err := r.Send(Message{Path: "plain", Topic: "text", JSON: []byte("1")}); err == nil {
		t.Error("a stream without a script took a message")
	}
	if err := r.Send(Message{Path: "cam", Topic: "text", JSON: make([]byte, 2<<20)}); err == nil {
		t.Error("an endless message was taken")
	}
}

// A script's options override the configuration's, as long as nobody watches.
func TestScriptShapesThePlaylist(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "part"))))
	c := r.begin("cam", h264(180), aac())
	r.play(c, "cam", 4100*time.Millisecond)
	r.listed("cam/180p/index.m3u8", 2)
	if _, text := r.get("cam/180p/index.m3u8"); !strings.Contains(text, "PART-TARGET=0.2") {
		t.Errorf("playlist:\n%s", text)
	}
}

func TestSeen(t *testing.T) {
	at := func(d time.Duration, t *media.Track) *media.Packet {
		return &media.Packet{Track: t, PTS: media.Ticks(d, t.ClockRate)}
	}
	s := seen{until: 5 * time.Second}
	for _, c := range []struct {
		at    time.Duration
		track *media.Track
		want  bool
	}{
		{3 * time.Second, videoTrack, true},
		{4 * time.Second, audioTrack, true},
		{5 * time.Second, audioTrack, false},
		{4900 * time.Millisecond, videoTrack, true},
		{5 * time.Second, videoTrack, false},
		{4 * time.Second, videoTrack, false}, // it has begun
	} {
		if got := s.covers(at(c.at, c.track)); got != c.want {
			t.Errorf("%s of %s: %t", c.at, c.track, got)
		}
	}
	other := seen{until: time.Hour}
	if !other.covers(at(0, videoTrack)) || other.covers(at(patience, videoTrack)) {
		t.Error("a source that counts anew is waited for too long, or not at all")
	}
}
