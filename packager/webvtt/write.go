package webvtt

import (
	"strconv"
	"strings"
	"time"
)

// ContentType is that of a file, which is always UTF-8.
const ContentType = "text/vtt; charset=utf-8"

// clock is the rate of MPEG-TS timestamps, which have 33 bits.
const (
	clock = 90_000
	wrap  = 1 << 33
)

// Map says which time of the media is which time of the cues: X-TIMESTAMP-MAP.
type Map struct {
	MPEGTS uint64 // ticks of 90 kHz, 33 bits
	Local  time.Duration
}

// MapAt is the mapping at a point of a timeline that began offset ticks of
// 90 kHz before its zero. It is exact: a millisecond is 90 ticks. Naming a point
// near the cues keeps them right when the 33 bits are over, after 26.5 hours.
func MapAt(at time.Duration, offset uint64) Map {
	ms := max(at, 0).Milliseconds()
	return Map{MPEGTS: (uint64(ms)*(clock/1000) + offset) % wrap, Local: time.Duration(ms) * time.Millisecond}
}

// Cue is a text and when it is shown.
type Cue struct {
	ID         string // what names the same cue in another file
	Start, End time.Duration
	Text       string // plain, in one line or more; blank ones are left out

	// Settings: percent of the picture from above and from the left, nil where
	// the player chooses; start, center, end, left, right, or empty.
	Line, Position *float64
	Align          string
}

// Append writes a file behind b. Whatever stands in a text or an ID, the result
// has exactly these cues.
func Append(b []byte, m Map, cues []Cue) []byte {
	b = append(b, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:"...)
	b = strconv.AppendUint(b, m.MPEGTS, 10)
	b = AppendTime(append(b, ",LOCAL:"...), m.Local)
	b = append(b, '\n')
	for i := range cues {
		b = cues[i].append(append(b, '\n'))
	}
	return b
}

func (c *Cue) append(b []byte) []byte {
	if id := clean(c.ID); id != "" && !strings.Contains(id, "\n") && !strings.Contains(id, "-->") && !noCue(id) {
		b = append(append(b, id...), '\n')
	}
	b = AppendTime(b, c.Start)
	b = AppendTime(append(b, " --> "...), max(c.End, c.Start))
	if c.Line != nil {
		b = percent(append(b, " line:"...), *c.Line)
	}
	if c.Position != nil {
		b = percent(append(b, " position:"...), *c.Position)
	}
	if Aligns(c.Align) {
		b = append(append(b, " align:"...), c.Align...)
	}
	b = append(b, '\n')
	for line := range strings.SplitSeq(clean(c.Text), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			b = append(append(b, escaped.Replace(line)...), '\n')
		}
	}
	return b
}

// Aligns reports whether s is an alignment of a cue's text.
func Aligns(s string) bool {
	switch s {
	case "start", "center", "end", "left", "right":
		return true
	}
	return false
}

// escaped writes the characters that mean something in a cue's text. With > no
// text holds the arrow of another cue.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// plain is the other way.
var plain = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&nbsp;", "\u00a0", "&lrm;", "\u200e", "&rlm;", "\u200f")

// clean is text as UTF-8, with no control characters but the end of a line.
func clean(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\ufffd"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfeff:
			return -1
		}
		return r
	}, s)
}

func percent(b []byte, v float64) []byte {
	return append(strconv.AppendFloat(b, min(max(v, 0), 100), 'f', -1, 64), '%')
}

// AppendTime writes a timestamp, with its hours: HH:MM:SS.mmm.
func AppendTime(b []byte, d time.Duration) []byte {
	ms := max(d, 0).Milliseconds()
	b = append(digits(b, ms/3_600_000, 2), ':')
	b = append(digits(b, ms/60_000%60, 2), ':')
	b = append(digits(b, ms/1000%60, 2), '.')
	return digits(b, ms%1000, 3)
}

// digits writes n with leading zeros.
func digits(b []byte, n int64, width int) []byte {
	s := strconv.FormatInt(n, 10)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}
