package mpegts

import (
	"bytes"
	"errors"
	"fmt"
)

// demuxer takes one program of a stream apart. What it finds it says to its
// receiver.
type demuxer struct {
	framer framer
	to     *Receiver

	pat     pidState
	pmt     pidState
	number  uint16 // of the program; 0: none yet
	pmtPID  uint16
	mapping []byte // the program map in force, as it came
	streams map[uint16]*pidState
	several bool // the stream has several programs, and that was said
}

// pidState is what is known about one PID.
type pidState struct {
	continuity
	sections sections
	pes      pes
	section  func(b []byte) // takes its sections; nil: it has PES packets
}

func newDemuxer(to *Receiver) *demuxer {
	d := &demuxer{to: to, streams: map[uint16]*pidState{}}
	d.framer.packet = d.packet
	d.framer.skip = func(int) { to.fault(errNoPackets) }
	d.pat.section = d.association
	d.pmt.section = d.program
	return d
}

// flush hands on what is open at the end.
func (d *demuxer) flush() {
	for _, s := range d.streams {
		if s.section == nil {
			s.pes.flush()
		}
	}
}

var (
	errNoPackets = errors.New("bytes that are no transport stream")
	errLengths   = errors.New("a packet's lengths contradict each other")
	errScrambled = errors.New("the stream is scrambled")
)

func (d *demuxer) packet(b []byte) {
	p, ok := parsePacket(b)
	if !ok || p.broken {
		d.to.fault(errLengths)
		return
	}
	var s *pidState
	switch {
	case p.pid == pidNull || p.payload == nil:
		return
	case p.pid == pidPAT:
		s = &d.pat
	case d.number != 0 && p.pid == d.pmtPID:
		s = &d.pmt
	default:
		if s = d.streams[p.pid]; s == nil {
			return
		}
	}
	if p.scrambled {
		d.to.fault(errScrambled)
		return
	}
	copied, lost := s.next(&p, s.section != nil)
	if copied {
		return
	}
	if lost > 0 {
		d.to.lost(lost)
	}
	if s.section != nil {
		s.sections.feed(&p, lost > 0, s.section)
		return
	}
	s.pes.feed(&p, lost > 0)
}

// association takes a section of the program association table: the program
// stays as long as it is in it.
func (d *demuxer) association(section []byte) {
	list, current, err := parsePAT(section)
	if err != nil {
		d.to.fault(err)
		return
	}
	if !current || len(list) == 0 {
		return
	}
	chosen := list[0]
	for _, p := range list {
		if p.number == d.number {
			chosen = p
		}
	}
	if len(list) > 1 && !d.several {
		d.several = true
		d.to.fault(fmt.Errorf("there are %d programs; %d is taken", len(list), chosen.number))
	}
	if chosen.number != d.number || chosen.pid != d.pmtPID {
		d.number, d.pmtPID = chosen.number, chosen.pid
		d.pmt = pidState{section: d.program}
		d.mapping = nil
	}
}

// program takes a program map.
func (d *demuxer) program(section []byte) {
	if bytes.Equal(section, d.mapping) {
		return
	}
	m, current, err := parsePMT(section)
	if err != nil {
		d.to.fault(err)
		return
	}
	if !current || m.number != d.number {
		return // the program of somebody else may share the PID
	}
	d.mapping = append([]byte(nil), section...)
	d.to.program(m)
}

// watch says which PIDs matter from now on.
func (d *demuxer) watch(pids map[uint16]*pidState) {
	for pid, old := range d.streams {
		if pids[pid] != old && old.section == nil {
			old.pes.flush()
		}
	}
	d.streams = pids
}
