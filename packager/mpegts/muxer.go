package mpegts

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/internal/media"
)

// Offset is the PTS in 90 kHz ticks that the beginning of a stream's timeline
// has in its transport streams, so that clocks can run ahead of the first
// frame. X-TIMESTAMP-MAP of subtitles beside them has to say the same.
const Offset = 10 * clockRate

const (
	// lead is how far the clock runs ahead of what is decoded.
	lead = clockRate / 2
	// clockEvery is the longest distance of two PCRs (ISO/IEC 13818-1
	// §2.7.2), and what of the sound goes into one PES packet at most.
	clockEvery = clockRate / 10
	// mostClocks bounds the PCRs in a hole: a second of them.
	mostClocks = 10
)

const (
	streamVideo   = 0xe0
	streamAudio   = 0xc0
	streamPrivate = 0xbd // AC-3, E-AC-3, ID3
)

// maxID3 is the largest ID3 tag that one PES packet can carry.
const maxID3 = 0xffff - 3 - 5

// Errors a caller may branch on.
var (
	// ErrCodec says that a codec has no place in the transport streams of HLS.
	ErrCodec = errors.New("MPEG-TS in HLS cannot carry it")
	// ErrConfig says that a decoder configuration is missing or broken.
	ErrConfig = errors.New("no usable decoder configuration")
	// ErrTooLarge says that an ID3 tag does not fit a PES packet.
	ErrTooLarge = errors.New("the ID3 tag is larger than a PES packet")
)

// Frame is one access unit or audio frame, in ticks of its track's clock.
type Frame struct {
	PTS, DTS, Duration int64
	Key                bool
	Payload            []byte // as media.Packet has it
}

// Muxer writes the transport stream of one rendition, which is cut into
// segments and parts anywhere between frames. Continuity counters go on over
// all of it. It belongs to one goroutine.
type Muxer struct {
	track   *media.Track
	kind    uint8 // stream type
	id3     bool
	version uint8 // of the PMT

	pat, pmt           []byte
	toPAT, toPMT       elementary
	toMedia, toID3     elementary
	breaks             bool   // the next PCR belongs to another time base
	sets               []byte // what stands before a key: parameter sets in Annex B
	adts               adts
	scratch            []byte
	held               []Frame // audio of the PES packet that is open
	heldSize, heldTime int64   // of held: bytes, and ticks of the track's clock
}

// NewMuxer makes a Muxer for what SetTrack will say.
func NewMuxer() *Muxer {
	return &Muxer{
		pat: patSection(), breaks: true,
		toPAT:   elementary{pidPAT, unstartedCC},
		toPMT:   elementary{pidPMT, unstartedCC},
		toMedia: elementary{pidMedia, unstartedCC},
		toID3:   elementary{pidID3, unstartedCC},
	}
}

// SetTrack says what the frames from here on are. id3 gives timed metadata a
// place in the program, whether or not any comes: what a program consists of
// must not change without a discontinuity. It fails with ErrCodec or ErrConfig
// and changes nothing then. Audio that is held must be flushed before.
func (m *Muxer) SetTrack(t *media.Track, id3 bool) error {
	kind, err := StreamType(t)
	if err != nil {
		return err
	}
	var header adts
	var sets []byte
	switch {
	case kind == TypeAAC:
		header, err = readADTS(t.Config)
	case kind == TypeH264:
		sets, err = readSets(t.Config)
	}
	if err != nil {
		return fmt.Errorf("%s in MPEG-TS: %w", t.Codec, err)
	}
	if m.pmt != nil && (kind != m.kind || id3 != m.id3) {
		m.version = (m.version + 1) & 0x1f
	}
	m.track, m.kind, m.id3, m.adts, m.sets = t, kind, id3, header, sets
	m.pmt = pmtSection(m.version, kind, m.id3)
	return nil
}

// StreamType is how a program names a track's coding. HEVC goes into fMP4 only
// (Apple 1.5), and so does what HLS has no stream type for.
func StreamType(t *media.Track) (uint8, error) {
	switch t.Codec {
	case media.H264:
		return TypeH264, nil
	case media.AAC:
		return TypeAAC, nil
	case media.MPEGAudio:
		if t.SampleRate < 32000 {
			return TypeMPEG2Audio, nil
		}
		return TypeMPEG1Audio, nil
	case media.AC3:
		return TypeAC3, nil
	case media.EAC3:
		return TypeEAC3, nil
	}
	return 0, fmt.Errorf("%s: %w", t.Codec, ErrCodec)
}

// Break says that the time of what follows has nothing to do with that of what
// came before: discontinuity_indicator (§2.4.3.5).
func (m *Muxer) Break() { m.breaks = true }

