package playlist

import (
	"strconv"
	"time"
)

// Start is EXT-X-START (§4.4.2.2): where players should begin, from the end
// where it is negative.
type Start struct {
	TimeOffset time.Duration
	Precise    bool
}

// Append writes the tag behind b.
func (s *Start) Append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-START:"...), false}
	a.name("TIME-OFFSET")
	if s.TimeOffset < 0 {
		a.b = append(a.b, '-')
	}
	a.b = seconds(a.b, s.TimeOffset.Abs())
	a.yes("PRECISE", s.Precise)
	return a.end()
}

// Multivariant is a multivariant playlist (§4.4.6).
type Multivariant struct {
	Version             int // 0 writes none
	IndependentSegments bool
	SessionKeys         []Key // EXT-X-SESSION-KEY (§4.4.6.4)
	Renditions          []Rendition
	Variants            []Variant
	IFrames             []Variant // EXT-X-I-FRAME-STREAM-INF
}

// Rendition is EXT-X-MEDIA (§4.4.6.1); empty attributes are left out.
type Rendition struct {
	Type       string // AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS
	GroupID    string
	Name       string
	Language   string
	Default    bool
	Autoselect bool
	Forced     bool
	InstreamID string

	Characteristics string // Uniform Type Identifiers, separated by commas

	Channels string
	URI      string
}

// Variant is EXT-X-STREAM-INF with its URI line, or EXT-X-I-FRAME-STREAM-INF
// (§4.4.6.2, §4.4.6.3); zero values are left out.
type Variant struct {
	Bandwidth        int // bits/s
	AverageBandwidth int
	Codecs           string
	Width, Height    int
	FrameRate        int // frames in 1000 s: three decimals are written
	VideoRange       string
	Audio            string // group IDs
	Video            string
	Subtitles        string
	ClosedCaptions   string // a group ID, or NONE
	URI              string
}

// Append writes the playlist behind b.
func (m *Multivariant) Append(b []byte) []byte {
	b = append(b, "#EXTM3U\n"...)
	if m.Version > 0 {
		b = number(b, "#EXT-X-VERSION:", uint64(m.Version))
	}
	if m.IndependentSegments {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	b = appendKeys(b, "#EXT-X-SESSION-KEY:", m.SessionKeys)
	for i := range m.Renditions {
		b = m.Renditions[i].append(b)
	}
	for i := range m.Variants {
		v := &m.Variants[i]
		b = v.append(append(b, "#EXT-X-STREAM-INF:"...), false)
		b = append(append(b, clean(v.URI)...), '\n')
	}
	for i := range m.IFrames {
		b = m.IFrames[i].append(append(b, "#EXT-X-I-FRAME-STREAM-INF:"...), true)
	}
	return b
}

func (r *Rendition) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-MEDIA:"...), false}
	a.plain("TYPE", r.Type)
	a.quoted("GROUP-ID", r.GroupID)
	a.quoted("NAME", r.Name)
	if r.Language != "" {
		a.quoted("LANGUAGE", r.Language)
	}
	a.yes("DEFAULT", r.Default)
	a.yes("AUTOSELECT", r.Autoselect)
	a.yes("FORCED", r.Forced)
	if r.InstreamID != "" {
		a.quoted("INSTREAM-ID", r.InstreamID)
	}
	if r.Characteristics != "" {
		a.quoted("CHARACTERISTICS", r.Characteristics)
	}
	if r.Channels != "" {
		a.quoted("CHANNELS", r.Channels)
	}
	if r.URI != "" {
		a.quoted("URI", r.URI)
	}
	return a.end()
}

func (v *Variant) append(b []byte, uri bool) []byte {
	a := attributes{b, false}
	a.plain("BANDWIDTH", strconv.Itoa(v.Bandwidth))
	if v.AverageBandwidth > 0 {
		a.plain("AVERAGE-BANDWIDTH", strconv.Itoa(v.AverageBandwidth))
	}
	if v.Codecs != "" {
		a.quoted("CODECS", v.Codecs)
	}
	if v.Width > 0 && v.Height > 0 {
		a.plain("RESOLUTION", strconv.Itoa(v.Width)+"x"+strconv.Itoa(v.Height))
	}
	if v.FrameRate > 0 {
		a.name("FRAME-RATE")
		a.b = decimals(a.b, uint64(v.FrameRate), 3, 3)
	}
	if v.VideoRange != "" {
		a.plain("VIDEO-RANGE", v.VideoRange)
	}
	for _, g := range []struct{ name, id string }{{"AUDIO", v.Audio}, {"VIDEO", v.Video}, {"SUBTITLES", v.Subtitles}} {
		if g.id != "" {
			a.quoted(g.name, g.id)
		}
	}
	switch v.ClosedCaptions {
	case "":
	case "NONE": // §4.4.6.2: the one enumerated value
		a.plain("CLOSED-CAPTIONS", "NONE")
	default:
		a.quoted("CLOSED-CAPTIONS", v.ClosedCaptions)
	}
	if uri {
		a.quoted("URI", v.URI)
	}
	return a.end()
}
