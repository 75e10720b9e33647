package transcode

import (
	"errors"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// What a script says that it is going to make, and what it is seen to cost,
// counts beside all else; one that asks again is judged without what it had.
func TestAccounts(t *testing.T) {
	s := &Supervisor{opts: Options{Cores: 2}}
	first, second := &account{s: s}, &account{s: s}
	if err := errors.Join(first.ask(1.5), first.ask(1.8), first.ask(1.2)); err != nil {
		t.Fatal(err)
	}
	if err := second.ask(0.9); !errors.Is(err, ErrOverloaded) {
		t.Errorf("0.9 beside 1.2 of 2: %v", err)
	}
	if err := second.ask(0.5); err != nil {
		t.Error(err)
	}
	if err := second.ask(0.9); !errors.Is(err, ErrOverloaded) {
		t.Errorf("0.9 beside 1.2 of 2: %v", err)
	}
	if used, _ := s.Load(); used != 1.7 {
		t.Errorf("%v are in use after a refusal", used)
	}
	first.found(1.6)
	if _, err := s.admit(0.2); !errors.Is(err, ErrOverloaded) {
		t.Errorf("0.2 beside 2.1 of 2: %v", err)
	}
	first.close()
	first.found(7)
	second.close()
	if used, _ := s.Load(); used != 0 {
		t.Errorf("%v are in use after all have left", used)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	for s := range 60 {
		m.read(time.Duration(s+1)*time.Second, time.Duration(s)*500*time.Millisecond)
	}
	if m.cores < 0.45 || m.cores > 0.55 {
		t.Errorf("half a core counts as %.2f", m.cores)
	}
	if now := m.read(61*time.Second, 34*time.Second); now > 1 {
		t.Errorf("a busy second counts as %.2f", now)
	}
}

// A ladder that lets its giver wait while media piles up in front of it is too
// slow; one that is idle while a script holds media back is not.
func TestGovernorOfALadderInThisProcess(t *testing.T) {
	plan := planOf(t, Policy{Live: true, LowLatency: true}, h264(1280, 720))
	for name, c := range map[string]struct {
		waited time.Duration // of each second
		want   bool
	}{"the ladder is slow": {900 * time.Millisecond, true}, "the script is slow": {0, false}} {
		t.Run(name, func(t *testing.T) {
			g := NewGovernor(plan, 1)
			g.Cut(media.Cut{Segment: 1, Discontinuity: 1, ClockRate: 90000})
			now, given := media.Now(), ""
			for s := range 10 {
				at := int64(s) * 90000
				p := media.Placed{Packet: &media.Packet{Track: h264(1280, 720), PTS: at, DTS: at}}
				g.Wrote(p, c.waited)
				for _, r := range plan.Renditions {
					if !r.Copy {
						g.Made(r.Name, p)
					}
				}
				now += time.Second
				if d, changed := g.Look(now, func() (time.Duration, uint64) { return 4 * time.Second, 0 }); changed && given == "" {
					given = d.String()
				}
			}
			if c.want != (given == "preset superfast") || !c.want && given != "" {
				t.Errorf("it gave up %q", given)
			}
		})
	}
}
