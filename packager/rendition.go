package packager

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// earlySound is how much too early sound is dated. hls.js 1.7 places sound by
// its date and by the durations since then, dates have milliseconds and follow
// the sender's clock, and where sound seems to begin later than it does, it never
// reaches the end of the segment in which it began to play: it waits until the
// parts of that are no longer listed. A third of a frame of AAC does no harm.
const earlySound = 6 * time.Millisecond

// rendition is one media playlist: its writer's state behind mu, which may be
// held while the store works, and the window that readers see, which is
// swapped.
//
// A packet's way: Write holds one packet back until the next one tells its
// duration (sample), collects samples until a part is full (partition), stores
// the part, and lists the segment when the next one begins (publish).
type rendition struct {
	p    *Presentation
	name string
	kind media.Kind

	window  atomic.Pointer[window] // never nil
	dropped atomic.Uint64
	gaps    atomic.Uint64
	filled  atomic.Uint64

	mu       sync.Mutex
	spec     Rendition
	replaced bool      // spec is another coder's than what was measured
	replace  uint64    // which begins after this discontinuity
	retired  time.Time // not in the newest plan since then
	track    *media.Track
	init     *initSection
	samples  *protect.Samples // encrypts samples; nil where they stay in the clear
	complain *media.Track     // whose configuration was complained about
	held     *media.Packet    // waits for its duration
	silence  []byte           // fills holes; nil where there is nothing to fill with
	ended    int64            // PTS at which the newest listed media ends
	frame    int64            // the usual duration of a frame in ticks; 0 unknown
	target   time.Duration    // PART-TARGET; 0 before it is known
	pending  fragment         // the open part
	serial   uint64           // of the next part
	parts    int              // listed by the newest playlist, for its size
	steady   int              // frames in a row that lasted as long as expected
	early    *open            // the segment whose newest frame did not wait for the next, nil after that
	due      int64            // DTS at which it ended
	cur      *open            // nil between segments
	next     uint64           // number of the next segment to list; 0 before the first
	floor    uint64           // packets of segments below have no place any more
	lost     bool             // see Presentation.Lost
	writer   writer
	sealed   []byte // scratch
	model    playlist.Media
	meter    meter
	iframes  meter // of the I-frame playlist
	shown    shown
	text     *text // of subtitles, nil for others

	events       []due         // of the part that is being stored
	marked       bool          // markedTo is known
	markedTo     time.Duration // where the media ends whose events were carried
	markedSerial uint64        // of the newest event that there was then
}

func newRendition(p *Presentation, spec Rendition) *rendition {
	r := &rendition{p: p, name: spec.Name, kind: spec.Kind, writer: p.cfg.Container.writer(), meter: meter{target: p.target}, iframes: meter{target: p.target}}
	r.window.Store(&window{changed: make(chan struct{}), segmented: make(chan struct{})})
	return r
}

// write takes the next packet.
func (r *rendition) write(pk media.Placed) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.p.closedOrEnded(); err != nil {
		return err
	}
	if pk.Segment < r.floor || r.cur != nil && pk.Segment < r.cur.number {
		r.dropped.Add(1)
		return nil
	}
	if r.cur != nil && pk.Segment > r.cur.number {
		if err := r.finish(pk.Packet); err != nil {
			return err
		}
	}
	if r.cur == nil {
		if err := r.resume(pk); err != nil {
			return err
		}
	}
	if r.cur == nil {
		ok, err := r.begin(pk)
		if !ok || err != nil {
			return err
		}
	}
	return r.push(pk.Packet)
}

