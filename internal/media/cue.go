package media

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Cue is a text that viewers see for a while: subtitles of a stream. It may come
// before its time; one that comes late is shown from when it can be. It is
// immutable once it is handed on.
type Cue struct {
	// Subtitles names the rendition, as the configuration of its stream does:
	// en, or en-sdh.
	Subtitles string

	// Date is when it is shown, by the dates of the stream's segments; where it
	// is zero, At is: on the stream's timeline.
	Date time.Time
	At   time.Duration

	// Duration is how long; 0 is as long as it takes to read.
	Duration time.Duration

	// Text is plain, its lines separated by \n.
	Text string

	// Line and Position are percent of the picture, from above and from the
	// left; nil leaves them to the player. Align is that of the text: start,
	// center, end, left, right, or empty.
	Line, Position *float64
	Align          string
}

// ErrCue is wrapped by every error of Cue.Check.
var ErrCue = errors.New("bad cue")

// Limits of a cue: it is in every segment that is shown with it.
const (
	maxCueText     = 1000 // bytes
	maxCueLines    = 8
	maxCueDuration = 10 * time.Minute
)

// How long a text is shown that says nothing of it: so many characters a second
// can be read, but nobody reads faster than shortest.
const (
	readPerSecond = 15
	shortestCue   = 2 * time.Second
	longestCue    = 8 * time.Second
)

// Check reports what is wrong with a cue.
func (c *Cue) Check() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrCue, err)
	}
	return nil
}

func (c *Cue) check() error {
	switch {
	case strings.TrimSpace(c.Text) == "":
		return errors.New("there is no text")
	case len(c.Text) > maxCueText:
		return fmt.Errorf("the text has %d bytes, more than %d", len(c.Text), maxCueText)
	case !utf8.ValidString(c.Text):
		return errors.New("the text is not UTF-8")
	case strings.ContainsFunc(c.Text, func(r rune) bool { return r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) }):
		return errors.New("the text has control characters other than the end of a line")
	case strings.Count(c.Text, "\n") >= maxCueLines:
		return fmt.Errorf("the text has more than %d lines", maxCueLines)
	case c.Duration < 0:
		return errors.New("the duration is negative")
	case c.Duration > maxCueDuration:
		return fmt.Errorf("it would be shown for more than %v", maxCueDuration)
	}
	for name, v := range map[string]*float64{"line": c.Line, "position": c.Position} {
		if v != nil && !(*v >= 0 && *v <= 100) {
			return fmt.Errorf("%s is %v; it is percent of the picture, 0 to 100", name, *v)
		}
	}
	switch c.Align {
	case "", "start", "center", "end", "left", "right":
		return nil
	}
	return fmt.Errorf("align is %q; there are start, center, end, left and right", c.Align)
}

// Lasts is how long the cue is shown.
func (c *Cue) Lasts() time.Duration {
	if c.Duration > 0 {
		return c.Duration
	}
	read := time.Duration(utf8.RuneCountInString(c.Text)) * time.Second / readPerSecond
	return min(max(read, shortestCue), longestCue)
}
