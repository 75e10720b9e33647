package pipeline

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

// A stream's whole life, without a worker: its playlists go on over the loss
// of a publisher, end when hold is over, and are gone one window later.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam", hold(10*time.Second)))
		if code, _ := r.get("cam/index.m3u8"); code != http.StatusNotFound {
			t.Errorf("before: %d", code)
		}
		c := r.begin("cam", h264(180), aac())
		c.send(6100 * time.Millisecond)
		synctest.Wait()
		if got := r.state("cam"); got != status.Live {
			t.Errorf("state %s", got)
		}
		if code, _ := r.get("cam/index.m3u8"); code != http.StatusOK {
			t.Errorf("live: %d", code)
		}

		c.pub.Close(nil)
		synctest.Wait()
		if got := r.state("cam"); got != status.Lost {
			t.Errorf("state %s", got)
		}
		if got := r.shape("cam/180p/index.m3u8"); got != "2 2 2 0.12" {
			t.Errorf("lost: %s", got)
		}
		time.Sleep(9 * time.Second)

		c = r.begin("cam", h264(180), aac())
		c.send(4100 * time.Millisecond)
		synctest.Wait()
		if got := r.state("cam"); got != status.Live {
			t.Errorf("state %s", got)
		}
		if got := r.shape("cam/180p/index.m3u8"); got != "2 2 2 0.12 | 2 2" {
			t.Errorf("back: %s", got)
		}

		c.pub.Close(nil)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if got := r.state("cam"); got != status.Ended {
			t.Errorf("state %s", got)
		}
		video, ended := r.list("cam/180p/index.m3u8")
		audio, _ := r.list("cam/audio/index.m3u8")
		if got := shape(video); got != "2 2 2 0.12 | 2 2 0.12" || !ended {
			t.Errorf("ended %v: %s", ended, got)
		}
		same(t, video, audio)
		time.Sleep(30*time.Second + time.Millisecond)
		synctest.Wait()
		if code, _ := r.get("cam/180p/index.m3u8"); code != http.StatusNotFound || r.state("cam") != "gone" {
			t.Errorf("after: %d, %s", code, r.state("cam"))
		}
	})
}

// Coders with another preset have other parameter sets, so that all of the
// stream gets a discontinuity; what else is given up changes nothing in them.
func TestAnotherPresetBreaksTheSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.begin("cam", h264(180), aac())
		give := func(until time.Duration, d transcode.Degradation) {
			(*live)(r.lookup("cam")).degraded(d)
			synctest.Wait()
			c.send(until)
			synctest.Wait()
		}
		c.send(3 * time.Second)
		synctest.Wait()
		give(7*time.Second, transcode.Degradation{Level: 1, Preset: "superfast"})
		give(11*time.Second, transcode.Degradation{Level: 2, Preset: "superfast", Off: []string{"90p"}})
		give(15*time.Second, transcode.Degradation{Level: 3, Preset: "superfast", FrameDivisor: 2})
		give(19*time.Second, transcode.Degradation{})
		video, _ := r.list("cam/180p/index.m3u8")
		if got := shape(video); got != "2 2 | 2 2 2 2 2 2 | 2" {
			t.Errorf("got %s", got)
		}
		audio, _ := r.list("cam/audio/index.m3u8")
		same(t, video, audio)
	})
}

// same checks that segments have the same numbers and discontinuities.
func same(t *testing.T, a, b []listed) {
	t.Helper()
	for i := range a {
		if i >= len(b) || a[i].uri != b[i].uri || a[i].discontinuity != b[i].discontinuity {
			t.Errorf("renditions differ from segment %d on: %s and %s", i, shape(a), shape(b))
			return
		}
	}
}

// gapless checks that dates and durations agree, but for discontinuities of
// the sender's.
func gapless(t *testing.T, segments []listed) {
	t.Helper()
	for i := 1; i < len(segments); i++ {
		hole := segments[i].date.Sub(segments[i-1].date.Add(segments[i-1].length))
		if segments[i].gap || hole.Abs() > 50*time.Millisecond {
			t.Errorf("hole of %v before segment %d: %s", hole, i, shape(segments))
		}
	}
}

// The last sound before a publisher leaves is not forgotten in a queue.
func TestNoSoundIsLostWithThePublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.begin("cam", h264(180), aac())
		c.send(4 * time.Second)
		synctest.Wait()
		c.send(4600*time.Millisecond, 1)
		synctest.Wait()
		c.pub.Close(nil)
		synctest.Wait()
		segments, _ := r.list("cam/audio/index.m3u8")
		var total time.Duration
		for _, s := range segments {
			total += s.length
		}
		if total < 4600*time.Millisecond {
			t.Errorf("%v of sound, 4.6 s were sent: %s", total, shape(segments))
		}
	})
}

