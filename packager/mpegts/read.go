package mpegts

import (
	"errors"
	"fmt"
)

// ErrBroken says that bytes are no transport stream, or one that contradicts
// itself.
var ErrBroken = errors.New("broken MPEG-TS")

// Program is what a segment or a part has in it.
type Program struct {
	Streams []*Stream // as the PMT lists them

	// TablesFirst says that PAT and PMT stand before everything else.
	TablesFirst bool
	// ClockGap is the longest distance of two PCRs in 90 kHz ticks.
	ClockGap int64
	// Clocks is how many PCRs there are.
	Clocks int
}

// Stream is an elementary stream.
type Stream struct {
	PID   uint16
	Type  uint8 // stream_type
	Units []Unit

	counter uint8
	seen    bool
	open    []byte // of the PES packet that is being read
	random  bool
}

// Unit is the content of a PES packet. Times are as they are written: 33 bits
// of 90 kHz.
type Unit struct {
	PTS, DTS int64
	Random   bool // random_access_indicator
	Data     []byte
}

// Video reports whether the stream is one of those with pictures.
func (s *Stream) Video() bool {
	switch s.Type {
	case TypeH264, TypeH265, 0x01, 0x02, 0x10:
		return true
	}
	return false
}

// Audio reports whether the stream is one of those with sound.
func (s *Stream) Audio() bool {
	switch s.Type {
	case TypeMPEG1Audio, TypeMPEG2Audio, TypeAAC, 0x11, TypeAC3, TypeEAC3:
		return true
	}
	return false
}

// Media is the stream with pictures, or the one with sound, nil without both.
func (p *Program) Media() *Stream {
	for _, wanted := range []func(*Stream) bool{(*Stream).Video, (*Stream).Audio} {
		for _, s := range p.Streams {
			if wanted(s) {
				return s
			}
		}
	}
	return nil
}

// reader reads packet after packet.
type reader struct {
	program Program
	pmt     uint16 // its PID; 0 before the PAT
	clock   uint16 // PCR_PID
	streams map[uint16]*Stream
	newest  int64 // PCR
	media   bool  // something but PAT and PMT was there
}

// Read reads a segment or a part as a whole: it has to begin with PAT and PMT
// before the media of its program, and to hold whole PES packets (RFC 8216bis
// §3.1.1). It fails with ErrBroken.
func Read(b []byte) (*Program, error) {
	if len(b) == 0 || len(b)%packetSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no whole number of packets", ErrBroken, len(b))
	}
	r := &reader{streams: map[uint16]*Stream{}}
	for at := 0; at < len(b); at += packetSize {
		if err := r.packet(b[at : at+packetSize]); err != nil {
			return nil, fmt.Errorf("packet %d: %w", at/packetSize, err)
		}
	}
	if len(r.program.Streams) == 0 {
		return nil, fmt.Errorf("%w: no program", ErrBroken)
	}
	for _, s := range r.program.Streams {
		if err := s.close(); err != nil {
			return nil, err
		}
	}
	return &r.program, nil
}

func (r *reader) packet(b []byte) error {
	pid := be.Uint16(b[1:]) & 0x1fff
	switch {
	case b[0] != syncByte:
		return fmt.Errorf("%w: no sync byte", ErrBroken)
	case b[1]&0x80 != 0:
		return fmt.Errorf("%w: transport_error_indicator", ErrBroken)
	case pid == 0x1fff:
		return nil
	}
	start, counter := b[1]&0x40 != 0, b[3]&0x0f
	payload := b[headerSize:]
	random, breaks := false, false
	if b[3]&0x20 != 0 {
		n := int(payload[0])
		if n > packetRoom-1 {
			return fmt.Errorf("%w: adaptation field of %d bytes", ErrBroken, n)
		}
		if field := payload[1 : 1+n]; n > 0 {
			breaks, random = field[0]&0x80 != 0, field[0]&0x40 != 0
			if field[0]&0x10 != 0 {
				if n < 7 {
					return fmt.Errorf("%w: short PCR", ErrBroken)
				}
				r.tick(pid, int64(be.Uint32(field[1:]))<<1|int64(field[5]>>7), breaks)
			}
		}
		payload = payload[1+n:]
	}
	if b[3]&0x10 == 0 {
		return nil
	}
	switch {
	case pid == pidPAT:
		return r.pat(payload, start)
	case r.pmt != 0 && pid == r.pmt:
		return r.readPMT(payload, start)
	}
	s := r.streams[pid]
	if s == nil {
		// Tables of other standards may stand anywhere: SDT, EIT, …
		r.media = r.media || len(r.program.Streams) == 0 && start && isPES(payload)
		return nil
	}
	r.media = true
	if s.seen && counter != (s.counter+1)&0x0f && !breaks {
		return fmt.Errorf("%w: PID %d goes on with continuity counter %d after %d", ErrBroken, pid, counter, s.counter)
	}
	s.seen, s.counter = true, counter
	return s.take(payload, start, random)
}

func isPES(b []byte) bool { return len(b) >= 4 && b[0] == 0 && b[1] == 0 && b[2] == 1 }

// tick takes note of a PCR.
func (r *reader) tick(pid uint16, pcr int64, breaks bool) {
	if r.clock != 0 && pid != r.clock {
		return
	}
	if r.program.Clocks > 0 && !breaks {
		r.program.ClockGap = max(r.program.ClockGap, (pcr-r.newest+wrap)%wrap)
	}
	r.newest = pcr
	r.program.Clocks++
}

