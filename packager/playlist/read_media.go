package playlist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseMedia reads a media playlist.
func ParseMedia(text string) (*Media, error) {
	p := &mediaReader{m: &Media{}}
	if err := lines(text, p.line); err != nil {
		return nil, err
	}
	switch n := &p.next; {
	case !p.target:
		return nil, fmt.Errorf("%w: no EXT-X-TARGETDURATION", ErrSyntax)
	case p.extinf:
		return nil, fmt.Errorf("%w: EXTINF without its URI at the end", ErrSyntax)
	case n.Gap || n.Map != nil || len(n.Keys) > 0 || n.ByteRange != nil || n.Discontinuities > 0 || !n.ProgramDateTime.IsZero() || len(n.Parts) > 0:
		p.m.Open = n
	}
	return p.m, nil
}

// mediaReader is the state of ParseMedia.
type mediaReader struct {
	m      *Media
	next   Segment // what the tags so far say of the next URI
	extinf bool    // its EXTINF was seen
	target bool
}

func (p *mediaReader) line(tag, value string) (err error) {
	m := p.m
	switch tag {
	case "":
		if !p.extinf {
			return errors.New("URI without EXTINF")
		}
		p.next.URI = value
		m.Segments = append(m.Segments, p.next)
		p.next, p.extinf = Segment{}, false
	case "#EXT-X-VERSION":
		m.Version, err = readInt(value)
	case "#EXT-X-TARGETDURATION":
		p.target = true
		m.TargetDuration, err = readInt(value)
	case "#EXT-X-MEDIA-SEQUENCE":
		m.MediaSequence, err = strconv.ParseUint(value, 10, 64)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		m.DiscontinuitySequence, err = strconv.ParseUint(value, 10, 64)
	case "#EXT-X-PLAYLIST-TYPE":
		if m.Type = Type(value); m.Type != Event && m.Type != VOD {
			return errors.New("neither EVENT nor VOD")
		}
	case "#EXT-X-I-FRAMES-ONLY":
		m.IFramesOnly = true
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		m.IndependentSegments = true
	case "#EXT-X-ENDLIST":
		m.EndList = true
	case "#EXT-X-DISCONTINUITY":
		p.next.Discontinuities++
	case "#EXT-X-GAP":
		p.next.Gap = true
	case "#EXT-X-PROGRAM-DATE-TIME":
		p.next.ProgramDateTime, err = readDate(value)
	case "#EXT-X-BYTERANGE":
		p.next.ByteRange, err = readByteRange(value)
	case "#EXTINF":
		duration, title, _ := strings.Cut(value, ",")
		if strings.ContainsFunc(title, control) {
			return errors.New("control character")
		}
		p.extinf, p.next.Title = true, title
		p.next.Duration, err = readSeconds(duration)
	default:
		return p.attributes(tag, value)
	}
	return err
}

// attributes reads the tags whose value is an attribute list.
func (p *mediaReader) attributes(tag, value string) error {
	m, l := p.m, (*list)(nil)
	switch tag {
	case "#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-PART", "#EXT-X-PART-INF", "#EXT-X-SERVER-CONTROL",
		"#EXT-X-SKIP", "#EXT-X-DATERANGE", "#EXT-X-PRELOAD-HINT", "#EXT-X-RENDITION-REPORT":
		l = readList(value)
	default:
		return nil
	}
	switch tag {
	case "#EXT-X-MAP":
		keys := p.next.Keys
		if before := p.next.Map; before != nil { // which the second one replaces
			keys = append(before.Keys, keys...)
		}
		p.next.Map, p.next.Keys = &Map{URI: l.need("URI"), ByteRange: l.byteRange(), Keys: keys}, nil
	case "#EXT-X-KEY":
		p.next.Keys = append(p.next.Keys, readKey(l))
	case "#EXT-X-PART":
		l.need("DURATION")
		p.next.Parts = append(p.next.Parts, Part{
			URI: l.need("URI"), Duration: l.seconds("DURATION"),
			Independent: l.yes("INDEPENDENT"), Gap: l.yes("GAP"), ByteRange: l.byteRange(),
		})
	case "#EXT-X-PART-INF":
		l.need("PART-TARGET")
		m.PartTarget = l.seconds("PART-TARGET")
	case "#EXT-X-SERVER-CONTROL":
		m.ServerControl = &ServerControl{
			CanBlockReload: l.yes("CAN-BLOCK-RELOAD"), CanSkipUntil: l.seconds("CAN-SKIP-UNTIL"),
			HoldBack: l.seconds("HOLD-BACK"), PartHoldBack: l.seconds("PART-HOLD-BACK"),
		}
		// §4.4.3.8: it has a meaning only beside CAN-SKIP-UNTIL.
		m.ServerControl.CanSkipDateRanges = m.ServerControl.CanSkipUntil > 0 && l.yes("CAN-SKIP-DATERANGES")
	case "#EXT-X-SKIP":
		if m.Skip != nil {
			return errors.New("stands twice")
		}
		l.need("SKIPPED-SEGMENTS")
		m.Skip = &Skip{Segments: l.unsigned("SKIPPED-SEGMENTS", 0)}
		if removed, ok := l.values[removedRanges]; ok {
			m.Skip.DateRanges = true
			if removed != "" {
				m.Skip.Removed = strings.Split(removed, "\t")
			}
		}
	case "#EXT-X-DATERANGE":
		m.DateRanges = append(m.DateRanges, readDateRange(l))
	case "#EXT-X-PRELOAD-HINT":
		h := PreloadHint{
			Type: l.need("TYPE"), URI: l.need("URI"),
			Start: max(l.integer("BYTERANGE-START"), 0), Length: l.integer("BYTERANGE-LENGTH"),
		}
		if h.Type != "PART" && h.Type != "MAP" {
			l.fail("TYPE", errors.New("neither PART nor MAP"))
		}
		m.PreloadHints = append(m.PreloadHints, h)
	case "#EXT-X-RENDITION-REPORT":
		m.RenditionReports = append(m.RenditionReports, RenditionReport{
			URI: l.need("URI"), LastMSN: l.unsigned("LAST-MSN", 0), LastPart: l.integer("LAST-PART"),
		})
	}
	return l.err
}
