package rtsp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
)

func (r *receiver) openAAC(f *format.MPEG4Audio) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	if r.track, err = codec.AAC(f.Config); err != nil {
		return err
	}
	j := &aacJoiner{headers: auHeaders{f.SizeLength, f.IndexLength}, decode: d.Decode}
	r.decode = &frames{r: r, decode: j.feed, samples: constant(codec.AACFrame(f.Config))}
	return nil
}

// auHeaders is the form of the only AU header in a packet (RFC 3640 §3.2.1).
type auHeaders struct{ sizeBits, indexBits int }

// locate returns the size that the packet's only AU header says and where the
// access unit begins; ok is false where there are more headers, or none.
func (h auHeaders) locate(payload []byte) (size, at int, ok bool) {
	n := h.sizeBits + h.indexBits
	at = 2 + (n+7)/8
	if h.sizeBits <= 0 || n > 32 || len(payload) < at || int(binary.BigEndian.Uint16(payload)) != n {
		return 0, 0, false
	}
	return int(h.word(payload) >> (32 - h.sizeBits)), at, true
}

// setSize writes the size into the header that locate found.
func (h auHeaders) setSize(payload []byte, size int) {
	n := (h.sizeBits + h.indexBits + 7) / 8
	keep := ^uint32(0) >> h.sizeBits
	word := h.word(payload)&keep | uint32(size)<<(32-h.sizeBits)
	for i := range n {
		payload[2+i] = byte(word >> (24 - 8*i))
	}
}

// word is the header, left-aligned.
func (h auHeaders) word(payload []byte) (word uint32) {
	for i := range (h.sizeBits + h.indexBits + 7) / 8 {
		word |= uint32(payload[2+i]) << (24 - 8*i)
	}
	return word
}

// aacJoiner puts access units together that came in several packets, each of
// which tells the size of the whole, as RFC 3640 §3.2.3 has it; gortsplib takes
// that for the size of the fragment.
type aacJoiner struct {
	headers auHeaders
	decode  func(*rtp.Packet) ([][]byte, error)

	joined []byte // headers and what came so far; empty: nothing is open
	size   int    // of joined when it is whole
	time   uint32
	next   uint16
}

var errFragments = errors.New("parts of an access unit do not make the whole")

// feed takes the next packet; what a lost one left open is forgotten.
func (j *aacJoiner) feed(p *rtp.Packet) ([][]byte, error) {
	size, at, ok := j.headers.locate(p.Payload)
	goesOn := len(j.joined) > 0 && ok && p.SequenceNumber == j.next && p.Timestamp == j.time && at+size == j.size
	if !goesOn {
		j.joined = j.joined[:0]
		if !ok || at+size <= len(p.Payload) || size > mpeg4audio.MaxAccessUnitSize {
			return j.decode(p)
		}
		j.joined = append(j.joined, p.Payload[:at]...)
		j.size, j.time = at+size, p.Timestamp
	}
	j.joined = append(j.joined, p.Payload[at:]...)
	j.next = p.SequenceNumber + 1
	switch {
	case len(j.joined) == j.size:
		whole := *p
		whole.Marker, whole.Payload = true, append([]byte(nil), j.joined...)
		j.joined = j.joined[:0]
		return j.decode(&whole)
	case p.Marker || len(j.joined) > j.size:
		j.joined = j.joined[:0]
		return nil, errFragments
	}
	return nil, rtpmpeg4audio.ErrMorePacketsNeeded
}

// wholeSizes makes of gortsplib's fragments those of RFC 3640: each tells the
// size of the whole access unit, without which FFmpeg and GStreamer take them
// for broken ones.
func (h auHeaders) wholeSizes(packets []*rtp.Packet) {
	if len(packets) < 2 {
		return
	}
	total := 0
	for _, p := range packets {
		size, _, ok := h.locate(p.Payload)
		if !ok {
			return
		}
		total += size
	}
	if total>>h.sizeBits != 0 {
		return // no header can say that
	}
	for _, p := range packets {
		h.setSize(p.Payload, total)
	}
}

// openLATM takes AAC in LATM whose configuration stands in the SDP.
func (r *receiver) openLATM(f *format.MPEG4AudioLATM) error {
	if f.CPresent || f.StreamMuxConfig == nil {
		return errors.New("configuration in band")
	}
	smc := f.StreamMuxConfig
	if len(smc.Programs) != 1 || len(smc.Programs[0].Layers) != 1 {
		return errors.New("several programs or layers")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	config := smc.Programs[0].Layers[0].AudioSpecificConfig
	if r.track, err = codec.AAC(config); err != nil {
		return err
	}
	r.decode = &frames{
		r: r, samples: constant(codec.AACFrame(config)),
		decode: func(p *rtp.Packet) ([][]byte, error) {
			b, err := d.Decode(p)
			if err != nil {
				return nil, err
			}
			return latmFrames(b, int(smc.NumSubFrames)+1)
		},
	}
	return nil
}

// latmFrames takes n AAC frames out of an audioMuxElement of one program with
// one layer (ISO/IEC 14496-3 §1.7.3): before each stands its length. The
// configuration's frameLengthType is not looked at: GStreamer ends its
// StreamMuxConfig where the AudioSpecificConfig ends, so that what comes there
// is chance; a length is sent by everybody.
func latmFrames(b []byte, n int) ([][]byte, error) {
	list := make([][]byte, 0, n)
	for range n {
		size := 0
		for {
			if len(b) == 0 {
				return nil, fmt.Errorf("LATM: %d frames, %d expected", len(list), n)
			}
			more := b[0]
			size, b = size+int(more), b[1:]
			if more != 255 {
				break
			}
		}
		if size > len(b) {
			return nil, fmt.Errorf("LATM: a frame of %d bytes in %d", size, len(b))
		}
		if size > 0 {
			list = append(list, b[:size:size])
		}
		b = b[size:]
	}
	return list, nil
}
