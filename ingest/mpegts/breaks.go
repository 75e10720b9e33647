package mpegts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// spliceClass is the CLASS of the date ranges that splices become.
const spliceClass = "urn:scte:35"

// Bounds of what is remembered.
const (
	maxBreaks  = 64 // that have begun; the oldest is forgotten
	maxMarks   = 64 // that wait for something with a time
	wholeRange = 1 << wireBits
)

// breaks makes markers of splices (RFC 8216bis §4.4.5.1.1): an out and the in
// that ends it are one date range; what is neither is an instant.
type breaks struct {
	r       *Receiver
	open    []*breakRange // that have begun, oldest first
	waiting []waitingMark
}

// waitingMark could not be placed yet.
type waitingMark struct {
	pts int64
	media.Marker
}

// breakRange is a break that has been announced.
type breakRange struct {
	key   breakKey
	id    string
	begin int64 // when, by its PTS
	end   int64 // when it ends by itself; negative: it does not
	ended bool  // it is kept to know repetitions
}

// breakKey says which out belongs to which in. Encoders repeat commands, and
// use numbers of events again.
type breakKey struct {
	event uint32
	kind  byte // the segmentation_type_id of the out; 0: splice_insert
}

// Faults are thinned out by their texts, which therefore have no numbers in
// them.
var (
	errCanceled = errors.New("SCTE 35: a splice is canceled that was announced already")
	errMarker   = errors.New("a marker that players cannot be told: it is empty, too large or not ID3v2")
)

// section takes a splice_info_section.
func (k *breaks) section(b []byte) {
	s, err := parseSplice(b)
	if err != nil {
		k.r.fault(err)
		return
	}
	at := s.pts
	if !s.hasPTS {
		at = k.r.newest
	}
	s.section = append([]byte(nil), s.section...)
	switch s.command {
	case commandInsert:
		i := s.insert
		key := breakKey{event: i.event}
		switch {
		case i.cancel:
			k.r.fault(errCanceled)
		case i.out:
			k.begin(key, at, i.duration, i.autoReturn, s.section)
		default:
			k.end(key, at, s.section)
		}
	case commandTimeSignal:
		if len(s.segments) == 0 {
			k.instant("signal", 0, at, s.section)
		}
		for _, g := range s.segments {
			k.segment(&g, at, s.section)
		}
	case commandSchedule, commandPrivate:
		k.instant("command", 0, k.r.newest, s.section)
	}
}

// outTypes are the segmentation_type_ids that lead out of the program; the one
// after each leads back (SCTE 35 table 23): breaks, advertisements,
// opportunities to place them, promotions, blocks of them.
var outTypes = []byte{0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x3c, 0x3e, 0x44, 0x46}

func (k *breaks) segment(g *segmentation, at int64, section []byte) {
	switch {
	case g.cancel:
		k.r.fault(errCanceled)
	case slices.Contains(outTypes, g.kind):
		k.begin(breakKey{g.event, g.kind}, at, g.duration, false, section)
	case slices.Contains(outTypes, g.kind-1):
		k.end(breakKey{g.event, g.kind - 1}, at, section)
	default:
		k.instant(fmt.Sprintf("segment-%d-%d", g.event, g.kind), g.kind, at, section)
	}
}

// same is how far apart two announcements of one splice may be, in ticks of
// 90 kHz: the time of an immediate one is that of its coming.
const same = 10 * wireRate

// find returns the newest break of a key.
func (k *breaks) find(key breakKey) *breakRange {
	for _, b := range slices.Backward(k.open) {
		if b.key == key {
			return b
		}
	}
	return nil
}

