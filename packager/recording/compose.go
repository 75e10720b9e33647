package recording

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// EXT-X-VERSION (RFC 8216bis §8): EXT-X-MAP is the newest thing used, and in
// MPEG-TS, which has none, KEYFORMAT, I-frame playlists, or else EXTINF with
// fractions.
const (
	versionMap     = 6
	versionFormat  = 5
	versionRange   = 4
	versionDecimal = 3
)

// errEmpty says that there is nothing to play.
var errEmpty = errors.New("nothing was recorded")

// composed are the playlists of a recording.
type composed struct {
	multi    *playlist.Multivariant
	media    map[string]*playlist.Media
	iframes  map[string]*playlist.Media // the I-frame playlists that there are
	start    time.Time
	duration time.Duration
	size     int64
}

// track is a rendition as the journal knows it.
type track struct {
	video       bool
	ts          bool // MPEG-TS
	text        bool // WebVTT
	segments    map[uint64]*segmentNote
	first, last uint64 // with media
	size        int64
	peak        int
	average     int
}

// uneven is how many segments renditions may differ at the end of a recording
// that was broken off; more is filled with gaps.
const uneven = 4

// compose makes VOD playlists of a journal: what the last multivariant playlist
// offered, from the first to the last segment with a picture, all renditions
// equally long. What one of them lacks is a GAP.
func compose(c *chronicle) (*composed, error) {
	multi, err := playlist.ParseMultivariant(c.multi)
	if err != nil {
		return nil, errors.Join(errEmpty, err)
	}
	tracks := map[string]*track{}
	for i := range c.segments {
		s := &c.segments[i]
		t := tracks[s.Rendition]
		if t == nil {
			t = &track{video: s.Video, ts: s.TS, text: s.Text, segments: map[uint64]*segmentNote{}}
			tracks[s.Rendition] = t
		}
		t.segments[s.Number] = s
		if !s.gap() {
			if t.first == 0 || s.Number < t.first {
				t.first = s.Number
			}
			t.last = max(t.last, s.Number)
		}
	}
	out := &composed{multi: multi, media: map[string]*playlist.Media{}, iframes: map[string]*playlist.Media{}}
	if tracks = out.offered(tracks); len(tracks) == 0 {
		return nil, errEmpty
	}
	from, to := extent(tracks)
	common := timelineOf(tracks, from, to)
	for name, t := range tracks {
		out.media[name] = t.compose(c, multi.IndependentSegments, common, from)
		out.size += t.size
	}
	for _, s := range common {
		out.duration += s.Duration
	}
	out.start = common[0].Wall
	last := &common[len(common)-1]
	ranges := c.ranges.within(out.start, last.end())
	for _, m := range out.media {
		m.DateRanges = ranges
	}
	out.measure(tracks)
	out.listIFrames(tracks)
	return out, nil
}

// offered drops from the multivariant playlist what has no media, and from
// tracks what it does not list.
func (c *composed) offered(tracks map[string]*track) map[string]*track {
	there := func(uri string) bool { t := tracks[path.Dir(uri)]; return t != nil && t.first > 0 }
	inMedia := func(r playlist.Rendition) bool { return r.URI == "" } // such as closed captions
	m := c.multi
	m.Version = versionMap
	for _, t := range tracks {
		if t.ts {
			m.Version = versionDecimal
		}
	}
	m.Renditions = slices.DeleteFunc(m.Renditions, func(r playlist.Rendition) bool { return !inMedia(r) && !there(r.URI) })
	m.Variants = slices.DeleteFunc(m.Variants, func(v playlist.Variant) bool { return !there(v.URI) })
	kept := map[string]*track{}
	for i := range m.Variants {
		v := &m.Variants[i]
		kept[path.Dir(v.URI)] = tracks[path.Dir(v.URI)]
		if !slices.ContainsFunc(m.Renditions, func(r playlist.Rendition) bool { return r.GroupID == v.Audio }) {
			v.Audio = ""
		}
		if !slices.ContainsFunc(m.Renditions, func(r playlist.Rendition) bool { return r.GroupID == v.Subtitles }) {
			v.Subtitles = ""
		}
	}
	if len(kept) == 0 {
		return nil
	}
	for _, r := range m.Renditions {
		if !inMedia(r) {
			kept[path.Dir(r.URI)] = tracks[path.Dir(r.URI)]
		}
	}
	return kept
}

// extent is the first and the last segment listed.
func extent(tracks map[string]*track) (from, to uint64) {
	video := false
	for _, t := range tracks {
		video = video || t.video
	}
	for _, t := range tracks {
		if t.video == video {
			if from == 0 || t.first < from {
				from = t.first
			}
			to = max(to, t.last)
		}
	}
	end := to
	for _, t := range tracks {
		if t.last+uneven > to && t.last >= from {
			end = min(end, t.last)
		}
	}
	return from, end
}

