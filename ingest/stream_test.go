package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func videoTrack() *media.Track {
	return &media.Track{Kind: media.Video, Codec: media.VP9, ClockRate: 90000, Config: []byte{1}, Width: 640, Height: 360}
}

func audioTrack() *media.Track {
	return &media.Track{Kind: media.Audio, Codec: media.PCMA, ClockRate: 8000, SampleRate: 8000, Channels: 1}
}

// feeder writes regular samples: video at 25 a second with a key each gop
// pictures, audio 20 ms a frame.
type feeder struct {
	t      testing.TB
	p      *Publisher
	gop    int
	nv, na int
	size   int
}

func (f *feeder) video() error {
	key := f.nv%f.gop == 0
	err := f.p.Write(0, Sample{PTS: int64(f.nv) * 3600, Bits: 32, Key: key, Payload: make([]byte, max(f.size, 1)), Arrival: media.Now()})
	f.nv++
	return err
}

func (f *feeder) audio() error {
	err := f.p.Write(1, Sample{PTS: int64(f.na) * 160, Bits: 32, Key: true, Duration: 160, Payload: make([]byte, 160), Arrival: media.Now()})
	f.na++
	return err
}

func attach(t testing.TB, s *Stream, tracks ...*media.Track) *Publisher {
	t.Helper()
	p, err := s.Attach(PublisherInfo{Protocol: "test"}, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func want(t testing.TB, s *Stream, state State) {
	t.Helper()
	if got := s.State(); got != state {
		t.Fatalf("state %v, want %v (%v)", got, state, s.Reason())
	}
}

// drain reads everything queued.
func drain(t testing.TB, sub media.Subscription) (list []*media.Packet) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		p, err := sub.Next(ctx)
		if err != nil {
			return list
		}
		list = append(list, p)
	}
}

func TestLifeCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a/b", StreamOptions{Hold: 30 * time.Second})
		sub := s.Subscribe(media.SubscribeOptions{Backlog: true})
		defer sub.Close()
		want(t, s, Idle)
		changed := s.Changed()
		p := attach(t, s, videoTrack(), audioTrack())
		<-changed
		want(t, s, Gathering)
		if _, err := s.Attach(PublisherInfo{}, []*media.Track{videoTrack()}); !errors.Is(err, ErrBusy) {
			t.Errorf("second publisher: %v", err)
		}
		f := &feeder{t: t, p: p, gop: 10}
		_ = f.video()
		want(t, s, Gathering)
		_ = f.audio()
		want(t, s, Live)
		if n := len(s.Tracks()); n != 2 {
			t.Errorf("%d tracks", n)
		}
		p.Close(errors.New("gone"))
		want(t, s, Lost)
		if err := p.Write(0, Sample{}); err == nil || err.Error() != "gone" {
			t.Errorf("write after close: %v", err)
		}
		time.Sleep(29 * time.Second)
		want(t, s, Lost)
		p = attach(t, s, videoTrack(), audioTrack())
		f = &feeder{t: t, p: p, gop: 10}
		_ = f.video()
		_ = f.audio()
		want(t, s, Live)
		time.Sleep(31 * time.Second) // the first hold is over
		want(t, s, Live)
		p.Close(nil)
		time.Sleep(31 * time.Second)
		want(t, s, Ended)
		list := drain(t, sub)
		if len(list) != 4 || list[3].Epoch != 1 || list[0].Epoch != 0 || list[3].Track != list[1].Track {
			t.Errorf("packets: %+v", list)
		}
		if _, err := sub.Next(context.Background()); err != io.EOF { //nolint:errorlint // the contract is io.EOF itself
			t.Errorf("at the end: %v", err)
		}
		if _, err := s.Attach(PublisherInfo{}, []*media.Track{videoTrack()}); !errors.Is(err, ErrEnded) {
			t.Errorf("attach to an ended stream: %v", err)
		}
	})
}

func TestTakeover(t *testing.T) {
	s := NewStream("a", StreamOptions{Takeover: true, Hold: -1})
	defer s.Close(nil)
	first := attach(t, s, videoTrack())
	f := &feeder{p: first, gop: 5}
	_ = f.video()
	want(t, s, Live)
	second := attach(t, s, videoTrack())
	select {
	case <-first.Done():
	default:
		t.Fatal("the first publisher was not told")
	}
	if !errors.Is(first.Err(), ErrTakenOver) || second.Err() != nil {
		t.Errorf("errors %v, %v", first.Err(), second.Err())
	}
	first.Close(nil) // too late to matter
	want(t, s, Gathering)
	if err := f.video(); !errors.Is(err, ErrTakenOver) {
		t.Errorf("write of the first: %v", err)
	}
}

