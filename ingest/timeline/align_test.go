package timeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// sender is a publisher whose audio has an origin of its own, may be delayed
// on its way, and whose audio clock may run at another speed; sender reports
// come every five seconds from reportsFrom on.
type sender struct {
	audioDelay  time.Duration // how much later than video audio is delivered
	audioPPM    int64         // how much faster the audio clock runs
	reportsFrom time.Duration
	hours       time.Duration
	reordering  int
}

var senderZero = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// run plays it and returns the largest error between audio and video after
// settle, by what really happened at the same moment.
func (s sender) run(t *testing.T, settle time.Duration) (worst time.Duration, tl *Timeline) {
	t.Helper()
	tl = New()
	tl.SetTrack(video, h264Wire(s.reordering))
	tl.SetTrack(audio, aacWire())
	var ck checker
	wall := func(report, at time.Duration) time.Time {
		if report < s.reportsFrom {
			return time.Time{}
		}
		return senderZero.Add(at)
	}
	var videoOut, videoAt time.Duration
	a := int64(0)
	for n := 0; ; n++ {
		at := time.Duration(n) * 40 * time.Millisecond // when it happened
		if at > s.hours {
			return worst, tl
		}
		v := place(t, tl, video, Sample{PTS: int64(n)*3600 + 12345, Arrival: at, NTP: wall(at, at)})
		ck.check(t, video, v)
		videoOut, videoAt = media.Duration(v.PTS, 90000), at
		for {
			// the frame's true time: its own clock is off
			ticks := a * 1024
			happened := time.Duration(ticks * 1e9 / 48000)
			happened -= happened / 1000 * time.Duration(s.audioPPM) / time.Duration((1e6+s.audioPPM)/1000)
			if happened+s.audioDelay > at {
				break
			}
			a++
			st, ok := tl.Place(audio, Sample{
				PTS: ticks + 777777, Duration: 1024, Arrival: happened + s.audioDelay, NTP: wall(happened, happened),
			})
			if !ok {
				continue
			}
			ck.check(t, audio, st)
			err := (media.Duration(st.PTS, 48000) - happened) - (videoOut - videoAt)
			if at > settle {
				worst = max(worst, max(err, -err))
			}
		}
	}
}

func TestReportsAlign(t *testing.T) {
	for _, s := range []sender{
		{audioDelay: 0},
		{audioDelay: 300 * time.Millisecond},
		{audioDelay: -300 * time.Millisecond, reordering: 2},
		{audioDelay: 300 * time.Millisecond, reportsFrom: 4 * time.Second},
		{audioDelay: -300 * time.Millisecond, reportsFrom: 4 * time.Second},
		{audioDelay: 30 * time.Millisecond, reportsFrom: 4 * time.Second},
		{audioDelay: 100 * time.Millisecond, audioPPM: 100},
		{audioDelay: 100 * time.Millisecond, audioPPM: -300},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			s.hours = 3 * time.Hour
			worst, tl := s.run(t, 6*time.Second)
			if worst > 40*time.Millisecond {
				t.Errorf("audio and video %v apart, repairs %+v", worst, tl.Repairs)
			}
			if tl.Repairs.Aligned > 1 || tl.Repairs.Breaks+tl.Repairs.Jumped+tl.Repairs.Rates != 0 {
				t.Errorf("repairs %+v", tl.Repairs)
			}
			t.Logf("worst %v, repairs %+v", worst, tl.Repairs)
		})
	}
}

// Without reports nothing is corrected, and the drift is measured.
func TestDriftIsMeasured(t *testing.T) {
	s := sender{audioPPM: 500, reportsFrom: 1 << 62, hours: time.Hour}
	_, tl := s.run(t, 0)
	a, _ := tl.Drift(audio)
	v, _ := tl.Drift(video)
	if d := a - 1800*time.Millisecond; d > 30*time.Millisecond || d < -30*time.Millisecond {
		t.Errorf("audio drift %v after an hour at 500 ppm", a)
	}
	if v > time.Millisecond || v < -time.Millisecond {
		t.Errorf("video drift %v", v)
	}
}

