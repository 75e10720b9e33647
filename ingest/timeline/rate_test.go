package timeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// A clock at a wrong rate (go2rtc issue 2398: 10.5 times too fast) is found
// and mended, with the SPS's help or without.
func TestWrongRate(t *testing.T) {
	for _, c := range []struct {
		name    string
		step    int64 // stamped distance at 25 pictures a second
		frame   int64 // what the SPS says
		repairs bool
	}{
		{"10.5 times, rate known", 37800, 3600, true},
		{"10.5 times, rate unknown", 37800, 0, true},
		{"a tenth, rate known", 360, 3600, true},
		{"a tenth, rate unknown", 360, 0, true},
		{"four times, rate unknown", 4 * 3600, 0, true},
		{"right", 3600, 3600, false},
		{"right, the SPS counts fields", 3600, 1800, false},
		{"right, the SPS is wrong", 3600, 9000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tl := New()
			cfg := h264Wire(0)
			cfg.Frame = c.frame
			tl.SetTrack(video, cfg)
			var ck checker
			var lead time.Duration
			for n := range 60 * 25 {
				at := time.Duration(n) * 40 * time.Millisecond
				at += time.Duration(n%7) * 5 * time.Millisecond // jitter
				st := place(t, tl, video, Sample{PTS: int64(n) * c.step & 0xffffffff, Arrival: at})
				ck.check(t, video, st)
				now := media.Duration(st.PTS, 90000) - at
				if n == 10*25 {
					lead = now
				}
				if d := now - lead; n > 10*25 && (d > 300*time.Millisecond || d < -300*time.Millisecond) {
					t.Fatalf("%v: the output runs away by %v", at, d)
				}
			}
			if got := tl.Repairs.Rates > 0; got != c.repairs || (ck.epoch == 1) != c.repairs {
				t.Errorf("epoch %d, repairs %+v", ck.epoch, tl.Repairs)
			}
		})
	}
}

// A sender that is merely fast or slow has an honest clock.
func TestHonestSpeed(t *testing.T) {
	for _, c := range []struct {
		frame int64
		speed float64
	}{{3600, 20}, {0, 20}, {3600, 3}, {0, 2.6}, {3600, 0.4}, {0, 0.5}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			tl := New()
			cfg := h264Wire(2)
			cfg.Frame = c.frame
			tl.SetTrack(video, cfg)
			tl.SetTrack(audio, aacWire())
			for n := range 3000 {
				at := time.Duration(float64(n) * 40e6 / c.speed)
				st := place(t, tl, video, Sample{PTS: pyramid(n) * 3600, Arrival: at})
				if want := 90000 + pyramid(n)*3600; st.PTS != want {
					t.Fatalf("picture %d at %d, want %d (%+v)", n, st.PTS, want, tl.Repairs)
				}
				a := place(t, tl, audio, Sample{PTS: int64(n) * 1920, Duration: 1920, Arrival: at})
				if want := 48000 + int64(n)*1920; a.PTS != want {
					t.Fatalf("audio %d at %d, want %d (%+v)", n, a.PTS, want, tl.Repairs)
				}
			}
		})
	}
}

// Audio tells its own rate: a frame of 1024 samples stamped as 2048.
func TestWrongAudioRate(t *testing.T) {
	tl := New()
	tl.SetTrack(audio, aacWire())
	var ck checker
	var last Stamp
	for n := range 2000 {
		at := time.Duration(n) * 1024 * time.Second / 48000
		st := place(t, tl, audio, Sample{PTS: int64(n) * 4096, Duration: 1024, Arrival: at})
		ck.check(t, audio, st)
		if n > 200 && st.PTS-last.PTS != 1024 {
			t.Fatalf("frame %d: distance %d", n, st.PTS-last.PTS)
		}
		last = st
	}
	if tl.Repairs.Rates != 1 {
		t.Errorf("repairs: %+v", tl.Repairs)
	}
}