// A track that never comes, one whose parameters never come, and none at all.
func TestGathering(t *testing.T) {
	bubble := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
	}
	bubble("silent audio", func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		f := &feeder{p: attach(t, s, videoTrack(), audioTrack()), gop: 5}
		_ = f.video()
		want(t, s, Gathering)
		time.Sleep(silentTrack + time.Millisecond)
		want(t, s, Live)
		if n := len(s.Tracks()); n != 1 {
			t.Errorf("%d tracks", n)
		}
		changed := s.Changed()
		_ = f.audio() // late
		<-changed
		if n := len(s.Tracks()); n != 2 {
			t.Errorf("%d tracks", n)
		}
	})
	bubble("incomplete video", func(t *testing.T) {
		s := NewStream("a", StreamOptions{Gather: 5 * time.Second})
		defer s.Close(nil)
		v := videoTrack()
		v.Config, v.Width = nil, 0
		p := attach(t, s, v, audioTrack())
		f := &feeder{p: p, gop: 5}
		for range 100 {
			_ = f.video()
			_ = f.audio()
			time.Sleep(40 * time.Millisecond)
		}
		want(t, s, Gathering)
		time.Sleep(2 * time.Second)
		want(t, s, Live)
		if ts := s.Tracks(); len(ts) != 1 || ts[0].Kind != media.Audio {
			t.Errorf("tracks %v", ts)
		}
		if err := p.SetTrack(0, videoTrack()); err != nil {
			t.Fatal(err)
		}
		f.nv = 100
		_ = f.video()
		if ts := s.Tracks(); len(ts) != 2 || ts[0].Width != 640 || ts[0].ID != 0 {
			t.Errorf("tracks %v", ts)
		}
	})
	bubble("nothing usable", func(t *testing.T) {
		s := NewStream("a", StreamOptions{Hold: time.Minute})
		defer s.Close(nil)
		v := videoTrack()
		v.Config = nil
		p := attach(t, s, v)
		time.Sleep(defaultGather + time.Millisecond)
		want(t, s, Lost)
		if !errors.Is(p.Err(), ErrNoTracks) {
			t.Errorf("publisher ended with %v", p.Err())
		}
	})
	bubble("long GOP", func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		f := &feeder{p: attach(t, s, videoTrack()), gop: 1000, nv: 1}
		_ = f.video()
		want(t, s, Gathering)
		time.Sleep(defaultGather)
		synctest.Wait()
		want(t, s, Live)
	})
}

func TestRevisions(t *testing.T) {
	s := NewStream("a", StreamOptions{Hold: -1})
	defer s.Close(nil)
	sub := s.Subscribe(media.SubscribeOptions{})
	defer sub.Close()
	p := attach(t, s, videoTrack(), audioTrack())
	f := &feeder{p: p, gop: 1}
	_ = f.video()
	_ = f.audio()
	if err := p.SetTrack(0, videoTrack()); err != nil { // the same again
		t.Fatal(err)
	}
	_ = f.video()
	bigger := videoTrack()
	bigger.Width = 1280
	if err := p.SetTrack(0, bigger); err != nil {
		t.Fatal(err)
	}
	_ = f.video()
	if err := p.SetTrack(7, bigger); err == nil {
		t.Error("a track out of the blue was taken")
	}
	// the next publisher has its audio first, and a second one
	p.Close(nil)
	german := audioTrack()
	german.Language = "de"
	p = attach(t, s, audioTrack(), bigger, german)
	for i := range 3 {
		_ = p.Write(i, Sample{Key: true, Duration: 160, Payload: []byte{1}, Arrival: media.Now()})
	}
	list := drain(t, sub)
	var got []string
	for _, p := range list {
		got = append(got, fmt.Sprintf("%d.%d/%d", p.Track.ID, p.Track.Revision, p.Epoch))
	}
	if want := "[0.0/0 1.0/0 0.0/0 0.1/0 1.0/1 0.1/1 2.0/1]"; fmt.Sprint(got) != want {
		t.Errorf("tracks %v, want %v", got, want)
	}
	if list[0].Track != list[2].Track {
		t.Error("the same parameters made another Track")
	}
	for i, tr := range s.Tracks() {
		if tr.ID != i {
			t.Errorf("track %d has ID %d", i, tr.ID)
		}
	}
}

func TestKick(t *testing.T) {
	s := NewStream("a", StreamOptions{})
	p := attach(t, s, videoTrack())
	reason := errors.New("by the operator")
	p.Kick(reason)
	<-p.Done()
	if !errors.Is(p.Err(), reason) || !errors.Is(s.Reason(), reason) {
		t.Errorf("%v, %v", p.Err(), s.Reason())
	}
	want(t, s, Ended) // Hold is 0
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		p := attach(t, s, videoTrack(), audioTrack())
		f := &feeder{p: p, gop: 25, size: 5000}
		for range 60 {
			_ = f.video()
			_ = f.audio()
			_ = f.audio()
			time.Sleep(40 * time.Millisecond)
		}
		p.Lost(3)
		p.Damaged(2)
		st := s.Stats()
		v := st.Tracks[0]
		if st.Packets != 180 || st.Lost != 3 || st.Damaged != 2 || st.State != Live {
			t.Errorf("%+v", st)
		}
		if v.FPS < 24.9 || v.FPS > 25.1 || v.Bitrate != 1_000_000 || v.GOP != time.Second || !v.Ready {
			t.Errorf("%+v", v)
		}
	})
}
