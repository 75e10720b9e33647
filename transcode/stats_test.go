package transcode

import (
	"os"
	"testing"
	"time"

	"github.com/millrace/millrace/transcode/wire"
)

func TestSpeed(t *testing.T) {
	var tl tally
	figures := func(decode, encode time.Duration) *wire.Stats {
		return &wire.Stats{DecodeBusy: int64(decode), Outputs: []wire.OutputStats{{Busy: int64(encode)}, {Busy: int64(encode / 2)}}}
	}
	for i, c := range []struct {
		decode, encode, newest time.Duration
		want                   float64
	}{
		{0, 0, 10 * time.Second, 0},
		{100 * time.Millisecond, 500 * time.Millisecond, 11 * time.Second, 2},   // half a second for one
		{200 * time.Millisecond, 2500 * time.Millisecond, 12 * time.Second, .5}, // the slowest stage counts
		{200 * time.Millisecond, 2500 * time.Millisecond, 12 * time.Second, .5}, // nothing done, nothing learnt
	} {
		tl.take(figures(c.decode, c.encode), c.newest)
		if tl.speed != c.want {
			t.Errorf("figures %d: speed %g, want %g", i, tl.speed, c.want)
		}
	}
	tl.workerGone()
	if tl.speed != 0 || tl.busy != 0 || tl.media != 0 {
		t.Errorf("a dead worker leaves %+v", tl)
	}
}

func TestWorks(t *testing.T) {
	var tl tally
	const period = 10 * time.Second
	for i, c := range []struct {
		now, cpu time.Duration
		want     bool
	}{
		{100 * time.Second, 5 * time.Second, true},          // first look
		{101 * time.Second, 5 * time.Second, true},          // too soon to tell
		{110 * time.Second, 9 * time.Second, true},          // at work
		{120 * time.Second, 9100 * time.Millisecond, false}, // a tenth of a second in ten
		{300 * time.Second, 9100 * time.Millisecond, true},  // first look after long
		{301 * time.Second, time.Second, true},              // another process
	} {
		if got := tl.works(c.now, c.cpu, period); got != c.want {
			t.Errorf("look %d: %t", i, got)
		}
	}
}

func TestExecutable(t *testing.T) {
	s, err := NewSupervisor(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.opts.Command; len(c) != 2 || c[1] != "worker" {
		t.Fatalf("command %q", c)
	}
	ours, err := os.Stat(os.Args[0])
	if err != nil {
		t.Skip(err)
	}
	if theirs, err := os.Stat(s.opts.Command[0]); err != nil || !os.SameFile(ours, theirs) {
		t.Errorf("starts %s: %v", s.opts.Command[0], err)
	}
	if _, of := s.Load(); of <= 0 {
		t.Errorf("%g cores", of)
	}
}
