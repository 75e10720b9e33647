package webvtt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxHours bounds what a timestamp may say.
const maxHours = 1_000_000

// File is what a file holds.
type File struct {
	Map  *Map // nil where there is none
	Cues []Cue
}

// Read reads a file. It is stricter than players are: what is no WebVTT by the
// letter is an error, which names the line.
func Read(b []byte) (*File, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8")
	}
	text := strings.TrimPrefix(string(b), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("there is a NUL in it")
	}
	r := reader{lines: strings.Split(text, "\n")}
	f := &File{}
	if err := r.header(f); err != nil {
		return nil, fmt.Errorf("line %d: %w", r.at, err)
	}
	for {
		block := r.block()
		if len(block) == 0 {
			return f, nil
		}
		if noCue(block[0]) {
			continue
		}
		c, err := readCue(block)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", r.from, err)
		}
		f.Cues = append(f.Cues, c)
	}
}

// reader goes through the lines.
type reader struct {
	lines []string
	at    int // of the next one
	from  int // the number of the block's first line
}

// block is the next run of lines that are not blank, nil at the end.
func (r *reader) block() []string {
	for r.at < len(r.lines) && r.lines[r.at] == "" {
		r.at++
	}
	first := r.at
	r.from = first + 1
	for r.at < len(r.lines) && r.lines[r.at] != "" {
		r.at++
	}
	return r.lines[first:r.at]
}

// header reads up to the first blank line.
func (r *reader) header(f *File) error {
	r.at = 1
	if !word(r.lines[0], "WEBVTT") {
		return errors.New("it does not begin with WEBVTT")
	}
	for r.at < len(r.lines) && r.lines[r.at] != "" {
		line := r.lines[r.at]
		r.at++
		value, ok := strings.CutPrefix(line, "X-TIMESTAMP-MAP=")
		switch {
		case strings.Contains(line, "-->"):
			return errors.New("a cue without a blank line before it")
		case !ok:
			continue
		case f.Map != nil:
			return errors.New("a second X-TIMESTAMP-MAP")
		}
		m, err := readMap(value)
		if err != nil {
			return fmt.Errorf("X-TIMESTAMP-MAP: %w", err)
		}
		f.Map = &m
	}
	return nil
}

// noCue reports whether the block that a line begins is something else.
func noCue(line string) bool {
	return word(line, "NOTE") || word(line, "STYLE") || word(line, "REGION")
}

// word reports whether a line is a keyword, or begins with it.
func word(line, keyword string) bool {
	rest, ok := strings.CutPrefix(line, keyword)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

func readMap(s string) (m Map, err error) {
	mpegts, local := false, false
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		switch name {
		case "MPEGTS":
			mpegts = true
			m.MPEGTS, err = strconv.ParseUint(value, 10, 64)
			if err == nil && m.MPEGTS >= wrap {
				err = errors.New("it has more than 33 bits")
			}
		case "LOCAL":
			local = true
			m.Local, err = readTime(value)
		default:
			err = errors.New("neither MPEGTS nor LOCAL")
		}
		if err != nil {
			return m, fmt.Errorf("%q: %w", part, err)
		}
	}
	if !mpegts || !local {
		return m, errors.New("MPEGTS and LOCAL are needed")
	}
	return m, nil
}

func readCue(block []string) (c Cue, err error) {
	if !strings.Contains(block[0], "-->") {
		c.ID, block = block[0], block[1:]
	}
	if len(block) == 0 || !strings.Contains(block[0], "-->") {
		return c, errors.New("a cue without times")
	}
	from, rest, _ := strings.Cut(block[0], "-->")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return c, errors.New("a cue without an end")
	}
	if c.Start, err = readTime(strings.TrimSpace(from)); err != nil {
		return c, err
	}
	if c.End, err = readTime(fields[0]); err != nil {
		return c, err
	}
	if c.End < c.Start {
		return c, errors.New("a cue ends before it begins")
	}
	for _, setting := range fields[1:] {
		c.set(setting)
	}
	for _, line := range block[1:] {
		if strings.Contains(line, "-->") {
			return c, errors.New("an arrow in the text of a cue")
		}
	}
	c.Text = plain.Replace(strings.Join(block[1:], "\n"))
	return c, nil
}

// set takes a setting over; players ignore what they do not know.
func (c *Cue) set(setting string) {
	name, value, _ := strings.Cut(setting, ":")
	number := func() *float64 {
		text, ok := strings.CutSuffix(value, "%")
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || !(v >= 0 && v <= 100) {
			return nil
		}
		return &v
	}
	switch name {
	case "line":
		c.Line = number()
	case "position":
		c.Position = number()
	case "align":
		if Aligns(value) {
			c.Align = value
		}
	}
}

// readTime reads a timestamp: hours may be left out.
func readTime(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no time like 01:02:03.456", s)
	rest, fraction, ok := strings.Cut(s, ".")
	fields := strings.Split(rest, ":")
	if !ok || len(fraction) != 3 || len(fields) < 2 || len(fields) > 3 {
		return 0, bad
	}
	if len(fields) == 2 {
		fields = append([]string{"00"}, fields...)
	}
	var n [4]int64
	for i, field := range append(fields, fraction) {
		v, err := strconv.ParseUint(field, 10, 32)
		if err != nil || len(field) < 2 || i > 0 && i < 3 && (len(field) != 2 || v > 59) || v > maxHours {
			return 0, bad
		}
		n[i] = int64(v)
	}
	return time.Duration(((n[0]*60+n[1])*60+n[2])*1000+n[3]) * time.Millisecond, nil
}