// Sound that begins late joins at the next cut; the picture loses nothing.
func TestLateSoundJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.publish("cam", h264(180), aac())
		c.send(time.Second, 0)
		time.Sleep(3 * time.Second) // the sound is silent
		synctest.Wait()
		if got := r.state("cam"); got != status.Live {
			t.Fatalf("state %s", got)
		}
		c.send(5*time.Second, 0)
		synctest.Wait()
		c.skip(1, 5*time.Second)
		c.send(5200 * time.Millisecond)
		synctest.Wait()
		c.send(12100 * time.Millisecond)
		synctest.Wait()
		video, _ := r.list("cam/180p/index.m3u8")
		gapless(t, video)
		if got := shape(video); got != "2 2 2 | 2 2 2" {
			t.Errorf("video: %s", got)
		}
		audio, _ := r.list("cam/audio/index.m3u8")
		if len(audio) < 3 || audio[len(audio)-1].uri != video[len(video)-1].uri {
			t.Errorf("audio: %s", shape(audio))
		}
	})
}

// A picture that begins late takes the lead from its first keyframe on.
func TestLatePictureJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.publish("cam", h264(180), aac())
		c.send(time.Second, 1)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		c.send(5*time.Second, 1)
		synctest.Wait()
		c.skip(0, 6*time.Second)
		c.send(6*time.Second, 1)
		c.send(6040 * time.Millisecond)
		synctest.Wait()
		c.send(12100 * time.Millisecond)
		synctest.Wait()
		audio, _ := r.list("cam/audio/index.m3u8")
		video, _ := r.list("cam/180p/index.m3u8")
		gapless(t, audio)
		if got := shape(video); got != "2 2 2" {
			t.Errorf("video: %s", got)
		}
		if got := shape(audio); got != "2.01 2.01 2.01 | 1.98 2.01 2.01" {
			t.Errorf("audio: %s", got)
		}
	})
}

// A successor's packets are not taken for its predecessor's, however fast
// they come.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam", func(s *config.Stream) { s.Takeover = true }))
		c := r.begin("cam", h264(180))
		c.send(4 * time.Second)
		time.Sleep(4 * time.Second)
		busy := make(chan struct{})
		r.lookup("cam").command(func() { <-busy })
		synctest.Wait()
		c = r.publish("cam", h264(180))
		c.send(time.Second)
		close(busy)
		synctest.Wait()
		c.send(6100 * time.Millisecond)
		synctest.Wait()
		if got := r.shape("cam/180p/index.m3u8"); got != "2 2 | 2 2 2" {
			t.Error(got)
		}
	})
}

// A jump of the sender's clock is one discontinuity, at the next keyframe, in
// all renditions.
func TestJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.begin("cam", h264(180), aac())
		c.send(5 * time.Second)
		synctest.Wait()
		for i := range c.next {
			c.next[i] += time.Hour
		}
		c.begun -= time.Hour
		c.send(time.Hour + 11100*time.Millisecond)
		synctest.Wait()
		video, _ := r.list("cam/180p/index.m3u8")
		audio, _ := r.list("cam/audio/index.m3u8")
		same(t, video, audio)
		breaks := 0
		for _, s := range video {
			if s.discontinuity {
				breaks++
			}
			if s.length > 3*time.Second+499*time.Millisecond {
				t.Errorf("a segment of %v", s.length)
			}
		}
		if breaks != 1 {
			t.Errorf("%d discontinuities: %s", breaks, shape(video))
		}
	})
}

// Publishing and leaving, over and over, leaves nothing behind: a goroutine
// that stays would keep the bubble from ending.
func TestChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam", hold(0)))
		for range 300 {
			c := r.publish("cam", h264(180), aac())
			c.send(100 * time.Millisecond)
			c.pub.Close(nil)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := r.List(); len(got) != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}

// Sound that is copied and changes its parameters gets an initialization
// section of its own, behind a discontinuity that all renditions have.
func TestCopiedSoundChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		c := r.begin("cam", h264(180), aac())
		c.send(5 * time.Second)
		synctest.Wait()
		mono := aac()
		mono.Channels, mono.Config = 1, []byte{0x11, 0x88}
		if err := c.pub.SetTrack(1, mono); err != nil {
			t.Fatal(err)
		}
		c.send(12100 * time.Millisecond)
		synctest.Wait()
		video, _ := r.list("cam/180p/index.m3u8")
		audio, _ := r.list("cam/audio/index.m3u8")
		same(t, video, audio)
		if got := shape(video); got != "2 2 2 | 2 2 2" {
			t.Errorf("video: %s", got)
		}
		if gaps(audio) > 0 {
			t.Errorf("audio: %s", shape(audio))
		}
		if _, text := r.get("cam/audio/index.m3u8"); strings.Count(text, "#EXT-X-MAP") != 2 {
			t.Errorf("one initialization section a kind of sound is wanted:\n%s", text)
		}
	})
}
