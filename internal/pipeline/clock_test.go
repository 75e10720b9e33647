package pipeline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
)

func bySender(s *config.Stream) { s.Clock = "sender" }

// offBy is how far the sender's clock is off in these tests.
const offBy = time.Hour

// offset is how far a date is from the server's clock when its media came.
func (c *camera) offset(s listed, at time.Duration) time.Duration {
	return s.date.Sub(start(c).Add(at))
}

// start is the server's clock at media time 0.
func start(c *camera) time.Time { return time.Now().Add(c.begun - media.Now()) }

// Dates are the sender's where its clock is asked for, from the first segment
// on, and are never stepped.
func TestSenderClock(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*config.Stream)
		begins time.Duration // media time from which the sender reports; negative: never
		want   time.Duration
	}{
		"server":           {func(*config.Stream) {}, 0, 0},
		"sender":           {bySender, 0, offBy},
		"reports later":    {bySender, 3 * time.Second, offBy},
		"reports too late": {bySender, 8 * time.Second, 0},
		"never reports":    {bySender, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "", nil, passthrough("cam", c.change))
				cam := r.publish("cam", h264(180), aac())
				for at := time.Duration(0); at < 14*time.Second; at += 500 * time.Millisecond {
					if at == c.begins {
						cam.wall = start(cam).Add(offBy)
					}
					cam.send(at + time.Millisecond)
					time.Sleep(500 * time.Millisecond)
				}
				synctest.Wait()
				for _, list := range []string{"cam/180p/index.m3u8", "cam/audio/index.m3u8"} {
					segments, _ := r.list(list)
					if len(segments) < 6 {
						t.Fatalf("%s: %s", list, shape(segments))
					}
					for i, s := range segments {
						if off := cam.offset(s, time.Duration(i)*2*time.Second) - c.want; off.Abs() > 50*time.Millisecond {
							t.Errorf("%s: segment %d is dated %v beside what it should be", list, i, off)
						}
					}
					gapless(t, segments)
				}
			})
		})
	}
}

// The sender's clock holds over a break of its time, while its reports are
// void, and another publisher's clock is another.
func TestSenderClockOverBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam", bySender))
		cam := r.publish("cam", h264(180))
		cam.wall = start(cam).Add(offBy)
		cam.send(5 * time.Second)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		cam.next[0] += 2 * offBy
		cam.begun -= 2 * offBy
		cam.wall = time.Time{}
		cam.send(2*offBy + 10100*time.Millisecond)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		segments, _ := r.list("cam/180p/index.m3u8")
		last := segments[len(segments)-1]
		if off := time.Until(last.date) - offBy; off.Abs() > 6*time.Second {
			t.Errorf("behind the break a segment is dated %v beside the sender's clock: %s", off, shape(segments))
		}
		cam.pub.Close(nil)
		synctest.Wait()
		cam = r.publish("cam", h264(180))
		cam.wall = start(cam).Add(2 * offBy)
		cam.send(time.Millisecond)
		r.until("life", func() bool { return r.state("cam") == status.Live })
		cam.send(4100 * time.Millisecond)
		synctest.Wait()
		segments, _ = r.list("cam/180p/index.m3u8")
		last = segments[len(segments)-1]
		if off := time.Until(last.date) - 2*offBy; off.Abs() > 6*time.Second {
			t.Errorf("another publisher's segment is dated %v beside its clock: %s", off, shape(segments))
		}
	})
}