// One crazy report does no harm, two do not either when they contradict.
func TestCrazyReports(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(0))
	tl.SetTrack(audio, aacWire())
	for n := range 3000 {
		at := time.Duration(n) * 40 * time.Millisecond
		ntp := senderZero.Add(at)
		place(t, tl, video, Sample{PTS: int64(n) * 3600, Arrival: at, NTP: ntp})
		switch {
		case n == 500:
			ntp = ntp.Add(300 * time.Millisecond)
		case n > 1000 && n < 1100:
			ntp = ntp.Add(5 * time.Hour)
		case n > 1500 && n < 1600:
			ntp = ntp.Add(time.Second)
		}
		st := place(t, tl, audio, Sample{PTS: int64(n) * 1920, Duration: 1920, Arrival: at, NTP: ntp})
		if want := 48000 + int64(n)*1920; st.PTS != want {
			t.Fatalf("audio %d at %d, want %d", n, st.PTS, want)
		}
	}
}

// RTMP and MPEG-TS: one clock for all, in milliseconds; both wrap.
func TestSharedClock(t *testing.T) {
	for _, start := range []int64{0, 1<<32 - 500} {
		tl := New()
		tl.Restart(true)
		tl.SetTrack(video, Config{Video: true, Wire: 1000, Bits: 32, Rate: 90000})
		tl.SetTrack(audio, Config{Wire: 1000, Bits: 32, Rate: 48000})
		var ck checker
		a := 0
		for n := range 3000 {
			at := time.Duration(n) * 40 * time.Millisecond
			ms := start + int64(n)*40
			jump := int64(0)
			if n > 1000 {
				jump = -500_000 // the sender's clock begins anew
			}
			v := place(t, tl, video, Sample{PTS: ms + jump, DTS: ms + jump, HasDTS: true, Arrival: at})
			ck.check(t, video, v)
			for ; int64(a)*1024*1000/48000 <= int64(n)*40; a++ {
				ms := start + int64(a)*1024*1000/48000 + jump
				st, ok := tl.Place(audio, Sample{PTS: ms, DTS: ms, HasDTS: true, Duration: 1024, Arrival: at + 200*time.Millisecond})
				if !ok {
					continue
				}
				ck.check(t, audio, st)
				if n < 1000 || n > 1100 {
					err := media.Duration(st.PTS, 48000) - media.Duration(v.PTS, 90000) - (time.Duration(a)*1024*time.Second/48000 - at)
					if err > 12*time.Millisecond || err < -12*time.Millisecond {
						t.Fatalf("frame %d is off by %v (%+v)", a, err, tl.Repairs)
					}
				}
			}
		}
		if ck.epoch != 1 {
			t.Errorf("epoch %d", ck.epoch)
		}
	}
}

// Millisecond stamps become seamless frames of exactly 1024 samples.
func TestCoarseAudioIsSeamless(t *testing.T) {
	tl := New()
	tl.Restart(true)
	tl.SetTrack(audio, Config{Wire: 1000, Bits: 32, Rate: 44100})
	var last int64
	for n := range 5000 {
		at := time.Duration(n) * 1024 * time.Second / 44100
		st := place(t, tl, audio, Sample{PTS: at.Milliseconds(), DTS: at.Milliseconds(), HasDTS: true, Duration: 1024, Arrival: at})
		if n > 0 && st.PTS-last != 1024 {
			t.Fatalf("frame %d: distance %d", n, st.PTS-last)
		}
		last = st.PTS
	}
}

func TestSenderWall(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(0))
	if _, ok := tl.SenderWall(video, 0); ok {
		t.Error("known before anything came")
	}
	st := place(t, tl, video, Sample{PTS: 5, Arrival: 3 * time.Second, NTP: senderZero})
	if got, ok := tl.SenderWall(video, st.PTS+90000); !ok || !got.Equal(senderZero.Add(time.Second)) {
		t.Errorf("sender's wall clock %v, %v", got, ok)
	}
}
