package playlist

import (
	"strconv"
	"time"
)

// Type is the value of EXT-X-PLAYLIST-TYPE; empty for a sliding window.
type Type string

// The playlist types of §4.4.3.5.
const (
	Event Type = "EVENT"
	VOD   Type = "VOD"
)

// Media is a media playlist (§4.4.3, §4.4.4, §4.4.5).
type Media struct {
	Version               int // 0 writes none
	TargetDuration        int // seconds
	MediaSequence         uint64
	DiscontinuitySequence uint64
	Type                  Type
	IndependentSegments   bool
	IFramesOnly           bool
	EndList               bool

	ServerControl *ServerControl
	PartTarget    time.Duration // EXT-X-PART-INF; 0 writes none

	Skip             *Skip
	DateRanges       []DateRange
	Segments         []Segment
	Open             *Segment // not complete yet: its tags and parts, no URI
	PreloadHints     []PreloadHint
	RenditionReports []RenditionReport
}

// Segment is a URI line with the tags that apply to it.
type Segment struct {
	URI             string
	Duration        time.Duration
	Title           string
	ByteRange       *ByteRange
	Discontinuities int   // EXT-X-DISCONTINUITY tags before it
	Map             *Map  // only where the tag stands
	Keys            []Key // EXT-X-KEY tags before it and behind those of Map
	ProgramDateTime time.Time
	Gap             bool
	Parts           []Part
}

// ByteRange is a sub-range of a resource; Offset is -1 where it is not written.
type ByteRange struct{ Length, Offset int64 }

// Map is EXT-X-MAP (§4.4.4.5).
type Map struct {
	URI       string
	ByteRange *ByteRange
	Keys      []Key // EXT-X-KEY tags before it: they hold for the section too
}

// Part is EXT-X-PART (§4.4.4.9).
type Part struct {
	URI         string
	Duration    time.Duration
	Independent bool
	Gap         bool
	ByteRange   *ByteRange
}

// ServerControl is EXT-X-SERVER-CONTROL (§4.4.3.8); zero values are left out.
type ServerControl struct {
	CanBlockReload    bool
	CanSkipUntil      time.Duration
	CanSkipDateRanges bool
	HoldBack          time.Duration
	PartHoldBack      time.Duration
}

// Skip is EXT-X-SKIP (§4.4.5.2). DateRanges says that date ranges are left out
// as well; then Removed is RECENTLY-REMOVED-DATERANGES.
type Skip struct {
	Segments   uint64
	DateRanges bool
	Removed    []string
}

// PreloadHint is EXT-X-PRELOAD-HINT (§4.4.5.3). Length -1 is not written, nor
// is Start 0.
type PreloadHint struct {
	Type          string // PART or MAP
	URI           string
	Start, Length int64
}

// RenditionReport is EXT-X-RENDITION-REPORT (§4.4.5.4). LastPart -1 is not
// written.
type RenditionReport struct {
	URI      string
	LastMSN  uint64
	LastPart int64
}