// begin opens the segment that pk starts, after listing what is missing before
// it. It reports false where pk cannot be used.
func (r *rendition) begin(pk media.Placed) (bool, error) {
	s, known, forgotten := r.p.timeline.at(pk.Segment)
	switch {
	case forgotten:
		r.dropped.Add(1)
		return false, nil
	case !known:
		return false, fmt.Errorf("begin segment %d: %w", pk.Segment, ErrNoCut)
	case pk.Discontinuity != s.Discontinuity:
		return false, fmt.Errorf("begin segment %d: discontinuity %d, announced as %d: %w", pk.Segment, pk.Discontinuity, s.Discontinuity, ErrNoCut)
	}
	if !r.adopt(pk.Packet, s) {
		r.dropped.Add(1)
		return false, nil
	}
	if err := r.fillGaps(pk.Segment); err != nil {
		return false, err
	}
	r.lost = false
	before := r.window.Load().last()
	r.writer.begin(before == nil || before.gap || before.discontinuity != pk.Discontinuity)
	if r.serial == 0 {
		// Above all that an earlier presentation of the same URL can have used.
		r.serial = pk.Segment * maxPartsPerSecond
	}
	r.cur = &open{
		segment: segment{
			number: pk.Segment, start: pk.PTS, clock: r.track.ClockRate, first: r.serial, discontinuity: pk.Discontinuity, init: r.init, key: s.key, wall: s.Wall,
			uri: r.segmentName(pk.Segment),
		},
		span: s, crypt: s.key.encryption(pk.Segment), end: pk.PTS,
	}
	if r.kind == media.Audio {
		r.cur.wall = s.Wall.Add(media.Duration(pk.PTS-s.ticks(r.track.ClockRate), r.track.ClockRate) - earlySound)
	} else if !pk.Key && !r.p.dependent.Load() {
		r.p.trouble(r.name, fmt.Errorf("segment %d does not begin with a keyframe", pk.Segment))
	}
	return true, nil
}

// adopt makes pk's track the one in force and reports whether it can be.
func (r *rendition) adopt(pk *media.Packet, s span) bool {
	t := pk.Track
	if t == nil || t.Kind != r.kind {
		return false
	}
	same := r.track != nil && (t == r.track || t.SameParameters(r.track))
	if same && r.init.key == s.key.ofSamples() {
		return true
	}
	described := t
	if t.Codec == media.AC3 && len(t.Config) == 0 {
		if config, err := fmp4.AC3Config(pk.Payload); err == nil {
			with := *t
			with.Config, described = config, &with
		}
	}
	section, samples, err := r.p.describe(described, r.spec, s.key.ofSamples())
	if err == nil {
		err = r.writer.adopt(described, r.eventful())
	}
	if err != nil {
		if r.complain != t {
			r.complain = t
			r.p.trouble(r.name, err)
		}
		return false
	}
	if r.init, r.samples = section, samples; same {
		return true
	}
	if r.track != nil && r.cur == nil && r.next != 0 {
		if before, ok, _ := r.p.timeline.at(s.Segment - 1); ok && before.Discontinuity == s.Discontinuity {
			r.p.trouble(r.name, fmt.Errorf("segment %d: %s became %s without a discontinuity", s.Segment, r.track, t))
		}
	}
	r.track, r.silence, r.frame = t, nil, 0
	if r.kind == media.Audio {
		r.silence = silentFrame(t)
	}
	if r.kind == media.Video && t.FrameRate.Known() {
		r.frame = media.Rescale(int64(t.FrameRate.Den), t.FrameRate.Num, t.ClockRate)
	}
	return true
}

