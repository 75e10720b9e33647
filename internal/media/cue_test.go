package media

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestCheckCue(t *testing.T) {
	good := Cue{Subtitles: "en", Text: "One line\nand <another> & more"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	number := func(v float64) *float64 { return &v }
	for why, change := range map[string]func(*Cue){
		"no text":       func(c *Cue) { c.Text = " \n " },
		"more than 100": func(c *Cue) { c.Text = strings.Repeat("x", 1001) },
		"UTF-8":         func(c *Cue) { c.Text = "a\xffb" },
		"control":       func(c *Cue) { c.Text = "a\x1bb" },
		"more than 8":   func(c *Cue) { c.Text = strings.Repeat("x\n", 9) },
		"negative":      func(c *Cue) { c.Duration = -1 },
		"10m":           func(c *Cue) { c.Duration = time.Hour },
		"line":          func(c *Cue) { c.Line = number(101) },
		"position":      func(c *Cue) { c.Position = number(math.NaN()) },
		"align":         func(c *Cue) { c.Align = "middle" },
	} {
		c := good
		change(&c)
		if err := c.Check(); !errors.Is(err, ErrCue) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestCueLasts(t *testing.T) {
	for _, c := range []struct {
		cue  Cue
		want time.Duration
	}{
		{Cue{Text: "x", Duration: time.Minute}, time.Minute},
		{Cue{Text: "x"}, 2 * time.Second},
		{Cue{Text: strings.Repeat("ü", 60)}, 4 * time.Second},
		{Cue{Text: strings.Repeat("x", 900)}, 8 * time.Second},
	} {
		if got := c.cue.Lasts(); got != c.want {
			t.Errorf("%q: %v, want %v", c.cue.Text, got, c.want)
		}
	}
}
