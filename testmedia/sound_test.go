package testmedia

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func heard(t testing.TB, o SoundOptions, start time.Time, length time.Duration, chunk int) []int16 {
	t.Helper()
	s, err := NewSound(o, start)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, int(length*time.Duration(o.Rate)/time.Second)*o.Channels)
	for at := 0; at < len(pcm); at += chunk * o.Channels {
		s.Fill(pcm[at:min(at+chunk*o.Channels, len(pcm))])
	}
	return pcm
}

func TestBeepsAreFound(t *testing.T) {
	for _, o := range []SoundOptions{{8000, 1, false}, {16000, 1, true}, {44100, 2, false}, {48000, 2, true}, {48000, 6, true}} {
		for _, wait := range []time.Duration{0, time.Millisecond, 333333333, 899 * time.Millisecond, 950 * time.Millisecond} {
			t.Run(fmt.Sprintf("%d Hz %d channels after %v", o.Rate, o.Channels, wait), func(t *testing.T) {
				start := time.Date(2026, 3, 1, 12, 0, 57, 0, time.UTC).Add(-wait)
				pcm := heard(t, o, start, 5500*time.Millisecond, 960)
				beeps := FindBeeps(pcm, o.Rate, o.Channels)
				if len(beeps) < 5 {
					t.Fatalf("found %v, want at least 5", beeps)
				}
				late := 0 // the one at the very beginning does not count
				if wait == 0 || wait == time.Millisecond {
					late = 1
				}
				for i, b := range beeps {
					i += late
					want := wait + time.Duration(i)*time.Second
					if d := (b.At - want).Abs(); d > 200*time.Microsecond {
						t.Errorf("beep %d at %v, want %v", i, b.At, want)
					}
					if i < 5 && b.Second != (57+i)%60 {
						t.Errorf("beep %d says second %d, want %d", i, b.Second, (57+i)%60)
					}
				}
			})
		}
	}
}

func TestEverySecondIsRead(t *testing.T) {
	pcm := heard(t, SoundOptions{Rate: 8000, Channels: 1, Bed: true}, time.Unix(59, 5e8), time.Minute, 1000)
	beeps := FindBeeps(pcm, 8000, 1)
	if len(beeps) != 60 {
		t.Fatalf("found %d beeps, want 60", len(beeps))
	}
	for i, b := range beeps {
		if b.Second != i {
			t.Errorf("second %d was read as %d", i, b.Second)
		}
	}
}

func TestBeepsInNoise(t *testing.T) {
	pcm := heard(t, SoundOptions{Rate: 48000, Channels: 1}, time.Unix(0, 0).Add(-250*time.Millisecond), 3*time.Second, 480)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range pcm {
		pcm[i] = int16(max(min(float64(pcm[i])*0.3+600*r.NormFloat64(), math.MaxInt16), math.MinInt16))
	}
	beeps := FindBeeps(pcm, 48000, 1)
	if len(beeps) != 3 {
		t.Fatalf("found %v", beeps)
	}
	for i, b := range beeps {
		if d := (b.At - time.Duration(i)*time.Second - 250*time.Millisecond).Abs(); d > 2*time.Millisecond || b.Second != i {
			t.Errorf("beep %d: %v", i, b)
		}
	}
}

func TestNoBeeps(t *testing.T) {
	tone := make([]int16, 48000)
	for i := range tone {
		tone[i] = int16(9000 * math.Sin(2*math.Pi*1000*float64(i)/48000))
	}
	hum := make([]int16, 48000)
	for i := range hum {
		if i%24000 < 4800 {
			hum[i] = int16(9000 * math.Sin(2*math.Pi*1600*float64(i)/48000))
		}
	}
	cut := heard(t, SoundOptions{Rate: 48000, Channels: 1}, time.Unix(0, 5e7), 500*time.Millisecond, 480)
	for name, pcm := range map[string][]int16{
		"nothing": nil, "silence": make([]int16, 48000), "a steady tone": tone, "beeps of another pitch": hum, "the rest of a beep": cut,
	} {
		if got := FindBeeps(pcm, 48000, 1); len(got) != 0 {
			t.Errorf("%s: found %v", name, got)
		}
	}
	if FindBeeps(tone, 0, 1) != nil || FindBeeps(tone, 48000, 0) != nil {
		t.Error("found beeps without a rate or channels")
	}
}

func TestChunksDoNotMatter(t *testing.T) {
	o := SoundOptions{Rate: 44100, Channels: 2, Bed: true}
	if !slices.Equal(heard(t, o, noon, 2*time.Second, 1<<20), heard(t, o, noon, 2*time.Second, 333)) {
		t.Error("the sound depends on the size of its chunks")
	}
}

func TestFindSilence(t *testing.T) {
	pcm := heard(t, SoundOptions{Rate: 8000, Channels: 2, Bed: true}, noon, 4*time.Second, 800)
	if gaps := FindSilence(pcm, 8000, 2, 5*time.Millisecond); len(gaps) != 0 {
		t.Fatalf("unbroken sound has gaps: %v", gaps)
	}
	clear(pcm[8000*2 : 8400*2])
	clear(pcm[len(pcm)-2*160:])
	gaps := FindSilence(pcm, 8000, 2, 15*time.Millisecond)
	if len(gaps) != 2 || gaps[0][0].Round(10*time.Millisecond) != time.Second || gaps[0][1].Round(10*time.Millisecond) != 1050*time.Millisecond || gaps[1][1] != 4*time.Second {
		t.Errorf("got %v", gaps)
	}
}

func TestSoundOptions(t *testing.T) {
	for _, o := range []SoundOptions{{}, {Rate: 48000}, {Rate: 100, Channels: 1}, {Rate: 48000, Channels: 65}} {
		if _, err := NewSound(o, noon); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func BenchmarkSoundFill(b *testing.B) {
	s, err := NewSound(SoundOptions{Rate: 48000, Channels: 2, Bed: true}, noon)
	if err != nil {
		b.Fatal(err)
	}
	pcm := make([]int16, 96000)
	for b.Loop() {
		s.Fill(pcm)
	}
}
