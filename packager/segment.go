package packager

import (
	"time"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

// segment is a media segment. Readers see it once it is in a window; nothing
// they look at changes from then on.
type segment struct {
	number          uint64
	discontinuity   uint64 // discontinuity sequence number
	discontinuities int    // EXT-X-DISCONTINUITY tags before it
	duration        time.Duration
	wall            time.Time    // EXT-X-PROGRAM-DATE-TIME
	start           int64        // PTS of what is shown first, in ticks of clock
	clock           int          // 0 where it is not known: gaps, and what was there before a restart
	gap             bool         // EXT-X-GAP: there is no file
	init            *initSection // nil for a gap, which is not loaded
	key             *key         // nil in the clear
	file            *store.File
	partsFile       *store.File // where parts are encrypted one by one, see encryption
	size            int64
	length          []string // Content-Length
	frames          int
	text            *document // all of it, where it is subtitles and not from before a restart
	iframeSize      int64     // of the I-frame that it begins with, with its boxes; 0 none
	parts           []part
	first           uint64 // serial of parts[0]
	uri             string

	spilled bool          // into memory, because the disk took no more
	removed time.Time     // from the playlist; for the writer only
	stays   time.Duration // how long the playlist was that it left first; for the writer only
}

// part is a partial segment: a range of its segment's file.
type part struct {
	offset, size int64
	duration     time.Duration
	independent  bool
	gap          bool
	text         *document // all of it, where it is subtitles
}

// initSection is an initialization section. Its name tells its content, so
// that it may be cached for ever.
type initSection struct {
	name   string
	plain  string // name that it would have in the clear
	bytes  []byte
	codecs string
	inBand bool // the segments have it all in them, and nobody gets this
	key    *key // that encrypts the samples of its segments, where it tells of one
}

// entry is how a playlist lists the segment, without its parts. before is what
// is in force, nothing at the beginning of the list.
func (s *segment) entry(before inForce) playlist.Segment {
	e := playlist.Segment{
		URI: s.uri, Duration: s.duration, Discontinuities: s.discontinuities, ProgramDateTime: s.wall, Gap: s.gap,
	}
	if s.gap {
		return e
	}
	hasMap := s.init != before.section && !s.init.inBand
	section, own := s.key.tags(before, hasMap)
	if e.Keys = own; hasMap {
		e.Map = &playlist.Map{URI: s.init.name, Keys: section}
	}
	return e
}

// inForce is what applies to a segment that has no tag of its own.
type inForce struct {
	section *initSection
	key     *key
	again   bool // not everybody knows the key
}

// behind is what is in force behind a segment.
func (f inForce) behind(s *segment) inForce {
	if s.gap {
		return f
	}
	return inForce{section: s.init, key: s.key}
}

// listParts says how a playlist of r lists the segment's parts.
func (s *segment) listParts(r *rendition) (to []playlist.Part) {
	for i := range s.parts {
		pt := &s.parts[i]
		to = append(to, playlist.Part{
			URI: r.partName(s.first + uint64(i)), Duration: pt.duration, Independent: pt.independent, Gap: pt.gap,
		})
	}
	return to
}

// removeFiles gives up the media.
func (s *segment) removeFiles() {
	if s.file != nil {
		s.file.Remove()
	}
	if s.partsFile != nil {
		s.partsFile.Remove()
	}
}

// open is a segment that is being filled.
type open struct {
	segment
	span     span
	crypt    *encryption // nil where the segment is not encrypted as a whole
	end      int64       // PTS at which the last sample shown ends
	failed   bool        // the store failed: the rest is dropped, a GAP listed
	overlong bool        // packets were dropped because the segment was too long
}

// fragment is what the parts of a rendition are made from.
type fragment struct {
	samples  []fmp4.Sample
	base     int64              // DTS of the first sample
	pieces   [][]fmp4.Subsample // of the samples, where they are encrypted in pieces
	duration int64              // sum of the samples
	key      bool               // one of the samples is a key
}

func (f *fragment) add(dts int64, s fmp4.Sample) {
	if len(f.samples) == 0 {
		f.base = dts
	}
	f.samples = append(f.samples, s)
	f.duration += int64(s.Duration)
	f.key = f.key || s.Key
}

// reset keeps the memory of the list, not of the payloads.
func (f *fragment) reset() {
	clear(f.samples)
	*f = fragment{samples: f.samples[:0], pieces: f.pieces[:0]}
}
