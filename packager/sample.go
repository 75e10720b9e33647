package packager

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// push takes a packet of the open segment. It is held back until the next one
// tells how long it lasts.
func (r *rendition) push(pk *media.Packet) error {
	cur, rate := r.cur, r.track.ClockRate
	r.lookForCaptions(pk)
	switch {
	case pk.Track != r.track && pk.Track.ClockRate != rate:
		// Its times mean something else; it has to wait for the next segment.
		r.dropped.Add(1)
		return nil
	case media.Duration(pk.PTS-cur.span.ticks(rate), rate).Abs() >= r.p.timeline.limit:
		r.tooLong()
		return nil
	case r.held != nil && pk.DTS < r.held.DTS:
		r.dropped.Add(1)
		return nil
	}
	if err := r.release(pk, true); err != nil {
		return err
	}
	r.held = pk
	return r.hasten()
}

// tooLong drops what would make the segment longer than TARGETDURATION, which
// never changes, allows.
func (r *rendition) tooLong() {
	r.dropped.Add(1)
	if cur := r.cur; !cur.overlong {
		cur.overlong = true
		r.p.trouble(r.name, fmt.Errorf("segment %d is longer than %v; the rest of it is dropped", cur.number, r.p.timeline.limit))
	}
}

// release gives the held packet its duration and puts it into a part. next is
// the packet after it, nil if none is known; inside says that it is of the same
// segment.
func (r *rendition) release(next *media.Packet, inside bool) error {
	pk := r.held
	if pk == nil {
		return nil
	}
	r.held = nil
	return r.take(pk, r.lasts(pk, next, inside))
}

// steadyFrames is how many frames in a row have to last as long as expected
// before the next one is trusted to.
const steadyFrames = 8

// hasten lets the held packet go without waiting for the next one where it
// completes a part and frames come regularly: the part would wait for a whole
// frame otherwise. Should the next one come late all the same, it begins where
// this one ended (see take), or, in the next segment, its tfdt tells the hole.
func (r *rendition) hasten() error {
	if !r.p.cfg.LowLatency || r.target == 0 || r.steady < steadyFrames {
		return nil
	}
	limit, usual := media.Ticks(r.target, r.track.ClockRate), r.usual()
	full := r.pending.duration + usual
	if full > limit || full+usual <= limit || !enough(full, limit) {
		return nil
	}
	pk := r.held
	r.held = nil
	if err := r.take(pk, usual); err != nil {
		return err
	}
	r.early = r.cur
	r.due = pk.DTS + usual
	return nil
}

// take puts a packet that lasts so many ticks into a part.
func (r *rendition) take(pk *media.Packet, duration int64) error {
	dts := max(pk.DTS, 0) // tfdt has no sign
	if pk.DTS < 0 {
		duration = max(duration+pk.DTS, 0)
	}
	cur := r.cur
	cur.end = max(cur.end, pk.PTS+duration)
	cur.frames++
	dts, duration, err := r.bridge(dts, duration)
	if err != nil {
		return err
	}
	return r.fill(dts, duration, fmp4.Sample{
		Offset:  int32(min(max(pk.PTS-dts, math.MinInt32), math.MaxInt32)),
		Key:     pk.Key,
		Payload: pk.Payload,
	})
}

// bridge closes the hole before a sample where the one before it went out as if
// nothing were missing behind it: what is decoded goes on without a hole. A
// picture keeps the time at which it is shown, silence comes before sound.
func (r *rendition) bridge(dts, duration int64) (int64, int64, error) {
	early, usual := r.early, r.usual()
	r.early = nil
	hole := dts - r.due
	if early != r.cur || hole <= 0 {
		return dts, duration, nil
	}
	if hole > usual/16+1 {
		r.steady = 0
	}
	switch {
	case r.kind == media.Video:
		return r.due, duration + hole, nil
	case r.silence != nil && hole >= usual:
		r.filled.Add(1)
		return dts, duration, r.fill(r.due, hole, fmp4.Sample{Key: true, Payload: r.silence})
	}
	return dts, duration, nil
}

func clampDuration(d int64) uint32 { return uint32(min(max(d, 0), math.MaxUint32)) }

// lasts is how long pk is shown: until next; to the end of its segment where
// what follows is missing; and only its own time where the timeline breaks.
func (r *rendition) lasts(pk, next *media.Packet, inside bool) int64 {
	rate := r.track.ClockRate
	usual := pk.Duration
	if usual <= 0 {
		usual = r.usual()
	}
	s := &r.cur.span
	end := s.ticks(rate) + media.Ticks(s.length, rate)
	left := max(end-pk.PTS, usual)
	if next == nil || next.Track.ClockRate != rate || next.DTS < pk.DTS {
		if s.over && !s.breaks {
			return left // the rest of the segment stays away
		}
		return usual
	}
	d := next.DTS - pk.DTS
	switch {
	case inside:
	case s.over && s.breaks && d > usual*2:
		return usual
	case s.over && d > left && next.PTS > end+usual:
		return left
	}
	// The rounding of a clock is no irregularity.
	if usual := r.usual(); d >= usual-usual/16-1 && d <= usual+usual/16+1 {
		r.steady++
	} else {
		r.steady = 0
	}
	switch {
	case r.kind == media.Video && r.track.FrameRate.Known():
	case pk.Duration > 0:
		r.frame = pk.Duration
	case d > 0 && (r.kind == media.Video || r.frame == 0 || d < r.frame*2):
		r.frame = d // a hole in the sound is no frame
	}
	return d
}

