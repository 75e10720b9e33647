//go:build soak

package packager

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// TestSoakHours plays an hour of every frame rate, with and without B-frames,
// through a low-latency presentation on a virtual clock: packets come up to
// 200 ms late, and the publisher is away for three seconds once. What is
// published is held to the rules at every step; see observer.
func TestSoakHours(t *testing.T) {
	variable := media.Rational{}
	for _, c := range []struct {
		name string
		rate media.Rational
	}{
		{"23.976", media.Rational{Num: 24000, Den: 1001}},
		{"25", media.Rational{Num: 25, Den: 1}},
		{"29.97", media.Rational{Num: 30000, Den: 1001}},
		{"30", media.Rational{Num: 30, Den: 1}},
		{"50", media.Rational{Num: 50, Den: 1}},
		{"59.94", media.Rational{Num: 60000, Den: 1001}},
		{"variable", variable},
	} {
		for _, bframes := range []struct {
			name    string
			reorder int
		}{{"without B-frames", 0}, {"with B-frames", 2}} {
			t.Run(c.name+" "+bframes.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { hour(t, c.rate, bframes.reorder) })
			})
		}
	}
}

func hour(t *testing.T, rate media.Rational, reorder int) {
	w := &world{
		rnd: rand.New(rand.NewPCG(1, 1)), lag: map[string]int{"rung": 7}, queue: map[string][]media.Placed{}, dead: map[string]uint64{},
		segment: 1000, disc: 500, start: time.Now(), written: map[string]int{},
		audio: true, coded: []string{"rung"}, gop: 2 * time.Second, late: 200 * time.Millisecond, whole: true, broken: true,
		cfg: Config{LowLatency: true, Segment: 2 * time.Second, Part: 500 * time.Millisecond, Window: 30 * time.Second},
	}
	w.track = videoTrack(rate)
	if w.jitter = !rate.Known(); w.jitter {
		rate = media.Rational{Num: 30, Den: 1}
	}
	w.video = frames{track: w.track, rate: rate, size: 2000, reorder: reorder}
	w.sim = newSim(t, w.cfg,
		Rendition{Name: "source", Kind: media.Video, Copy: true},
		Rendition{Name: "rung", Kind: media.Video, Bitrate: 800_000},
		Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	defer w.Close()
	w.obs = &observer{world: w, seen: map[string]*view{}, starts: map[uint64]int64{}, discs: map[uint64]uint64{}}

	w.session(30 * time.Minute)
	w.flush()
	w.Suspend()
	w.obs.look()
	w.now += 3 * time.Second
	w.broken, w.silent = true, true // its first sound may come before its first picture
	w.session(30 * time.Minute)
	w.flush()
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	w.obs.ended = true
	w.obs.look()
	w.obs.conservation()
}
