package mpegts

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxSection is the longest private section, ISO/IEC 13818-1 §2.4.4.11.
const maxSection = 4096

// sections puts the sections of one PID together.
type sections struct {
	buf  []byte
	open bool // buf holds the beginning of a section, or nothing yet
}

// feed takes the payload of the next packet; lost says that packets before it
// are missing. What yield is given is valid during the call.
func (s *sections) feed(p *tsPacket, lost bool, yield func(section []byte)) {
	if lost {
		s.reset()
	}
	b := p.payload
	if p.start {
		if len(b) == 0 || 1+int(b[0]) > len(b) {
			s.reset()
			return
		}
		n := 1 + int(b[0]) // pointer_field
		if s.open {
			s.buf = append(s.buf, b[1:n]...)
			s.drain(yield)
		}
		s.reset()
		s.open, b = true, b[n:]
	}
	if s.open {
		s.buf = append(s.buf, b...)
		s.drain(yield)
	}
}

func (s *sections) reset() { s.buf, s.open = s.buf[:0], false }

// drain hands on the sections that are whole.
func (s *sections) drain(yield func([]byte)) {
	b := s.buf
	for len(b) >= 3 {
		n := 3 + int(binary.BigEndian.Uint16(b[1:])&0x0fff)
		if b[0] == 0xff || n > maxSection { // stuffing up to the end of the packet, or nonsense
			s.reset()
			return
		}
		if len(b) < n {
			break
		}
		yield(b[:n])
		b = b[n:]
	}
	s.buf = append(s.buf[:0], b...)
}

// crcTable is of the CRC that sections end with, ISO/IEC 13818-1 annex A:
// polynomial 04C11DB7, most significant bit first.
var crcTable = func() (table [256]uint32) {
	for i := range table {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		table[i] = c
	}
	return table
}()

// crc is zero over a section that ends with its CRC.
func crc(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c = c<<8 ^ crcTable[byte(c>>24)^x]
	}
	return c
}

var errCRC = errors.New("wrong CRC")

// psi checks a section of the program specific information and returns its
// table_id_extension and its body; current is false for a table that is to
// come.
func psi(section []byte, table byte) (extension uint16, body []byte, current bool, err error) {
	const head, tail = 8, 4
	switch {
	case len(section) < head+tail || section[0] != table || section[1]&0x80 == 0:
		return 0, nil, false, fmt.Errorf("no section of table %d", table)
	case crc(section) != 0:
		return 0, nil, false, errCRC
	}
	return binary.BigEndian.Uint16(section[3:]), section[head : len(section)-tail], section[5]&1 != 0, nil
}

// programAt is a program of a program association table.
type programAt struct{ number, pid uint16 }

// parsePAT reads a section of the program association table.
func parsePAT(section []byte) (list []programAt, current bool, err error) {
	_, body, current, err := psi(section, 0)
	if err != nil {
		return nil, false, fmt.Errorf("program association: %w", err)
	}
	for ; len(body) >= 4; body = body[4:] {
		p := programAt{binary.BigEndian.Uint16(body), binary.BigEndian.Uint16(body[2:]) & 0x1fff}
		if p.number != 0 { // else where the network is described
			list = append(list, p)
		}
	}
	return list, current, nil
}

// programMap is a program map table.
type programMap struct {
	number      uint16
	descriptors descriptors
	streams     []elementary
}

// elementary is a stream of a program map.
type elementary struct {
	pid         uint16
	streamType  byte
	descriptors descriptors
}

// maxStreams is how many streams of a program are looked at.
const maxStreams = 64

// parsePMT reads a program map. It refers to the section's bytes.
func parsePMT(section []byte) (m programMap, current bool, err error) {
	number, body, current, err := psi(section, 2)
	if err != nil {
		return m, false, fmt.Errorf("program map: %w", err)
	}
	m.number = number
	if len(body) < 4 {
		return m, false, errors.New("program map: too short")
	}
	n := int(binary.BigEndian.Uint16(body[2:]) & 0x0fff)
	if body = body[4:]; n > len(body) {
		return m, false, errors.New("program map: descriptors do not fit")
	}
	m.descriptors, body = descriptors(body[:n]), body[n:]
	for len(body) >= 5 && len(m.streams) < maxStreams {
		e := elementary{streamType: body[0], pid: binary.BigEndian.Uint16(body[1:]) & 0x1fff}
		n := int(binary.BigEndian.Uint16(body[3:]) & 0x0fff)
		if body = body[5:]; n > len(body) {
			return m, false, errors.New("program map: descriptors do not fit")
		}
		e.descriptors, body = descriptors(body[:n]), body[n:]
		m.streams = append(m.streams, e)
	}
	return m, current, nil
}
