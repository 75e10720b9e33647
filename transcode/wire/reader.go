package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/millrace/millrace/internal/media"
)

// Padding is how many zero bytes a Reader made by NewPaddedReader leaves in
// the capacity of every payload: libav's bitstream readers look that far past
// the end.
const Padding = 64

// Reader reads frames and trusts none of them. After an error it is of no more
// use. One goroutine may use it.
type Reader struct {
	r         *bufio.Reader
	direction Direction
	padding   int
	started   bool
	head      [packetHeaderSize]byte
}

// NewReader returns a Reader of what direction sends.
func NewReader(r io.Reader, direction Direction) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 32<<10), direction: direction}
}

// NewPaddedReader is NewReader for payloads that libav will read in place:
// payload[:len(payload)+Padding] is valid and its tail is zero.
func NewPaddedReader(r io.Reader, direction Direction) *Reader {
	rd := NewReader(r, direction)
	rd.padding = Padding
	return rd
}

// Read returns the next message. It returns io.EOF where the other side closed
// between two frames. Payloads are the caller's to keep: each has memory of
// its own, of its own size.
func (r *Reader) Read() (Message, error) {
	if !r.started {
		if _, err := io.ReadFull(r.r, r.head[:preambleSize]); err != nil {
			return nil, ended(err)
		}
		if err := checkPreamble(r.head[:preambleSize]); err != nil {
			return nil, err
		}
		r.started = true
	}
	if _, err := io.ReadFull(r.r, r.head[:headerSize]); err != nil {
		return nil, ended(err)
	}
	size, t := int(binary.BigEndian.Uint32(r.head[:])), Type(r.head[4])
	m, limit := known(r.direction, t)
	if m == nil {
		return nil, fmt.Errorf("message of unknown type %d", t)
	}
	if size > limit {
		return nil, fmt.Errorf("message %d of %d bytes, at most %d are read", t, size, limit)
	}
	if err := r.body(m, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read message %d: %w", t, err)
	}
	return m, nil
}

// ended keeps io.EOF bare, so that callers may compare it.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read frame: %w", err)
}

func (r *Reader) body(m Message, size int) error {
	switch m := m.(type) {
	case *Packet:
		return r.packet(m, size)
	case *Thumbnail:
		payload, err := r.textAndPayload(m, size)
		if err != nil {
			return err
		}
		m.Payload = payload
		return validateTrack(&m.Track)
	case *Image:
		payload, err := r.textAndPayload(m, size)
		m.JPEG = payload
		return err
	case *Script:
		payload, err := r.textAndPayload(m, size)
		if err != nil {
			return err
		}
		m.Body = payload
		return m.Check()
	}
	if err := r.text(m, size); err != nil {
		return err
	}
	return validate(m)
}

func (r *Reader) packet(p *Packet, size int) error {
	if size < packetHeaderSize {
		return fmt.Errorf("packet of %d bytes", size)
	}
	if _, err := io.ReadFull(r.r, r.head[:packetHeaderSize]); err != nil {
		return err
	}
	p.Packet = new(media.Packet)
	if err := parsePacketHeader(r.head[:packetHeaderSize], p); err != nil {
		return err
	}
	var err error
	p.Payload, err = r.payload(size - packetHeaderSize)
	return err
}

func (r *Reader) textAndPayload(m Message, size int) ([]byte, error) {
	if size < 4 {
		return nil, fmt.Errorf("message of %d bytes", size)
	}
	if _, err := io.ReadFull(r.r, r.head[:4]); err != nil {
		return nil, err
	}
	text := int(binary.BigEndian.Uint32(r.head[:4]))
	if text > maxControl || text > size-4 || size-4-text > MaxPayload {
		return nil, fmt.Errorf("message of %d bytes with %d of text", size, text)
	}
	if err := r.text(m, text); err != nil {
		return nil, err
	}
	return r.payload(size - 4 - text)
}

func (r *Reader) text(m Message, size int) error {
	text := make([]byte, size)
	if _, err := io.ReadFull(r.r, text); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode: more than one value")
	}
	return nil
}

func (r *Reader) payload(size int) ([]byte, error) {
	b := make([]byte, size+r.padding)
	if _, err := io.ReadFull(r.r, b[:size]); err != nil {
		return nil, err
	}
	return b[:size], nil
}
