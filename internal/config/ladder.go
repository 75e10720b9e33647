package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/internal/media"
)

// LadderMode says how a stream's renditions are chosen.
type LadderMode string

// The modes of a Ladder.
const (
	Auto        LadderMode = "auto"        // by the source
	Passthrough LadderMode = "passthrough" // the source as it is
	List        LadderMode = "list"        // as Rungs lists them
)

// MaxRungs is the most rungs that a ladder may list.
const MaxRungs = 8

// Ladder is the choice of a stream's video renditions. It is comparable.
type Ladder struct {
	Mode  LadderMode
	n     int
	rungs [MaxRungs]Rung
}

// Rung is one video rendition.
type Rung struct {
	Name    string         `key:"name" reload:"streams" doc:"Name in URLs and menus; without one, the height with a p, as in 720p."`
	Height  int            `key:"height" reload:"streams" range:"32 4320" doc:"Lines of the picture (its short side, where it is upright); the other side follows the source's shape."`
	Bitrate Bitrate        `key:"bitrate" reload:"streams" doc:"Average bits a second: 2500k, 2.5M; without one, chosen by size and frame rate."`
	FPS     media.Rational `key:"fps" reload:"streams" doc:"Most frames a second; frames are dropped, never made."`
	Codec   string         `key:"codec" reload:"streams" oneof:"h264 h265 av1 vp9 copy" doc:"Coding of the video; copy passes the source through, as it is."`
}

func (r *Rung) setDefaults() { r.Codec = "h264" }

// NewLadder returns a Ladder of mode List.
func NewLadder(rungs ...Rung) (Ladder, error) {
	l := Ladder{Mode: List}
	if len(rungs) == 0 {
		return l, fmt.Errorf("a list of no renditions; write auto, passthrough or at least one {height: …}")
	}
	if len(rungs) > MaxRungs {
		return l, fmt.Errorf("%d renditions; %d are the most", len(rungs), MaxRungs)
	}
	l.n = copy(l.rungs[:], rungs)
	return l, nil
}

// Rungs returns the rungs of mode List, top first.
func (l Ladder) Rungs() []Rung { return slices.Clone(l.rungs[:l.n]) }

func (l Ladder) String() string {
	if l.Mode != List {
		return string(l.Mode)
	}
	parts := make([]string, 0, l.n)
	for _, r := range l.rungs[:l.n] {
		text := r.Name
		if text == "" {
			text = r.Codec
		}
		if r.Bitrate > 0 {
			text += ":" + r.Bitrate.String()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

// ParseLadder reads a ladder as the command line takes it: auto, passthrough,
// a YAML list of rungs, or the short form HEIGHT[:BITRATE],… such as
// 720:2500k,480p:1200k,360. file names where text came from, for errors.
func ParseLadder(file, text string) (Ladder, error) {
	text = strings.TrimSpace(text)
	if l, ok := parseShort(text); ok {
		return l, nil
	}
	d := newDecoder(file)
	root := d.parse([]byte(text))
	l := Ladder{Mode: Auto}
	if root == nil && len(d.errs) == 0 {
		d.errorf(&node{line: 1, column: 1}, "", "no ladder; write auto, passthrough or a list such as 720:2500k,360:700k")
	}
	if root != nil {
		l.decode(d, root, "")
	}
	if err := d.err(); err != nil {
		return Ladder{}, err
	}
	return l, nil
}

// parseShort reads the short form; it leaves everything else to the YAML
// reader, which has better words for what is wrong.
func parseShort(text string) (Ladder, bool) {
	var rungs []Rung
	seen := make(map[int]bool)
	for part := range strings.SplitSeq(text, ",") {
		h, rate, rated := strings.Cut(strings.TrimSpace(part), ":")
		height, err := strconv.Atoi(strings.TrimSuffix(h, "p"))
		if err != nil || height < 32 || height > 4320 || seen[height] {
			return Ladder{}, false
		}
		seen[height] = true
		r := Rung{Name: strconv.Itoa(height) + "p", Height: height, Codec: "h264"}
		if rated {
			if r.Bitrate, err = parseBitrate(rate); err != nil {
				return Ladder{}, false
			}
		}
		if n := len(rungs); n > 0 && rungs[n-1].Height < height {
			return Ladder{}, false
		}
		rungs = append(rungs, r)
	}
	l, err := NewLadder(rungs...)
	return l, err == nil
}

// decode reads auto, passthrough or a list of rungs.
func (l *Ladder) decode(d *decoder, n *node, path string) {
	if n.kind == scalarNode {
		switch n.text {
		case string(Auto), string(Passthrough):
			*l = Ladder{Mode: LadderMode(n.text)}
		default:
			d.errorf(n, path, "%q is not a ladder; write auto, passthrough or a list%s", n.text, didYouMean(n.text, []string{"auto", "passthrough"}))
		}
		return
	}
	if n.kind != listNode {
		d.errorf(n, path, "expected auto, passthrough or a list of {height: …}, got %s", n.describe(path))
		return
	}
	var rungs []Rung
	before := d.count
	d.list(n, path, func(item *node, at string) {
		if r, ok := decodeRung(d, item, at, rungs); ok {
			rungs = append(rungs, r)
		}
	})
	if d.count > before {
		return
	}
	made, err := NewLadder(rungs...)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*l = made
}

func decodeRung(d *decoder, n *node, path string, above []Rung) (Rung, bool) {
	var r Rung
	r.setDefaults()
	before := d.count
	d.structure(n, &r, path)
	if d.count > before {
		return r, false
	}
	if r.Codec == "copy" {
		if r.Height != 0 || r.Bitrate != 0 || r.FPS.Known() {
			d.errorf(n.get("codec", n), path+".codec", "a copy is as the source is; leave height, bitrate and fps out")
		}
	} else if r.Height == 0 {
		d.errorf(n, path, "a rendition needs a height")
		return r, false
	}
	if r.Name == "" && r.Height > 0 {
		r.Name = strconv.Itoa(r.Height) + "p"
	}
	if err := checkRungName(r.Name); err != nil {
		d.errorf(n.get("name", n), path+".name", "%v", err)
	}
	for i, o := range above {
		if o.Name == r.Name && r.Name != "" {
			d.errorf(n.get("name", n), path+".name", "a second rendition is called %q; give each a name of its own", r.Name)
		}
		if i == len(above)-1 && r.Height > o.Height && o.Height > 0 {
			d.errorf(n.get("height", n), path+".height", "%d is larger than the %d above it; list the top rendition first", r.Height, o.Height)
		}
	}
	return r, d.count == before
}

// checkRungName keeps names usable as one element of a URL beside "audio" and
// the files of a presentation.
func checkRungName(name string) error {
	if strings.HasPrefix(name, "audio") {
		return fmt.Errorf("%q is kept for audio renditions; choose another name", name)
	}
	if strings.HasPrefix(name, "sub-") {
		return fmt.Errorf("%q is kept for subtitle renditions; choose another name", name)
	}
	for _, r := range name {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fmt.Errorf("character %q is not allowed in a name; use letters, digits, _ and -", r)
		}
	}
	if len(name) > 32 {
		return fmt.Errorf("name of %d characters; 32 are the most", len(name))
	}
	return nil
}