// fillGaps lists the segments below number that this rendition missed, if it
// has listed any before.
func (r *rendition) fillGaps(number uint64) error {
	before := r.window.Load().last()
	for r.next != 0 && r.next < number {
		s, known, _ := r.p.timeline.at(r.next)
		if !known {
			// Forgotten: numbers must stay equal, so list it as an ordinary one.
			s = span{Cut: media.Cut{Segment: r.next, Discontinuity: before.discontinuity}}
		}
		if s.length == 0 {
			s.length = r.p.cfg.Segment
		}
		r.gaps.Add(1)
		if err := r.publish(&segment{
			number: r.next, discontinuity: s.Discontinuity, duration: s.length, wall: s.Wall,
			gap: true, uri: r.segmentName(r.next),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (r *rendition) lastDiscontinuity() uint64 {
	if last := r.window.Load().last(); last != nil {
		return last.discontinuity
	}
	return 0
}

// finish ends the open segment; next is the packet that begins another one,
// nil if none is known. The segment is listed: as a GAP if the store failed.
func (r *rendition) finish(next *media.Packet) error {
	cur := r.cur
	s, known, _ := r.p.timeline.at(cur.number)
	if known {
		cur.span = s
	}
	err := r.release(next, false)
	if err == nil {
		err = r.flush()
	}
	if err == nil {
		err = r.seal(cur)
	}
	r.cur = nil
	r.floor = cur.number + 1
	r.ended = cur.end
	if err != nil {
		return err
	}
	if cur.failed || cur.file == nil {
		cur.file, cur.partsFile, cur.init, cur.parts, cur.size, cur.iframeSize, cur.gap = nil, nil, nil, nil, 0, 0, true
		r.gaps.Add(1)
		if r.next == 0 {
			return nil // a playlist does not begin with a gap
		}
	}
	return r.publish(&cur.segment)
}

// seal makes the open segment's file read-only and tells its length.
func (r *rendition) seal(cur *open) error {
	cur.duration = r.length(cur)
	if cur.failed || cur.file == nil {
		return nil
	}
	if err := r.finishEncrypted(cur); err != nil {
		return r.storeFailed(err)
	}
	cur.size = cur.file.Size()
	cur.segment.length = length(int(cur.size))
	if err := cur.file.Finish(); err != nil {
		return r.storeFailed(err)
	}
	return nil
}

// length is EXTINF of the open segment: for video the distance of the cuts,
// for audio and where the timeline breaks what its media lasts.
func (r *rendition) length(cur *open) time.Duration {
	rate := r.track.ClockRate
	start := cur.start
	if r.kind == media.Video {
		start = min(start, cur.span.ticks(rate))
	}
	lasts := media.Duration(cur.end-start, rate)
	length := lasts
	if r.kind == media.Video && cur.span.length > 0 {
		near := lasts - cur.span.length
		if !cur.span.breaks || near.Abs() <= media.Duration(r.usual(), rate)*3/2 {
			length = cur.span.length
		}
	}
	if cur.failed && cur.span.length > 0 {
		length = cur.span.length
	}
	return min(max(length, time.Millisecond), r.p.timeline.limit)
}

// usual is the duration of a frame where nothing better is known.
func (r *rendition) usual() int64 {
	switch {
	case r.frame > 0:
		return r.frame
	case r.kind == media.Audio:
		return media.Ticks(20*time.Millisecond, r.track.ClockRate)
	}
	return media.Ticks(40*time.Millisecond, r.track.ClockRate)
}

// storeFailed gives up the open segment's media. A VOD presentation fails with
// it, a live one goes on.
func (r *rendition) storeFailed(err error) error {
	cur := r.cur
	err = fmt.Errorf("store segment %d: %w", cur.number, err)
	cur.removeFiles()
	cur.file, cur.partsFile = nil, nil
	cur.failed = true
	r.hideParts(cur.number)
	if r.p.cfg.VOD {
		return err
	}
	r.p.trouble(r.name, err)
	return nil
}

// lose gives up the open segment because the rest of it will not come, unless
// all of it came already.
func (r *rendition) lose() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
	cur := r.cur
	if cur == nil {
		return nil
	}
	rate := r.track.ClockRate
	if s, known, _ := r.p.timeline.at(cur.number); known && s.over {
		ends := cur.end
		if r.held != nil {
			ends = max(ends, r.held.PTS+r.usual())
		}
		if missing := s.length - media.Duration(ends-s.ticks(rate), rate); missing <= media.Duration(r.usual(), rate)*3/2 {
			return r.finish(nil)
		}
	}
	r.held = nil
	r.pending.reset()
	cur.removeFiles()
	r.cur = nil
	r.floor = cur.number + 1
	r.hideParts(cur.number)
	return r.advanceLocked(r.p.timeline.newest())
}

// advance lists what this rendition will not deliver any more, now that the
// segment newest has begun.
func (r *rendition) advance(newest uint64) error {
	if r.text != nil {
		r.advanceText(newest)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.advanceLocked(newest)
}

func (r *rendition) advanceLocked(newest uint64) error {
	if r.p.cfg.VOD {
		return nil // files are never late
	}
	late := r.p.lateness(&r.spec, r.lost || !r.retired.IsZero())
	if newest < late {
		return nil
	}
	below := newest - late // segments up to this one are overdue
	if r.cur != nil && r.cur.number <= below {
		if err := r.finish(nil); err != nil {
			return err
		}
	}
	if r.next == 0 || r.next > below {
		return nil
	}
	r.floor = max(r.floor, below+1)
	if err := r.quiet(below); err != nil {
		return err
	}
	return r.fillGaps(below + 1)
}

// stop closes the open segment with what is there and tells how long it is, 0
// if there is none.
func (r *rendition) stop() (number uint64, length time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cur == nil {
		return 0, 0, nil
	}
	cur := r.cur
	err = r.finish(nil)
	return cur.number, cur.duration, err
}
