package testmedia

import (
	"bytes"
	"context"
	"errors"
	"image"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// watcher notes what a camera delivers, and when.
type watcher struct {
	mu    sync.Mutex
	shots []Stamp
	lags  []time.Duration // of the stamp that was read from the picture
	pcm   []int16
	slow  map[int64]time.Duration
	fail  error
}

func (w *watcher) Picture(s Shot) error {
	read, err := DecodeStrip(s.Frame, image.Rectangle{})
	if d := w.slow[s.Number]; d > 0 {
		defer time.Sleep(d)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || read != s.Stamp || int64(read.Frame) != s.Number {
		return errors.Join(err, errors.New("the strip does not say what the shot says"))
	}
	w.shots = append(w.shots, read)
	w.lags = append(w.lags, time.Since(read.Wall))
	return nil
}

func (w *watcher) Sound(c Chunk) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Number != int64(len(w.pcm)/2) {
		return errors.New("sound has a hole")
	}
	w.pcm = append(w.pcm, c.PCM...)
	return w.fail
}

func camera(t testing.TB, rate Rate) *Camera {
	t.Helper()
	c, err := NewCamera(CameraOptions{
		Picture: PictureOptions{Width: 192, Height: 108}, Rate: rate,
		Sound: SoundOptions{Rate: 8000, Channels: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCameraKeepsTime(t *testing.T) {
	for _, rate := range []Rate{PAL, NTSC, FPS60, {7, 3}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second+time.Millisecond)
			defer cancel()
			start := time.Now()
			w := &watcher{}
			if err := camera(t, rate).Run(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			if want := 4*rate.Num/rate.Den + 1; len(w.shots) != want {
				t.Errorf("%v: %d shots in 4 s, want %d", rate, len(w.shots), want)
			}
			for i, s := range w.shots {
				if int(s.Frame) != i || w.lags[i] > time.Millisecond || s.Wall.Sub(start.Add(rate.Time(int64(i)))).Abs() > time.Millisecond {
					t.Fatalf("%v: shot %d is %v, %v late", rate, i, s, w.lags[i])
				}
			}
			if got := len(w.pcm) / 2; got != 32000 {
				t.Errorf("%d samples in 4 s, want 32000", got)
			}
			beeps := FindBeeps(w.pcm, 8000, 2)
			if len(beeps) < 3 {
				t.Fatalf("%d beeps in 4 s", len(beeps))
			}
			for _, b := range beeps {
				wall := start.Add(b.At).Round(time.Millisecond)
				if wall.Nanosecond() != 0 || b.Second != wall.Second() {
					t.Errorf("beep %v at wall clock %v", b, wall)
				}
			}
		})
	}
}

func TestSlowViewerLosesPicturesButNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3990*time.Millisecond)
		defer cancel()
		w := &watcher{slow: map[int64]time.Duration{20: 990 * time.Millisecond, 60: 1210 * time.Millisecond}}
		if err := camera(t, PAL).Run(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		var frames []uint32
		for _, s := range w.shots {
			frames = append(frames, s.Frame)
		}
		c := CheckContinuity(frames, 0)
		if c.Lost != 29 || c.Doubled+c.Backwards != 0 || frames[len(frames)-1] != 99 {
			t.Errorf("got %v up to %d, want 29 lost, all by the second delay, up to 99", c, frames[len(frames)-1])
		}
	})
}

func TestViewerEndsCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		if err := camera(t, PAL).Run(t.Context(), &watcher{fail: broken}); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWriteRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second+time.Millisecond)
		defer cancel()
		var video, sound bytes.Buffer
		if err := camera(t, PAL).WriteRaw(ctx, &video, &sound); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if video.Len() != 26*192*108*3/2 || sound.Len() != 8000*4 {
			t.Errorf("%d bytes of pictures and %d of sound", video.Len(), sound.Len())
		}
		if s, err := DecodeLuma(video.Bytes()[25*192*108*3/2:], 192, 192, 108); err != nil || s.Frame != 25 {
			t.Errorf("last picture is %v, %v", s, err)
		}
	})
}

func TestCameraOptions(t *testing.T) {
	picture := PictureOptions{Width: 320, Height: 180}
	for name, o := range map[string]CameraOptions{
		"no rate":     {Picture: picture},
		"odd size":    {Picture: PictureOptions{Width: 321, Height: 180}, Rate: PAL},
		"no channels": {Picture: picture, Rate: PAL, Sound: SoundOptions{Rate: 48000}},
		"tiny chunk":  {Picture: picture, Rate: PAL, Sound: SoundOptions{Rate: 8000, Channels: 1}, Chunk: time.Microsecond},
	} {
		if _, err := NewCamera(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRate(t *testing.T) {
	for _, r := range []Rate{Film, PAL, NTSC, FPS30, FPS50, NTSC60, FPS60, {1, 10}} {
		for _, n := range []int64{0, 1, 2, 29, 30, 1000, 1 << 28} {
			at := r.Time(n)
			if r.Frame(at) != n || n > 0 && r.Frame(at-1) != n-1 {
				t.Errorf("%v: frame %d is at %v, where frame %d is, and %d before", r, n, at, r.Frame(at), r.Frame(at-1))
			}
		}
	}
	if (Rate{1, 10}).Time(1<<40) != 1<<63-1 || FPS60.Frame(1<<63-1) <= 0 {
		t.Error("the end of time overflows")
	}
	if NTSC.String() != "30000/1001" || PAL.String() != "25" {
		t.Error(NTSC, PAL)
	}
}
