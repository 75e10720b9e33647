package mpegts

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// splice is a splice_info_section (SCTE 35 §9.6), as far as it concerns time.
type splice struct {
	section []byte // whole; refers to what was parsed
	command byte   // splice_command_type

	// Of splice_insert and time_signal: when it happens, in ticks of 90 kHz of
	// 33 bits, pts_adjustment added. Without a time it happens at once.
	pts    int64
	hasPTS bool

	insert   *spliceInsert
	segments []segmentation
}

// spliceInsert is a splice_insert command (§9.7.3).
type spliceInsert struct {
	event      uint32
	cancel     bool
	out        bool  // out of the network, or back into it
	duration   int64 // of the break, in ticks of 90 kHz; negative: not said
	autoReturn bool  // the break ends by itself
}

// segmentation is a segmentation_descriptor (§10.3.3).
type segmentation struct {
	event    uint32
	cancel   bool
	kind     byte  // segmentation_type_id
	duration int64 // in ticks of 90 kHz; negative: not said
}

// Splice commands, §9.6.
const (
	commandNull        = 0x00
	commandSchedule    = 0x04
	commandInsert      = 0x05
	commandTimeSignal  = 0x06
	commandReservation = 0x07
	commandPrivate     = 0xff
)

const (
	tableSplice      = 0xfc
	tagSegmentation  = 0x02
	identifierCUEI   = "CUEI"
	ticksMask        = 1<<wireBits - 1
	commandUnbounded = 0xfff // splice_command_length of old encoders: not said
)

var (
	errSplice          = errors.New("SCTE 35: no splice_info_section")
	errSpliceShort     = errors.New("SCTE 35: the section is too short for what it says")
	errSpliceEncrypted = errors.New("SCTE 35: the section is encrypted")
)

// parseSplice reads a section and checks its CRC.
func parseSplice(b []byte) (*splice, error) {
	const head, tail = 14, 4
	if len(b) < head+tail || b[0] != tableSplice {
		return nil, errSplice
	}
	n := 3 + int(binary.BigEndian.Uint16(b[1:])&0x0fff)
	if n < head+tail || n > len(b) {
		return nil, errSplice
	}
	if b = b[:n]; crc(b) != 0 {
		return nil, fmt.Errorf("SCTE 35: %w", errCRC)
	}
	if b[4]&0x80 != 0 {
		return nil, errSpliceEncrypted
	}
	s := &splice{section: b, command: b[13]}
	adjustment := int64(b[4]&1)<<32 | int64(binary.BigEndian.Uint32(b[5:]))
	length := int(binary.BigEndian.Uint16(b[11:]) & 0x0fff)
	r := octets{b: b[head : n-tail]}
	command := r
	if length != commandUnbounded {
		command.b = r.take(length)
	}
	switch s.command {
	case commandInsert:
		s.readInsert(&command)
	case commandTimeSignal:
		s.readTime(&command)
	}
	if command.short || r.short {
		return nil, errSpliceShort
	}
	s.pts = (s.pts + adjustment) & ticksMask
	if length == commandUnbounded {
		if s.command != commandInsert && s.command != commandTimeSignal && s.command != commandNull {
			return s, nil // nobody knows where it ends
		}
		r = command
	}
	s.readDescriptors(r.take(int(r.u16())))
	return s, nil
}

// readTime reads a splice_time, §9.8.1.
func (s *splice) readTime(r *octets) {
	b := r.u8()
	if b&0x80 == 0 {
		return
	}
	s.pts, s.hasPTS = int64(b&1)<<32|int64(r.u32()), true
}

func (s *splice) readInsert(r *octets) {
	i := &spliceInsert{event: r.u32(), cancel: r.u8()&0x80 != 0, duration: -1}
	s.insert = i
	if i.cancel {
		return
	}
	flags := r.u8()
	i.out = flags&0x80 != 0
	whole, hasDuration, immediate := flags&0x40 != 0, flags&0x20 != 0, flags&0x10 != 0
	switch {
	case whole && !immediate:
		s.readTime(r)
	case !whole:
		for n := range r.u8() {
			r.u8() // component_tag
			if immediate {
				continue
			}
			if n == 0 {
				s.readTime(r)
			} else {
				new(splice).readTime(r) // all of them are spliced at one time, or nearly
			}
		}
	}
	if hasDuration {
		b := r.u8()
		i.autoReturn = b&0x80 != 0
		i.duration = int64(b&1)<<32 | int64(r.u32())
	}
}

// readDescriptors reads the splice descriptors, §10.2.
func (s *splice) readDescriptors(b []byte) {
	for len(b) >= 2 {
		n := 2 + int(b[1])
		if n > len(b) {
			return
		}
		if b[0] == tagSegmentation && n >= 6 && string(b[2:6]) == identifierCUEI {
			if g, ok := parseSegmentation(b[6:n]); ok {
				s.segments = append(s.segments, g)
			}
		}
		b = b[n:]
	}
}

// parseSegmentation reads a segmentation_descriptor behind its identifier.
func parseSegmentation(b []byte) (g segmentation, ok bool) {
	r := octets{b: b}
	g = segmentation{event: r.u32(), cancel: r.u8()&0x80 != 0, duration: -1}
	if g.cancel {
		return g, !r.short
	}
	flags := r.u8()
	if flags&0x80 == 0 { // of components, each with an offset
		r.take(6 * int(r.u8()))
	}
	if flags&0x40 != 0 {
		g.duration = int64(r.u8())<<32 | int64(r.u32())
	}
	r.u8() // segmentation_upid_type
	r.take(int(r.u8()))
	g.kind = r.u8()
	return g, !r.short
}

// octets reads whole bytes and remembers that they were not enough.
type octets struct {
	b     []byte
	short bool
}

func (r *octets) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.short = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *octets) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *octets) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *octets) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}
