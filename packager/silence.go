package packager

import (
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// Silent frames of AAC-LC (ISO/IEC 14496-3 §4.4.2): one channel element whose
// max_sfb is 0, so that it has no spectrum, and the end element.
var (
	silentMono   = []byte{0x00, 0x00, 0x00, 0x07}
	silentStereo = []byte{0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0e}
)

// silentFrame is a frame that fills a hole of a track, nil where none is known.
func silentFrame(t *media.Track) []byte {
	c := t.Config
	if t.Codec != media.AAC || len(c) < 2 {
		return nil
	}
	switch c[0] >> 3 { // audio object type
	case 2, 5, 29: // LC, and HE-AAC around an LC core
	default:
		return nil
	}
	if c[0]&7 == 7 && c[1]>>7 == 1 {
		return nil // a sampling frequency in 24 bits: nobody has that
	}
	switch c[1] >> 3 & 15 { // channel configuration
	case 1:
		return silentMono
	case 2:
		return silentStereo
	}
	return nil
}

// fill puts silence into a hole of two frames or more that a sample of this
// duration would leave behind it, and returns what the sample itself lasts. A
// hole in the sound stalls players that have one buffer for each track.
func (r *rendition) fill(dts, duration int64, s fmp4.Sample) error {
	usual := r.usual()
	missing := (duration+usual/2)/usual - 1
	if r.silence == nil || missing < 2 {
		s.Duration = clampDuration(duration)
		return r.add(dts, s)
	}
	r.filled.Add(uint64(missing))
	s.Duration = clampDuration(usual)
	if err := r.add(dts, s); err != nil {
		return err
	}
	quiet := fmp4.Sample{Duration: s.Duration, Key: true, Payload: r.silence}
	for n := range missing {
		if n == missing-1 {
			quiet.Duration = clampDuration(duration - missing*usual)
		}
		if err := r.add(dts+(n+1)*usual, quiet); err != nil {
			return err
		}
	}
	return nil
}

// quiet lists segments up to number whose sound stayed away as silence, as far
// as that can be done; the others are gaps.
func (r *rendition) quiet(number uint64) error {
	for r.next != 0 && r.next <= number {
		s, known, _ := r.p.timeline.at(r.next)
		if !known || s.length == 0 {
			return nil
		}
		end := s.ticks(r.track.ClockRate) + media.Ticks(s.length, r.track.ClockRate)
		ok, err := r.hush(s, end-r.usual())
		if err != nil || !ok {
			return err
		}
		if err := r.finish(nil); err != nil {
			return err
		}
	}
	return nil
}

// hush begins a segment with silence where its sound does not go on from the
// segment before until a point in time, and reports whether it did.
func (r *rendition) hush(s span, until int64) (bool, error) {
	if r.silence == nil || r.next != s.Segment || r.lost || !r.retired.IsZero() || s.Discontinuity != r.lastDiscontinuity() {
		return false, nil
	}
	pts := max(s.ticks(r.track.ClockRate), r.ended)
	if until-pts < r.usual()*2 {
		return false, nil
	}
	pk := &media.Packet{Track: r.track, PTS: pts, DTS: pts, Duration: r.usual(), Key: true, Payload: r.silence}
	ok, err := r.begin(media.Placed{Packet: pk, Segment: s.Segment, Discontinuity: s.Discontinuity})
	if err != nil || !ok {
		return false, err
	}
	r.filled.Add(1)
	r.held = pk
	return true, nil
}

// resume fills what is missing between the newest segment and the packet that
// begins another one.
func (r *rendition) resume(pk media.Placed) error {
	if r.silence == nil || r.next == 0 || pk.Track == nil || !pk.Track.SameParameters(r.track) {
		return nil
	}
	if err := r.quiet(pk.Segment - 1); err != nil {
		return err
	}
	s, known, _ := r.p.timeline.at(pk.Segment)
	if !known {
		return nil
	}
	_, err := r.hush(s, pk.PTS)
	return err
}