// add puts a sample into the open part. A part is closed before the sample
// that would make it longer than the target (RFC 8216bis §4.4.4.9).
func (r *rendition) add(dts int64, s fmp4.Sample) error {
	rate := r.track.ClockRate
	if r.target == 0 && r.frame > 0 && (r.kind == media.Video && r.track.FrameRate.Known() || r.kind == media.Audio) {
		r.setTarget(r.knownTarget())
	}
	if r.target == 0 {
		r.pending.add(dts, s)
		if media.Duration(r.pending.duration, rate) >= r.p.cfg.Part {
			return r.decide()
		}
		return nil
	}
	limit := media.Ticks(r.target, rate)
	// A part that is too short (the sample lasts longer than others) takes the
	// sample all the same; closePart sees to its length.
	if crosses := r.pending.duration+int64(s.Duration) > limit; crosses && enough(r.pending.duration, limit) {
		if err := r.closePart(limit, true); err != nil {
			return err
		}
	}
	r.pending.add(dts, s)
	// Full as far as can be told: the next frame would not fit any more.
	if r.pending.duration+r.usual() > limit && enough(r.pending.duration, limit) {
		return r.closePart(limit, true)
	}
	return nil
}

// enough reports whether a part of that duration is long enough to stand
// before another one: 85 % of the target (RFC 8216bis §4.4.4.9).
func enough(duration, limit int64) bool { return duration*100 >= limit*85 }

// knownTarget is PART-TARGET where the duration of a frame is known.
func (r *rendition) knownTarget() time.Duration {
	if f := r.track.FrameRate; r.kind == media.Video {
		return partTarget(r.p.cfg.Part, int64(f.Den), int64(f.Num))
	}
	return partTarget(r.p.cfg.Part, r.frame, int64(r.track.ClockRate))
}

// decide fixes PART-TARGET by the frames seen so far and makes parts of them.
func (r *rendition) decide() error {
	all, dts := slices.Clone(r.pending.samples), r.pending.base
	durations := make([]int64, 0, len(all))
	for _, s := range all {
		durations = append(durations, int64(s.Duration))
	}
	r.setTarget(measuredTarget(r.p.cfg.Part, durations, r.track.ClockRate))
	r.pending.reset()
	for _, s := range all {
		if err := r.add(dts, s); err != nil {
			return err
		}
		dts += int64(s.Duration)
	}
	return nil
}

// flush closes what is left of a segment as its last part, which may be short.
func (r *rendition) flush() error {
	if r.target == 0 && len(r.pending.samples) > 0 {
		if err := r.decide(); err != nil {
			return err
		}
	}
	if len(r.pending.samples) == 0 {
		return nil
	}
	return r.closePart(media.Ticks(r.target, r.track.ClockRate), false)
}

// closePart stores the open part. A frame that makes it longer than a part may
// be, because media is missing behind it, keeps its duration in the media, so
// that players see no hole; the part is listed with the longest duration
// allowed, and the rest as parts with GAP=YES. show makes them known; the last
// of a segment appear together with it.
func (r *rendition) closePart(limit int64, show bool) error {
	cur, rate := r.cur, r.track.ClockRate
	err := r.storePart(cur)
	if err == nil && !cur.failed {
		listed := min(r.pending.duration, limit)
		cur.parts[len(cur.parts)-1].duration = media.Duration(listed, rate)
		for rest := r.pending.duration - listed; rest > 0; rest -= limit {
			cur.parts = append(cur.parts, part{offset: cur.size, duration: media.Duration(min(rest, limit), rate), gap: true})
			r.serial++
		}
		if show {
			r.showParts(cur)
		}
	}
	r.pending.reset()
	return err
}

// written is where a part lies for readers.
type written struct{ offset, size int64 }

// appendPart writes the pieces of a part to the segment's file.
func (r *rendition) appendPart(cur *open, pieces [][]byte) (at written, err error) {
	if cur.crypt != nil {
		return r.appendEncrypted(cur, pieces)
	}
	at.offset, err = cur.file.Append(pieces...)
	at.size = cur.file.Size() - at.offset
	return at, err
}

// storePart appends the open part to the segment's file and to its parts.
func (r *rendition) storePart(cur *open) error {
	if cur.failed {
		return nil
	}
	if cur.file == nil {
		if err := r.create(cur); err != nil {
			return r.storeFailed(err)
		}
	}
	if err := r.encryptPending(); err != nil {
		return r.storeFailed(err)
	}
	r.takeEvents()
	// The I-frame that a segment begins with can be loaded alone, but where no
	// range of the segment can be decrypted alone.
	alone := r.kind == media.Video && len(cur.parts) == 0 && r.pending.samples[0].Key
	pieces, iframe := r.writer.part(&r.pending, r.events, alone)
	defer r.writer.done()
	at, err := r.appendPart(cur, pieces)
	if err != nil && !cur.spilled {
		if err = r.spill(cur, err); err == nil {
			at, err = r.appendPart(cur, pieces)
		}
	}
	if err != nil {
		return r.storeFailed(err)
	}
	cur.size = cur.file.Size()
	if len(cur.parts) == 0 && cur.crypt == nil {
		cur.iframeSize = iframe
	}
	cur.parts = append(cur.parts, part{
		offset: at.offset, size: at.size,
		independent: r.pending.key,
	})
	r.serial++
	return nil
}
