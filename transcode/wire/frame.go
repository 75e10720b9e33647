package wire

import (
	"encoding/binary"
	"fmt"
)

// Sizes. A body over its limit is refused before it is read.
const (
	preambleSize = 8
	headerSize   = 5

	// MaxPayload is the largest access unit that is carried.
	MaxPayload = 32 << 20
	maxControl = 1 << 20
	maxSmall   = 64 << 10
	maxScript  = maxSmall + MaxMessage
)

var magic = [4]byte{'M', 'R', 'W', 'P'}

func preamble() []byte {
	b := make([]byte, preambleSize)
	copy(b, magic[:])
	binary.BigEndian.PutUint16(b[4:], Version)
	return b
}

func checkPreamble(b []byte) error {
	if [4]byte(b[:4]) != magic {
		return fmt.Errorf("preamble % x is not this protocol's", b)
	}
	if v := binary.BigEndian.Uint16(b[4:]); v != Version {
		return fmt.Errorf("protocol version %d, this is version %d", v, Version)
	}
	if b[6] != 0 || b[7] != 0 {
		return fmt.Errorf("preamble % x is not this protocol's", b)
	}
	return nil
}

// Direction says who sends the frames that a Reader reads.
type Direction uint8

// The directions.
const (
	FromParent Direction = iota
	FromWorker
	FromLifeline
)

// known makes an empty message of type t, or nil where direction d does not
// have it, and tells the limit of its body.
func known(d Direction, t Type) (Message, int) {
	switch d {
	case FromLifeline:
		if t == TypeConfig {
			return new(Config), maxSmall
		}
	case FromParent:
		switch t {
		case TypeJob:
			return new(Job), maxControl
		case TypeTune:
			return new(Tune), maxSmall
		case TypeCut:
			return new(Cut), maxSmall
		case TypeTrack:
			return new(Track), maxControl
		case TypePacket:
			return new(Packet), packetHeaderSize + MaxPayload
		case TypeDrain:
			return new(Drain), maxSmall
		case TypeBye:
			return new(Bye), maxSmall
		case TypeOpen:
			return new(Open), maxSmall
		case TypeProbe:
			return new(Probe), maxSmall
		case TypeThumbnail:
			return new(Thumbnail), maxControl + MaxPayload
		case TypeScriptJob:
			return new(ScriptJob), maxControl
		case TypePresence:
			return new(Presence), maxSmall
		case TypeHandover:
			return new(Handover), maxSmall
		case TypeScript:
			return new(Script), maxScript
		case TypeSenderClock:
			return new(SenderClock), maxSmall
		}
	case FromWorker:
		switch t {
		case TypeHello:
			return new(Hello), maxSmall
		case TypeTrack:
			return new(Track), maxControl
		case TypePacket:
			return new(Packet), packetHeaderSize + MaxPayload
		case TypeStats:
			return new(Stats), maxControl
		case TypeLog:
			return new(Log), maxSmall
		case TypeDrained:
			return new(Drained), maxSmall
		case TypeBye:
			return new(Bye), maxSmall
		case TypeError:
			return new(Error), maxSmall
		case TypeOpened:
			return new(Opened), maxControl
		case TypeProbed:
			return new(Probed), maxControl
		case TypeImage:
			return new(Image), maxControl + MaxPayload
		case TypeCut:
			return new(Cut), maxSmall
		case TypeRenditions:
			return new(Renditions), maxControl
		case TypeSuspended:
			return new(Suspended), maxSmall
		case TypeHanded:
			return new(Handed), maxSmall
		case TypeFiles:
			return new(Files), maxControl
		case TypeGivenUp:
			return new(GivenUp), maxSmall
		case TypeScript:
			return new(Script), maxScript
		}
	}
	return nil, 0
}