// AppendTables writes PAT and PMT, with which each segment and each part
// begins (RFC 8216bis §3.1.1).
func (m *Muxer) AppendTables(b []byte) []byte {
	return appendTable(appendTable(b, &m.toPAT, m.pat), &m.toPMT, m.pmt)
}

// AppendFrame writes a frame, or holds it back until Flush or until there is
// enough sound for a PES packet. The payload must not change until then.
func (m *Muxer) AppendFrame(b []byte, f Frame) []byte {
	if m.track.Kind == media.Video {
		return m.appendPicture(b, f)
	}
	size := int64(len(f.Payload) + m.adts.size())
	if m.adts.on && size > maxADTS {
		return b // such a frame cannot be
	}
	if len(m.held) > 0 && (m.heldTime+f.Duration > m.ticks(clockEvery) || m.heldSize+size > 0xf000) {
		b = m.Flush(b)
	}
	m.held = append(m.held, f)
	m.heldSize += size
	m.heldTime += f.Duration
	return b
}

// Flush writes what sound is held back; nothing of a part may be left.
func (m *Muxer) Flush(b []byte) []byte {
	if len(m.held) == 0 {
		return b
	}
	first := m.held[0]
	pts := m.at(first.PTS)
	h := pesHeader{streamID: streamAudio, pts: pts, dts: pts}
	if m.kind == TypeAC3 || m.kind == TypeEAC3 {
		h.streamID = streamPrivate
	}
	p := m.begin(b, &h, int(m.heldSize), true)
	for i := range m.held {
		payload := m.held[i].Payload
		if m.adts.on {
			m.scratch = m.adts.append(m.scratch[:0], len(payload))
			p.write(m.scratch)
		}
		p.write(payload)
	}
	b = m.clocks(p.b, pts, m.heldTime)
	clear(m.held)
	m.held, m.heldSize, m.heldTime = m.held[:0], 0, 0
	return b
}

// appendPicture writes an access unit in Annex B behind its delimiter, a key
// behind its parameter sets too.
func (m *Muxer) appendPicture(b []byte, f Frame) []byte {
	size := len(delimiter)
	var sets []byte
	if f.Key {
		sets = m.sets
	}
	size += len(sets)
	for unit := range units(f.Payload) {
		size += len(startCode) + len(unit)
	}
	h := pesHeader{streamID: streamVideo, pts: m.at(f.PTS), dts: m.at(f.DTS)}
	p := m.begin(b, &h, size, f.Key)
	p.write(delimiter)
	p.write(sets)
	for unit := range units(f.Payload) {
		p.write(startCode)
		p.write(unit)
	}
	return m.clocks(p.b, h.dts, f.Duration)
}

// begin begins a PES packet that carries the clock.
func (m *Muxer) begin(b []byte, h *pesHeader, payload int, random bool) packer {
	first := adaptation{pcr: h.dts - lead, random: random, breaks: m.breaks}
	m.breaks = false
	size := h.size() + payload
	b = slices.Grow(b, (size+first.size())/packetRoom*packetSize+2*packetSize)
	p := newPacker(b, &m.toMedia, first, size)
	m.scratch = h.append(m.scratch[:0], payload)
	p.write(m.scratch)
	return p
}

// clocks writes PCRs for as long as the media that was written lasts.
func (m *Muxer) clocks(b []byte, dts, duration int64) []byte {
	end := media.Rescale(duration, m.track.ClockRate, clockRate)
	for n := int64(1); n*clockEvery < end && n <= mostClocks; n++ {
		b = appendClock(b, &m.toMedia, dts+n*clockEvery-lead)
	}
	return b
}

// AppendID3 writes an ID3 tag that is due at pts, in 90 kHz ticks of the
// stream's timeline (Apple, Timed Metadata for HTTP Live Streaming §2). It
// stands in the segment, and the part, whose media is shown then. It fails
// with ErrTooLarge, or with ErrCodec where the Muxer has no place for ID3.
func (m *Muxer) AppendID3(b []byte, pts int64, tag []byte) ([]byte, error) {
	switch {
	case !m.id3:
		return b, fmt.Errorf("ID3: %w", ErrCodec)
	case len(tag) > maxID3:
		return b, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(tag), maxID3)
	}
	pts = max(pts, 0) + Offset
	h := pesHeader{streamID: streamPrivate, pts: pts, dts: pts}
	p := newPacker(b, &m.toID3, adaptation{pcr: -1}, h.size()+len(tag))
	m.scratch = h.append(m.scratch[:0], len(tag))
	p.write(m.scratch)
	p.write(tag)
	return p.b, nil
}

// at is a time of the track as a PTS.
func (m *Muxer) at(t int64) int64 {
	return media.Rescale(max(t, 0), m.track.ClockRate, clockRate) + Offset
}

// ticks converts 90 kHz ticks into those of the track.
func (m *Muxer) ticks(t int64) int64 { return media.Rescale(t, clockRate, m.track.ClockRate) }
