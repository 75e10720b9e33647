package fmp4

import (
	"bytes"
	"fmt"
)

// SchemeID3 names timed metadata that is an ID3v2 tag (AOM, Carriage of ID3
// Timed Metadata in CMAF).
const SchemeID3 = "https://aomedia.org/emsg/ID3"

// noDuration says in an emsg that it is not known how long the event lasts
// (ISO/IEC 23009-1 §5.10.3.3).
const noDuration = 1<<32 - 1

// Event is an emsg box of version 1, whose length is not known.
type Event struct {
	Scheme, Value string
	Timescale     uint32
	Time          uint64 // when it is shown, in ticks of Timescale on the track's timeline
	ID            uint32 // two boxes of a scheme and value with one ID are one event
	Message       []byte
}

// AppendEvent appends an event to b. It stands before the moof of its samples.
func AppendEvent(b []byte, e Event) []byte {
	w := writer{b: b}
	w.box("emsg", func() {
		w.u32(1 << 24)
		w.u32(e.Timescale)
		w.u64(e.Time)
		w.u32(noDuration)
		w.u32(e.ID)
		w.str(e.Scheme)
		w.u8(0)
		w.str(e.Value)
		w.u8(0)
		w.bytes(e.Message)
	})
	return w.b
}

// ReadEvents reads the events of a segment or part, with messages that point
// into b. Those of other versions are skipped.
func ReadEvents(b []byte) ([]Event, error) {
	var out []Event
	err := each(b, func(name string, body []byte) error {
		if name != "emsg" || len(body) > 0 && body[0] != 1 {
			return nil
		}
		const fixed = 4 + 4 + 8 + 4 + 4
		if len(body) < fixed {
			return fmt.Errorf("%w: short emsg", ErrBroken)
		}
		e := Event{Timescale: be.Uint32(body[4:]), Time: be.Uint64(body[8:]), ID: be.Uint32(body[20:])}
		scheme, rest, ok := bytes.Cut(body[fixed:], []byte{0})
		value, message, terminated := bytes.Cut(rest, []byte{0})
		if !ok || !terminated {
			return fmt.Errorf("%w: emsg without the end of its scheme or value", ErrBroken)
		}
		e.Scheme, e.Value, e.Message = string(scheme), string(value), message
		out = append(out, e)
		return nil
	})
	return out, err
}