// table is the body of a section that is whole in its packet, as those of HLS
// are: from behind last_section_number up to the CRC.
func table(payload []byte, start bool, id byte) ([]byte, error) {
	if !start || len(payload) < 1 || len(payload) < 1+int(payload[0])+8 {
		return nil, fmt.Errorf("%w: a table in several packets", ErrBroken)
	}
	s := payload[1+int(payload[0]):]
	n := 3 + int(be.Uint16(s[1:])&0x0fff)
	switch {
	case s[0] != id:
		return nil, fmt.Errorf("%w: table %d in place of %d", ErrBroken, s[0], id)
	case n < 12 || n > len(s):
		return nil, fmt.Errorf("%w: table of %d bytes", ErrBroken, n)
	case checksum(s[:n]) != 0:
		return nil, fmt.Errorf("%w: wrong CRC of table %d", ErrBroken, id)
	}
	return s[8 : n-4], nil
}

func (r *reader) pat(payload []byte, start bool) error {
	body, err := table(payload, start, 0)
	if err != nil {
		return err
	}
	var pmt uint16
	for ; len(body) >= 4; body = body[4:] {
		if be.Uint16(body) == 0 {
			continue // the network's
		}
		if pmt != 0 {
			return fmt.Errorf("%w: several programs", ErrBroken) // RFC 8216bis §3.1.1
		}
		pmt = be.Uint16(body[2:]) & 0x1fff
	}
	if pmt == 0 || r.pmt != 0 && pmt != r.pmt {
		return fmt.Errorf("%w: no program, or another one", ErrBroken)
	}
	r.pmt = pmt
	return nil
}

func (r *reader) readPMT(payload []byte, start bool) error {
	body, err := table(payload, start, 2)
	if err != nil {
		return err
	}
	if len(body) < 4 {
		return fmt.Errorf("%w: short PMT", ErrBroken)
	}
	clock := be.Uint16(body) & 0x1fff
	skip := 4 + int(be.Uint16(body[2:])&0x0fff)
	if skip > len(body) {
		return fmt.Errorf("%w: short PMT", ErrBroken)
	}
	var streams []*Stream
	for body = body[skip:]; len(body) > 0; {
		if len(body) < 5 || len(body) < 5+int(be.Uint16(body[3:])&0x0fff) {
			return fmt.Errorf("%w: short PMT", ErrBroken)
		}
		streams = append(streams, &Stream{Type: body[0], PID: be.Uint16(body[1:]) & 0x1fff})
		body = body[5+int(be.Uint16(body[3:])&0x0fff):]
	}
	if len(r.program.Streams) > 0 {
		return r.sameProgram(streams)
	}
	r.program.Streams, r.clock, r.program.TablesFirst = streams, clock, !r.media
	for _, s := range streams {
		r.streams[s.PID] = s
	}
	return nil
}

// sameProgram refuses a program that changes inside a segment.
func (r *reader) sameProgram(streams []*Stream) error {
	if len(streams) == len(r.program.Streams) {
		same := true
		for i, s := range streams {
			same = same && s.PID == r.program.Streams[i].PID && s.Type == r.program.Streams[i].Type
		}
		if same {
			return nil
		}
	}
	return fmt.Errorf("%w: the program changes", ErrBroken)
}

// take reads the payload of a packet.
func (s *Stream) take(payload []byte, start, random bool) error {
	if !start {
		if s.open == nil {
			return fmt.Errorf("%w: PID %d begins inside a PES packet", ErrBroken, s.PID)
		}
		s.open = append(s.open, payload...)
		return nil
	}
	if err := s.close(); err != nil {
		return err
	}
	if !isPES(payload) {
		return fmt.Errorf("%w: PID %d has no PES packet where one begins", ErrBroken, s.PID)
	}
	s.open, s.random = append(make([]byte, 0, 4*packetSize), payload...), random
	return nil
}

// close reads the PES packet that is complete.
func (s *Stream) close() error {
	b := s.open
	if b == nil {
		return nil
	}
	s.open = nil
	if len(b) < 9 || b[6]&0xc0 != 0x80 || len(b) < 9+int(b[8]) {
		return fmt.Errorf("%w: PID %d has a broken PES header", ErrBroken, s.PID)
	}
	if n := int(be.Uint16(b[4:])); n > 0 {
		if len(b) < 6+n {
			return fmt.Errorf("%w: PID %d ends %d bytes before its PES packet does", ErrBroken, s.PID, 6+n-len(b))
		}
		b = b[:6+n]
	}
	fields, data := b[9:], b[min(9+int(b[8]), len(b)):]
	u := Unit{Random: s.random, Data: data}
	switch {
	case b[7]&0x80 == 0:
		return fmt.Errorf("%w: PID %d has a PES packet without PTS", ErrBroken, s.PID)
	case b[8] < 5, b[7]&0x40 != 0 && b[8] < 10:
		return fmt.Errorf("%w: PID %d has a broken PES header", ErrBroken, s.PID)
	}
	u.PTS = stamp(fields)
	u.DTS = u.PTS
	if b[7]&0x40 != 0 {
		u.DTS = stamp(fields[5:])
	}
	s.Units = append(s.Units, u)
	return nil
}

func stamp(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}
