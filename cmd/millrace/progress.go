package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress tells how far a piece of work is: a bar on a terminal, a line now
// and then elsewhere. Its methods may be called from any goroutine.
type progress struct {
	name string
	w    io.Writer
	bar  *progressbar.ProgressBar // nil: lines

	mu     sync.Mutex
	begin  time.Time
	done   time.Duration
	whole  time.Duration
	shown  time.Time // when the last line was written
	closed bool
}

// linesEvery is how often a line is written where there is no terminal.
const linesEvery = 5 * time.Second

func (w *world) progress(name string) *progress {
	p := &progress{name: name, w: w.stderr, begin: time.Now(), shown: time.Now()}
	if w.errTerminal {
		p.bar = progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(w.stderr),
			progressbar.OptionSetDescription(name),
			progressbar.OptionSetWidth(max(10, min(40, w.width-50))),
			progressbar.OptionSetPredictTime(false), // ours counts media
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		)
	}
	return p
}

// show takes how much media is done, of how much; whole is 0 where nobody
// knows.
func (p *progress) show(done, whole time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || done < p.done {
		return
	}
	p.done, p.whole = done, whole
	now := time.Now()
	if p.bar != nil {
		if now.Sub(p.shown) >= 100*time.Millisecond {
			p.shown = now
			p.draw(now)
		}
		return
	}
	if now.Sub(p.shown) >= linesEvery {
		p.shown = now
		fmt.Fprintln(p.w, p.name+": "+p.line(now))
	}
}

// draw moves the bar; the terminal's own faults are nobody's business here.
func (p *progress) draw(now time.Time) {
	if p.whole > 0 {
		p.bar.ChangeMax64(int64(p.whole))
		p.bar.Describe(fmt.Sprintf("%s  %.1fx  %s", p.name, p.speed(now), p.left(now)))
		_ = p.bar.Set64(int64(min(p.done, p.whole)))
		return
	}
	p.bar.Describe(p.name + "  " + p.line(now))
	_ = p.bar.Add(1)
}

// line says it in words: "40%  3.1x  0:12 left".
func (p *progress) line(now time.Time) string {
	if p.whole <= 0 {
		return fmt.Sprintf("%s done  %.1fx", clock(p.done), p.speed(now))
	}
	return fmt.Sprintf("%3.0f%%  %.1fx  %s", 100*min(1, p.done.Seconds()/p.whole.Seconds()), p.speed(now), p.left(now))
}

// speed is media time for real time.
func (p *progress) speed(now time.Time) float64 {
	if t := now.Sub(p.begin).Seconds(); t > 0 {
		return p.done.Seconds() / t
	}
	return 0
}

func (p *progress) left(now time.Time) string {
	speed := p.speed(now)
	if speed < 0.001 {
		return "? left"
	}
	left := time.Duration(float64(max(0, p.whole-p.done)) / speed)
	return fmt.Sprintf("%d:%02d left", int(left.Minutes()), int(left.Seconds())%60)
}

// close takes the bar away. Nothing is shown from here on.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// total sums it up: "1:00.0 in 0:14.2, 4.2x".
func (p *progress) total(took time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	length := p.whole
	if length <= 0 {
		length = p.done
	}
	return fmt.Sprintf("%s in %s, %.1fx", clock(length), clock(took), length.Seconds()/max(took.Seconds(), 0.001))
}
