package transcode

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// sink is an Output that keeps everything.
type sink struct {
	mu      sync.Mutex
	packets map[string][]media.Placed
	lost    []error
	failed  error
	change  chan struct{} // closed at the next call
}

func newSink() *sink {
	return &sink{packets: make(map[string][]media.Placed), change: make(chan struct{})}
}

func (s *sink) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

func (s *sink) Packet(rendition string, p media.Placed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packets[rendition] = append(s.packets[rendition], p)
	s.changed()
}

func (s *sink) WorkerLost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, err)
	s.changed()
}

func (s *sink) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	s.changed()
}

// wait until cond holds of the sink.
func (s *sink) wait(t *testing.T, what string, cond func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		ok, change := cond(), s.change
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-limit:
			t.Fatalf("waited in vain: %s (lost %v, failed %v)", what, s.lost, s.failed)
		}
	}
}

func (s *sink) death(i int) *Death {
	var d *Death
	if i < len(s.lost) {
		errors.As(s.lost[i], &d)
	}
	return d
}

// source makes packets of a video track of 30 frames a second with a GOP of
// ten, cut at every second keyframe, and of an audio track beside it.
type source struct {
	t       *testing.T
	session *Session
	video   *media.Track
	audio   *media.Track
	n       int
	cut     media.Cut
	breaks  bool // the next cut starts a discontinuity
	payload func(n int) []byte
}

func (s *source) frame() {
	s.t.Helper()
	pts := int64(s.n) * 3000
	key := s.n%10 == 0
	if s.n%20 == 0 {
		s.cut.Segment++
		if s.breaks || s.n == 0 {
			s.cut.Discontinuity++
			s.breaks = false
		}
		s.cut.PTS, s.cut.ClockRate = pts, 90000
		s.session.Cut(s.cut)
	}
	payload := []byte(fmt.Sprintf("frame %d", s.n))
	if s.payload != nil {
		payload = s.payload(s.n)
	}
	s.write(&media.Packet{Track: s.video, PTS: pts, DTS: pts, Duration: 3000, Key: key, Payload: payload})
	if s.audio != nil {
		at := media.Rescale(pts, 90000, s.audio.ClockRate)
		s.write(&media.Packet{Track: s.audio, PTS: at, DTS: at, Key: true, Payload: []byte("sound")})
	}
	s.n++
}

func (s *source) write(p *media.Packet) {
	s.t.Helper()
	err := s.session.Write(media.Placed{Packet: p, Segment: s.cut.Segment, Discontinuity: s.cut.Discontinuity})
	if err != nil && s.session.live {
		s.t.Errorf("write: %v", err)
	}
}

func livePlan(t *testing.T, tracks ...*media.Track) *Plan {
	t.Helper()
	return planOf(t, Policy{Live: true, LowLatency: true, GOPTooLong: true}, tracks...)
}

func planOf(t *testing.T, p Policy, tracks ...*media.Track) *Plan {
	t.Helper()
	plan, err := NewPlan(tracks, p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func supervise(t *testing.T, o Options) *Supervisor {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	s, err := NewSupervisor(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a session with a fake worker and a source for it.
func begin(t *testing.T, o Options, job Job) (*Session, *sink, *source) {
	t.Helper()
	out := newSink()
	job.Name, job.Output = "test", out
	if job.Plan == nil {
		job.Plan = livePlan(t, h264(1280, 720), aac(codec(media.PCMA), rate(8000)))
	}
	session, err := supervise(t, o).Start(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	src := &source{t: t, session: session, video: job.Plan.tracks[0]}
	if len(job.Plan.tracks) > 1 {
		src.audio = job.Plan.tracks[1]
	}
	return session, out, src
}

// children are the live processes that this one started.
func children(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		t.Skip(err)
	}
	return strings.Fields(string(b))
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
