package mpegts

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
)

// Sample is an access unit or an audio frame as read back. Times are 90 kHz
// ticks that go on over the wrap of 33 bits inside of what was read.
type Sample struct {
	PTS, DTS, Duration int64
	Key                bool
	Payload            []byte // as media.Packet has it
}

// Samples takes the PES packets of a stream apart. A sample lasts until the next
// one; the last picture as long as the one before it, the last sound as long as
// its frame.
// It fails with ErrBroken.
func (s *Stream) Samples() ([]Sample, error) {
	var out []Sample
	var err error
	if s.Audio() {
		out, err = s.sounds()
	} else {
		out, err = s.pictures()
	}
	if err != nil {
		return nil, fmt.Errorf("PID %d: %w", s.PID, err)
	}
	return out, nil
}

// near is the time that is written as v and stands next to another one.
func near(v, to int64) int64 {
	d := (v - to) % wrap
	switch {
	case d > wrap/2:
		d -= wrap
	case d <= -wrap/2:
		d += wrap
	}
	return to + d
}

func (s *Stream) pictures() ([]Sample, error) {
	out := make([]Sample, 0, len(s.Units))
	for i, u := range s.Units {
		p := Sample{PTS: u.PTS, DTS: u.DTS, Payload: u.Data, Key: u.Random}
		if i > 0 {
			before := &out[i-1]
			p.DTS = near(u.DTS, before.DTS)
			if before.Duration = p.DTS - before.DTS; before.Duration <= 0 {
				return nil, fmt.Errorf("%w: decoding time %d after %d", ErrBroken, p.DTS, before.DTS)
			}
			p.Duration = before.Duration
		}
		p.PTS = near(u.PTS, p.DTS)
		switch s.Type {
		case TypeH264:
			p.Payload, p.Key = lengths(u.Data, func(unit []byte) (keep, key bool) {
				t := unit[0] & 0x1f
				return t < 7 || t > 9, t == 5 // neither parameter sets nor delimiters
			})
		case TypeH265:
			p.Payload, p.Key = lengths(u.Data, func(unit []byte) (keep, key bool) {
				t := unit[0] >> 1 & 0x3f
				return t < 32 || t > 35, t >= 16 && t <= 21
			})
		}
		out = append(out, p)
	}
	return out, nil
}

// lengths makes of Annex B what fMP4 stores, of the units that are kept.
func lengths(b []byte, what func(unit []byte) (keep, key bool)) (out []byte, key bool) {
	out = make([]byte, 0, len(b)+16)
	for unit := range annexB(b) {
		keep, k := what(unit)
		key = key || k
		if keep {
			out = append(be.AppendUint32(out, uint32(len(unit))), unit...)
		}
	}
	return out, key
}

// annexB are the NAL units of a byte stream (ITU-T H.264 Annex B).
func annexB(b []byte) func(func([]byte) bool) {
	code := []byte{0, 0, 1}
	return func(yield func([]byte) bool) {
		at := bytes.Index(b, code)
		for at >= 0 {
			b = b[at+3:]
			at = bytes.Index(b, code)
			unit := b
			if at >= 0 {
				unit = b[:at]
			}
			unit = bytes.TrimRight(unit, "\x00") // trailing_zero_8bits
			if len(unit) > 0 && !yield(unit) {
				return
			}
		}
	}
}

// sounds takes frames out of PES packets, whose time is that of the first frame
// that begins in them.
func (s *Stream) sounds() ([]Sample, error) {
	var out []Sample
	var rest []byte
	var next int64
	for _, u := range s.Units {
		data, pts := u.Data, u.PTS
		if len(out) > 0 {
			pts = near(pts, next)
		}
		if len(rest) > 0 {
			data = append(rest, data...)
			pts = next
		}
		for first := true; len(data) > 0; first = false {
			size, samples, rate, skip, err := s.frame(data)
			if err != nil {
				return nil, err
			}
			if size == 0 || size > len(data) {
				break
			}
			at := next
			if first || len(out) == 0 {
				at = pts
			}
			if n := len(out); n > 0 && at > out[n-1].PTS {
				out[n-1].Duration = at - out[n-1].PTS
			}
			duration := (samples*clockRate + rate/2) / rate
			out = append(out, Sample{PTS: at, DTS: at, Duration: duration, Key: true, Payload: data[skip:size]})
			next = at + duration
			data = data[size:]
		}
		rest = data[:len(data):len(data)]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: the last frame is not whole", ErrBroken)
	}
	return out, nil
}

// frame reads the header of an audio frame: how many bytes it has, how long it
// lasts, and how much of it is not payload. A size of 0 means that the header
// is not whole.
func (s *Stream) frame(b []byte) (size int, samples, rate int64, skip int, err error) {
	switch s.Type {
	case TypeAAC:
		return frameADTS(b)
	case TypeAC3:
		var h ac3.SyncInfo
		if len(b) < 5 {
			return 0, 0, 0, 0, nil
		}
		if err := h.Unmarshal(b); err != nil {
			return 0, 0, 0, 0, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		return h.FrameSize(), 1536, int64(h.SampleRate()), 0, nil
	case TypeEAC3:
		return frameEAC3(b)
	case TypeMPEG1Audio, TypeMPEG2Audio:
		var h mpeg1audio.FrameHeader
		if len(b) < 5 {
			return 0, 0, 0, 0, nil
		}
		if err := h.Unmarshal(b); err != nil {
			return 0, 0, 0, 0, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		// FrameLen takes all frames for ones of 1152 samples, which those of
		// layer III of MPEG-2 are not.
		size := h.SampleCount() / 8 * h.Bitrate / h.SampleRate
		if h.Padding {
			size++
		}
		return size, int64(h.SampleCount()), int64(h.SampleRate), 0, nil
	}
	return len(b), 0, 1, 0, nil // of no coding that is known here
}

var adtsRates = []int64{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

func frameADTS(b []byte) (size int, samples, rate int64, skip int, err error) {
	if len(b) < 7 {
		return 0, 0, 0, 0, nil
	}
	index := int(b[2] >> 2 & 15)
	size = int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5)
	skip = 7
	if b[1]&1 == 0 {
		skip = 9 // a CRC
	}
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 || index >= len(adtsRates) || size < skip {
		return 0, 0, 0, 0, fmt.Errorf("%w: no ADTS header", ErrBroken)
	}
	return size, int64(b[6]&3+1) * 1024, adtsRates[index], skip, nil
}

// frameEAC3 reads a syncframe of E-AC-3 (ETSI TS 102 366 §E.1.2).
func frameEAC3(b []byte) (size int, samples, rate int64, skip int, err error) {
	if len(b) < 5 {
		return 0, 0, 0, 0, nil
	}
	if b[0] != 0x0b || b[1] != 0x77 {
		return 0, 0, 0, 0, fmt.Errorf("%w: no E-AC-3 syncframe", ErrBroken)
	}
	rates, blocks := []int64{48000, 44100, 32000}, []int64{1, 2, 3, 6}
	size = (int(b[2]&7)<<8|int(b[3]))*2 + 2
	fscod, second := b[4]>>6, b[4]>>4&3
	switch {
	case fscod < 3:
		samples, rate = blocks[second]*256, rates[fscod]
	case second < 3:
		samples, rate = 6*256, rates[second]/2
	default:
		return 0, 0, 0, 0, fmt.Errorf("%w: no E-AC-3 syncframe", ErrBroken)
	}
	if b[2]>>6 == 1 {
		samples = 0 // a dependent substream: it sounds together with the one before it
	}
	return size, samples, rate, 0, nil
}
