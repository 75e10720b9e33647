package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A packet's body is this header and the payload:
//
//	 0  stream         32
//	 4  revision       32
//	 8  epoch          32
//	12  flags          32   bit 0: key; the others are zero
//	16  PTS            64   signed
//	24  DTS            64   signed
//	32  duration       64   signed
//	40  arrival        64   ns, signed
//	48  segment        64
//	56  discontinuity  64
const packetHeaderSize = 64

const flagKey = 1

func appendPacketHeader(b []byte, p *Packet) []byte {
	var flags uint32
	if p.Key {
		flags |= flagKey
	}
	b = binary.BigEndian.AppendUint32(b, uint32(p.Stream))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Revision))
	b = binary.BigEndian.AppendUint32(b, p.Epoch)
	b = binary.BigEndian.AppendUint32(b, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(p.PTS))
	b = binary.BigEndian.AppendUint64(b, uint64(p.DTS))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Duration))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Arrival))
	b = binary.BigEndian.AppendUint64(b, p.Segment)
	return binary.BigEndian.AppendUint64(b, p.Discontinuity)
}

// parsePacketHeader fills in p but for its payload.
func parsePacketHeader(b []byte, p *Packet) error {
	stream, revision := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if stream > 1<<31-1 || revision > 1<<31-1 {
		return fmt.Errorf("packet of stream %d, revision %d", stream, revision)
	}
	p.Stream, p.Revision = int(stream), int(revision)
	p.Epoch = binary.BigEndian.Uint32(b[8:])
	flags := binary.BigEndian.Uint32(b[12:])
	if flags&^flagKey != 0 {
		return fmt.Errorf("packet with flags %#x", flags)
	}
	p.Key = flags&flagKey != 0
	p.PTS = int64(binary.BigEndian.Uint64(b[16:]))
	p.DTS = int64(binary.BigEndian.Uint64(b[24:]))
	p.Duration = int64(binary.BigEndian.Uint64(b[32:]))
	p.Arrival = time.Duration(binary.BigEndian.Uint64(b[40:]))
	p.Segment = binary.BigEndian.Uint64(b[48:])
	p.Discontinuity = binary.BigEndian.Uint64(b[56:])
	if p.PTS < 0 || p.DTS < 0 || p.Duration < 0 || p.Arrival < 0 {
		return errors.New("packet with a negative time")
	}
	return nil
}
