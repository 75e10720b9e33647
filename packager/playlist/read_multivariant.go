package playlist

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// ParseMultivariant reads a multivariant playlist.
func ParseMultivariant(text string) (*Multivariant, error) {
	p := &multivariantReader{m: &Multivariant{}}
	if err := lines(text, p.line); err != nil {
		return nil, err
	}
	if p.next != nil {
		return nil, fmt.Errorf("%w: EXT-X-STREAM-INF without its URI", ErrSyntax)
	}
	return p.m, nil
}

// multivariantReader is the state of ParseMultivariant.
type multivariantReader struct {
	m    *Multivariant
	next *Variant // waits for its URI line
}

func (p *multivariantReader) line(tag, value string) (err error) {
	if p.next != nil && tag != "" {
		return errors.New("EXT-X-STREAM-INF without its URI") // §4.4.6.2
	}
	switch tag {
	case "":
		if p.next == nil {
			return errors.New("URI without EXT-X-STREAM-INF")
		}
		p.next.URI = value
		p.m.Variants = append(p.m.Variants, *p.next)
		p.next = nil
	case "#EXT-X-VERSION":
		p.m.Version, err = readInt(value)
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		p.m.IndependentSegments = true
	case "#EXT-X-MEDIA":
		l := readList(value)
		p.m.Renditions = append(p.m.Renditions, Rendition{
			Type: l.need("TYPE"), GroupID: l.need("GROUP-ID"), Name: l.need("NAME"),
			Language: l.text("LANGUAGE"), Default: l.yes("DEFAULT"), Autoselect: l.yes("AUTOSELECT"),
			Forced: l.yes("FORCED"), InstreamID: l.text("INSTREAM-ID"),
			Characteristics: l.text("CHARACTERISTICS"), Channels: l.text("CHANNELS"), URI: l.text("URI"),
		})
		switch typ := l.text("TYPE"); typ {
		case "AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS":
		default:
			l.fail("TYPE", fmt.Errorf("unknown type %q", typ))
		}
		return l.err
	case "#EXT-X-SESSION-KEY":
		l := readList(value)
		k := readKey(l)
		if k.Method == MethodNone {
			l.fail("METHOD", errors.New("NONE")) // §4.4.6.4
		}
		p.m.SessionKeys = append(p.m.SessionKeys, k)
		return l.err
	case "#EXT-X-STREAM-INF":
		v, err := readVariant(value)
		p.next = &v
		return err
	case "#EXT-X-I-FRAME-STREAM-INF":
		v, err := readVariant(value)
		if err == nil && v.URI == "" {
			err = errors.New("URI: missing")
		}
		p.m.IFrames = append(p.m.IFrames, v)
		return err
	}
	return err
}

func readVariant(value string) (Variant, error) {
	l := readList(value)
	l.need("BANDWIDTH")
	v := Variant{
		Bandwidth: int(l.integer("BANDWIDTH")), AverageBandwidth: int(max(l.integer("AVERAGE-BANDWIDTH"), 0)),
		Codecs: l.text("CODECS"), VideoRange: l.text("VIDEO-RANGE"),
		Audio: l.text("AUDIO"), Video: l.text("VIDEO"), Subtitles: l.text("SUBTITLES"),
		ClosedCaptions: l.text("CLOSED-CAPTIONS"), URI: l.text("URI"),
	}
	if strings.ContainsAny(v.VideoRange, `,"`) {
		l.fail("VIDEO-RANGE", errors.New("no enumerated string"))
	}
	if r := l.text("RESOLUTION"); r != "" {
		w, h, _ := strings.Cut(r, "x")
		var err error
		v.Width, err = readInt(w)
		l.fail("RESOLUTION", err)
		v.Height, err = readInt(h)
		l.fail("RESOLUTION", err)
		if v.Width == 0 || v.Height == 0 {
			l.fail("RESOLUTION", errors.New("empty picture"))
		}
	}
	if r := l.text("FRAME-RATE"); r != "" {
		f, err := readDecimal(r, 3)
		if f > math.MaxInt32 {
			err = errors.New("out of range")
		}
		l.fail("FRAME-RATE", err)
		v.FrameRate = int(f)
	}
	return v, l.err
}