// timelineOf says for each number what a rendition without it lists as a gap.
func timelineOf(tracks map[string]*track, from, to uint64) []segmentNote {
	list := make([]segmentNote, to-from+1)
	for i := range list {
		number := from + uint64(i)
		var best *segmentNote
		for _, t := range tracks {
			s := t.segments[number]
			if s != nil && (best == nil || rank(s) > rank(best)) {
				best = s
			}
		}
		if best == nil { // cannot be, but numbers must have no holes
			list[i] = segmentNote{Number: number, Duration: time.Second}
			if i > 0 {
				list[i].Discontinuity, list[i].Wall = list[i-1].Discontinuity, list[i-1].Wall.Add(list[i-1].Duration)
			}
			continue
		}
		list[i] = *best
	}
	return list
}

// rank prefers media to gaps and pictures to sound.
func rank(s *segmentNote) int {
	n := 0
	if !s.gap() {
		n += 2
	}
	if s.Video {
		n++
	}
	return n
}

// compose makes one media playlist.
func (t *track) compose(c *chronicle, independent bool, common []segmentNote, from uint64) *playlist.Media {
	m := &playlist.Media{
		Version: versionMap, TargetDuration: c.target, MediaSequence: from, Type: playlist.VOD,
		IndependentSegments: independent, EndList: true,
		DiscontinuitySequence: common[0].Discontinuity,
		Segments:              make([]playlist.Segment, 0, len(common)),
	}
	if t.ts || t.text {
		m.Version = versionDecimal
	}
	meter := meter{target: time.Duration(c.target) * time.Second}
	section, force := "", (*playlist.Key)(nil)
	for i := range common {
		s := t.segments[from+uint64(i)]
		if s == nil {
			gap := common[i]
			gap.Init, gap.Size, gap.IFrame, gap.Key, gap.TS, gap.Text = "", 0, 0, "", t.ts, t.text
			s = &gap
		}
		entry := playlist.Segment{
			URI: s.file(), Duration: s.Duration, ProgramDateTime: s.Wall, Gap: s.gap(),
		}
		if i > 0 {
			entry.Discontinuities = int(common[i].Discontinuity - common[i-1].Discontinuity)
		}
		if s.sectioned() && !s.gap() && s.Init != section {
			section = s.Init
			entry.Map = &playlist.Map{URI: section}
		}
		if k, ok := c.keys[s.Key]; ok && !s.gap() {
			tag := k.tag()
			if tag.Format != "" || tag.Versions != "" {
				m.Version = max(m.Version, versionFormat)
			}
			before, own := playlist.Place(&tag, force, entry.Map != nil, false)
			if entry.Keys, force = own, &tag; entry.Map != nil {
				entry.Map.Keys = before
			}
		}
		meter.add(s.Size, s.Duration)
		t.size += s.Size
		m.Segments = append(m.Segments, entry)
	}
	t.peak, t.average = meter.peak, meter.average()
	return m
}

// measure replaces what was declared while the stream was live by what is
// known at the end.
func (c *composed) measure(tracks map[string]*track) {
	for i := range c.multi.Variants {
		v := &c.multi.Variants[i]
		t := tracks[path.Dir(v.URI)]
		v.Bandwidth, v.AverageBandwidth = t.peak, t.average
		for _, group := range []string{v.Audio, v.Subtitles} {
			peak, average, within := 0, 0, false
			for _, r := range c.multi.Renditions {
				if a := tracks[path.Dir(r.URI)]; r.GroupID == group && a != nil {
					peak, average, within = max(peak, a.peak), max(average, a.average), within || a == t
				}
			}
			if within { // without a picture it is one of its own sounds
				v.Bandwidth, v.AverageBandwidth = 0, 0
			}
			v.Bandwidth += peak
			v.AverageBandwidth += average
		}
		v.Bandwidth = max(v.Bandwidth, v.AverageBandwidth)
	}
}

// segmentFile is the name of a segment of fMP4, of MPEG-TS, or of WebVTT.
func segmentFile(number uint64, ts, text bool) string {
	extension := ".m4s"
	switch {
	case text:
		extension = ".vtt"
	case ts:
		extension = ".ts"
	}
	return strconv.FormatUint(number, 10) + extension
}

// meter measures the peak segment bit rate and the average (RFC 8216bis
// §4.4.6.2): the peak is that of any contiguous segments that last between a
// half and one and a half target durations together.
type meter struct {
	target  time.Duration
	recent  []segmentNote
	peak    int
	bytes   int64
	elapsed time.Duration
}

func (m *meter) add(bytes int64, d time.Duration) {
	if bytes == 0 || d <= 0 {
		m.recent = m.recent[:0]
		return
	}
	m.bytes, m.elapsed = m.bytes+bytes, m.elapsed+d
	m.recent = append(m.recent, segmentNote{Size: bytes, Duration: d})
	var size int64
	var lasts time.Duration
	for i := len(m.recent) - 1; i >= 0; i-- {
		size, lasts = size+m.recent[i].Size, lasts+m.recent[i].Duration
		if lasts > m.target*3/2 {
			m.recent = slices.Delete(m.recent, 0, i)
			return
		}
		if lasts >= m.target/2 {
			m.peak = max(m.peak, bitrate(size, lasts))
		}
	}
}

func (m *meter) average() int { return bitrate(m.bytes, m.elapsed) }

// bitrate is rounded up.
func bitrate(bytes int64, d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(float64(bytes*8)/d.Seconds()) + 1
}