// begin takes an out.
func (k *breaks) begin(key breakKey, at, duration int64, autoReturn bool, section []byte) {
	if b := k.find(key); b != nil {
		if distance(at, b.begin) < same {
			return // it was announced before
		}
		k.end(key, at, nil) // where nothing has ended it
	}
	b := &breakRange{key: key, begin: at, end: -1, id: "scte35-" + strconv.FormatUint(uint64(key.event), 10)}
	if key.kind != 0 {
		b.id += fmt.Sprintf("-%#02x", key.kind)
	}
	b.id = unique(b.id)
	m := media.Marker{Kind: media.DateRange, ID: b.id, Class: spliceClass, Duration: -1, Out: section}
	if duration > 0 {
		m.Planned = media.Duration(duration, wireRate)
		if autoReturn {
			b.end = (at + duration) & ticksMask
		}
	}
	m.Attributes = segmentationType(key.kind)
	k.remember(b)
	k.mark(at, m)
}

// remember adds a break. Where there is no room, the oldest one that has ended
// is forgotten, and only where none has, one whose in may still come.
func (k *breaks) remember(b *breakRange) {
	if len(k.open) == maxBreaks {
		oldest := slices.IndexFunc(k.open, func(b *breakRange) bool { return b.ended })
		oldest = max(oldest, 0)
		k.open = slices.Delete(k.open, oldest, oldest+1)
	}
	k.open = append(k.open, b)
}

// end takes an in; nil for a section says that the break ended by itself.
func (k *breaks) end(key breakKey, at int64, section []byte) {
	b := k.find(key)
	if b == nil {
		k.instant(fmt.Sprintf("in-%d", key.event), key.kind, at, section) // its out was before our time
		return
	}
	if b.ended {
		return
	}
	b.ended = true
	k.mark(at, media.Marker{Kind: media.DateRangeEnd, ID: b.id, In: section})
}

// instant takes what is neither, each time that it comes: encoders repeat
// what is still to come, so the same within a moment is one.
func (k *breaks) instant(name string, kind byte, at int64, section []byte) {
	key := breakKey{event: crc([]byte(name)), kind: 0xff}
	if b := k.find(key); b != nil {
		if distance(at, b.begin) < same {
			return
		}
		k.open = slices.DeleteFunc(k.open, func(o *breakRange) bool { return o == b })
	}
	k.remember(&breakRange{key: key, begin: at, end: -1, ended: true})
	k.mark(at, media.Marker{
		Kind: media.DateRange, ID: unique("scte35-" + name), Class: spliceClass, Command: section, Attributes: segmentationType(kind),
	})
}

// segmentationType is the attribute that says it to those who do not read
// SCTE 35.
func segmentationType(kind byte) map[string]any {
	if kind == 0 {
		return nil
	}
	return map[string]any{"X-SEGMENTATION-TYPE": float64(kind)}
}

// unique tells IDs apart when an encoder uses a number again (RFC 8216bis
// §4.4.5.1.1 has a date for that).
func unique(id string) string { return id + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36) }

// advance ends breaks that end by themselves, and places what had to wait for
// a time.
func (k *breaks) advance() {
	for _, b := range k.open {
		if !b.ended && b.end >= 0 && ahead(k.r.newest, b.end) {
			k.end(b.key, b.end, nil)
		}
	}
	if len(k.waiting) == 0 {
		return
	}
	waiting := k.waiting
	k.waiting = nil
	for _, w := range waiting {
		k.mark(w.pts, w.Marker)
	}
}

// mark puts a marker on the publisher's timeline.
func (k *breaks) mark(pts int64, m media.Marker) {
	err := ingest.ErrNoTime
	if i, ok := k.r.reference(); ok {
		err = k.r.pub.Mark(i, pts, m)
	}
	switch {
	case errors.Is(err, ingest.ErrNoTime):
		if len(k.waiting) < maxMarks {
			k.waiting = append(k.waiting, waitingMark{pts, m})
		}
	case errors.Is(err, media.ErrMarker):
		k.r.fault(errMarker)
	case err != nil:
		k.r.fault(fmt.Errorf("marker: %w", err))
	}
}

// distance is how far two times of 33 bits are apart.
func distance(a, b int64) int64 {
	d := (a - b) & ticksMask
	return min(d, wholeRange-d)
}

// ahead reports whether time a of 33 bits is not before b.
func ahead(a, b int64) bool { return (a-b)&ticksMask < wholeRange/2 }