// Append writes the playlist behind b.
func (m *Media) Append(b []byte) []byte {
	b = append(b, "#EXTM3U\n"...)
	if m.Version > 0 {
		b = number(b, "#EXT-X-VERSION:", uint64(m.Version))
	}
	b = number(b, "#EXT-X-TARGETDURATION:", uint64(m.TargetDuration))
	if m.ServerControl != nil {
		b = m.ServerControl.append(b)
	}
	if m.PartTarget > 0 {
		b = append(seconds(append(b, "#EXT-X-PART-INF:PART-TARGET="...), m.PartTarget), '\n')
	}
	b = number(b, "#EXT-X-MEDIA-SEQUENCE:", m.MediaSequence)
	b = number(b, "#EXT-X-DISCONTINUITY-SEQUENCE:", m.DiscontinuitySequence)
	if m.Type != "" {
		b = append(append(append(b, "#EXT-X-PLAYLIST-TYPE:"...), m.Type...), '\n')
	}
	if m.IFramesOnly {
		b = append(b, "#EXT-X-I-FRAMES-ONLY\n"...)
	}
	if m.IndependentSegments {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if m.Skip != nil {
		b = m.Skip.append(b)
	}
	for i := range m.DateRanges {
		b = m.DateRanges[i].append(b)
	}
	for i := range m.Segments {
		b = m.Segments[i].append(b)
	}
	if m.Open != nil {
		b = m.Open.tags(b)
	}
	for i := range m.PreloadHints {
		b = m.PreloadHints[i].append(b)
	}
	for i := range m.RenditionReports {
		b = m.RenditionReports[i].append(b)
	}
	if m.EndList {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

func (s *Segment) append(b []byte) []byte {
	b = s.tags(b)
	b = append(seconds(append(b, "#EXTINF:"...), s.Duration), ',')
	b = append(append(b, clean(s.Title)...), '\n')
	return append(append(b, clean(s.URI)...), '\n')
}

// tags writes what stands before EXTINF. The tags that apply to the parts come
// before them (§4.4.4.9).
func (s *Segment) tags(b []byte) []byte {
	for range s.Discontinuities {
		b = append(b, "#EXT-X-DISCONTINUITY\n"...)
	}
	if s.Map != nil {
		b = appendKeys(b, "#EXT-X-KEY:", s.Map.Keys)
		a := attributes{append(b, "#EXT-X-MAP:"...), false}
		a.quoted("URI", s.Map.URI)
		a.byteRange(s.Map.ByteRange)
		b = a.end()
	}
	b = appendKeys(b, "#EXT-X-KEY:", s.Keys)
	if !s.ProgramDateTime.IsZero() {
		b = append(b, "#EXT-X-PROGRAM-DATE-TIME:"...)
		b = append(s.ProgramDateTime.UTC().AppendFormat(b, dateLayout), '\n')
	}
	if s.Gap {
		// §4.4.4.7: the segment is not to be loaded.
		b = append(b, "#EXT-X-GAP\n"...)
	}
	for i := range s.Parts {
		b = s.Parts[i].append(b)
	}
	if s.ByteRange != nil {
		b = append(s.ByteRange.append(append(b, "#EXT-X-BYTERANGE:"...)), '\n')
	}
	return b
}

func (p *Part) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-PART:"...), false}
	a.seconds("DURATION", p.Duration)
	a.quoted("URI", p.URI)
	a.byteRange(p.ByteRange)
	a.yes("INDEPENDENT", p.Independent)
	a.yes("GAP", p.Gap)
	return a.end()
}

func (s *ServerControl) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-SERVER-CONTROL:"...), false}
	a.yes("CAN-BLOCK-RELOAD", s.CanBlockReload)
	if s.CanSkipUntil > 0 {
		a.seconds("CAN-SKIP-UNTIL", s.CanSkipUntil)
		a.yes("CAN-SKIP-DATERANGES", s.CanSkipDateRanges)
	}
	if s.PartHoldBack > 0 {
		a.seconds("PART-HOLD-BACK", s.PartHoldBack)
	}
	if s.HoldBack > 0 {
		a.seconds("HOLD-BACK", s.HoldBack)
	}
	return a.end()
}

func (s *Skip) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-SKIP:"...), false}
	a.plain("SKIPPED-SEGMENTS", strconv.FormatUint(s.Segments, 10))
	if s.DateRanges {
		a.tabbed(removedRanges, s.Removed)
	}
	return a.end()
}

func (h *PreloadHint) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-PRELOAD-HINT:"...), false}
	a.plain("TYPE", h.Type)
	a.quoted("URI", h.URI)
	if h.Start > 0 {
		a.plain("BYTERANGE-START", strconv.FormatInt(h.Start, 10))
	}
	if h.Length >= 0 {
		a.plain("BYTERANGE-LENGTH", strconv.FormatInt(h.Length, 10))
	}
	return a.end()
}

func (r *RenditionReport) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-RENDITION-REPORT:"...), false}
	a.quoted("URI", r.URI)
	a.plain("LAST-MSN", strconv.FormatUint(r.LastMSN, 10))
	if r.LastPart >= 0 {
		a.plain("LAST-PART", strconv.FormatInt(r.LastPart, 10))
	}
	return a.end()
}

func (r *ByteRange) append(b []byte) []byte {
	b = strconv.AppendInt(b, r.Length, 10)
	if r.Offset >= 0 {
		b = strconv.AppendInt(append(b, '@'), r.Offset, 10)
	}
	return b
}
