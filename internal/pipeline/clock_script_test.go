package pipeline

import (
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
)

// The sender's clock reaches the worker of a script: dates are the sender's
// there too, and those of the publisher that comes after.
func TestSenderClockUnderAScript(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy")), bySender))
	c := r.publish("cam", h264(180), aac())
	c.wall = start(c).Add(offBy)
	c.send(time.Millisecond)
	r.until("life", func() bool { return r.state("cam") == status.Live })
	r.play(c, "cam", 6100*time.Millisecond)
	dated := func(path string, n int, wall time.Time, from time.Duration) {
		t.Helper()
		list := r.listed(path, n)
		for i, s := range list[n-2:] {
			if off := s.date.Sub(wall.Add(from + time.Duration(i)*2*time.Second)); off.Abs() > 50*time.Millisecond {
				t.Errorf("%s: segment %d is dated %v beside its sender's clock", path, i, off)
			}
		}
	}
	dated("cam/180p/index.m3u8", 3, c.wall, 2*time.Second)
	dated("cam/audio/index.m3u8", 3, c.wall, 2*time.Second)
}

// A sink follows what it is told of the sender's clock; a break of its time
// leaves it where it was, and another publisher's is another.
func TestSinkFollowsTheSender(t *testing.T) {
	var clock SenderClock
	zero := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	clock.Tell(zero.UnixNano(), true)
	cuts := &cutDates{}
	s, _, _ := newTestSink(func(c *SinkConfig) {
		copying(c)
		c.Output, c.Sender = cuts, &clock
		c.Date = func(arrival time.Duration) time.Time { return zero.Add(offBy + arrival) }
	})
	defer s.Close()
	track := h264(360)
	if err := s.Start([]*media.Track{track}); err != nil {
		t.Fatal(err)
	}
	group := func(from time.Duration, epoch uint32) {
		t.Helper()
		for at := from; at < from+2*time.Second; at += 40 * time.Millisecond {
			pts := media.Ticks(at, track.ClockRate)
			p := &media.Packet{Track: track, PTS: pts, DTS: pts, Duration: 3600, Key: at == from, Payload: []byte("x"), Arrival: at, Epoch: epoch}
			if err := s.Write(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	group(0, 0)
	clock.Tell(0, false) // its time broke, and no report has come since
	group(10*time.Second, 1)
	clock.Tell(zero.Add(3*offBy).UnixNano(), true) // another publisher
	group(20*time.Second, 2)
	clock.Tell(0, true) // and one that never reports: the server's clock, which is behind; dates do not go back
	group(30*time.Second, 3)
	want := []time.Duration{0, 10 * time.Second, 3*offBy + 20*time.Second, 3*offBy + 22*time.Second}
	for i, date := range cuts.dates {
		if i < len(want) && date.Sub(zero) != want[i] {
			t.Errorf("cut %d is dated %v after the sender's zero, want %v", i+1, date.Sub(zero), want[i])
		}
	}
	if len(cuts.dates) != len(want) {
		t.Errorf("%d cuts", len(cuts.dates))
	}
}

// cutDates keeps the dates of cuts.
type cutDates struct {
	minutes
	dates []time.Time
}

func (c *cutDates) Cut(cut media.Cut) error {
	c.dates = append(c.dates, cut.Wall)
	return nil
}
