package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

// Writer writes frames. It does not buffer: a frame is on its way when Write
// returns, a packet's payload without having been copied (writev on a socket).
// One goroutine may use it at a time.
type Writer struct {
	w       io.Writer
	started bool
	head    []byte
	vector  [3][]byte
}

// NewWriter returns a Writer whose first Write sends the preamble too.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write sends m. A failed Write leaves the stream broken.
func (w *Writer) Write(m Message) error {
	var payload []byte
	head := append(w.head[:0], make([]byte, headerSize)...)
	switch m := m.(type) {
	case *Packet:
		if m.Stream < 0 || m.Revision < 0 || m.Stream > 1<<31-1 || m.Revision > 1<<31-1 {
			return fmt.Errorf("packet of stream %d, revision %d", m.Stream, m.Revision)
		}
		head, payload = appendPacketHeader(head, m), m.Payload
	case *Thumbnail:
		payload = m.Payload
	case *Image:
		payload = m.JPEG
	case *Script:
		if err := m.Check(); err != nil {
			return err
		}
		payload = m.Body
	}
	if len(payload) > MaxPayload {
		return fmt.Errorf("payload of %d bytes, at most %d are carried", len(payload), MaxPayload)
	}
	if m.Type() != TypePacket {
		text, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode message %d: %w", m.Type(), err)
		}
		if len(text) > maxControl {
			return fmt.Errorf("message %d of %d bytes, at most %d are carried", m.Type(), len(text), maxControl)
		}
		if hasPayload(m.Type()) {
			head = binary.BigEndian.AppendUint32(head, uint32(len(text)))
		}
		head = append(head, text...)
	}
	binary.BigEndian.PutUint32(head, uint32(len(head)-headerSize+len(payload)))
	head[4] = byte(m.Type())
	w.head = head

	vector := net.Buffers(w.vector[:0])
	if !w.started {
		vector = append(vector, preamble())
		w.started = true
	}
	vector = append(vector, head)
	if len(payload) > 0 {
		vector = append(vector, payload)
	}
	if _, err := vector.WriteTo(w.w); err != nil {
		return fmt.Errorf("write message %d: %w", m.Type(), err)
	}
	return nil
}

// hasPayload reports whether the body is a 32-bit length, that many bytes of
// JSON, and then raw bytes.
func hasPayload(t Type) bool { return t == TypeThumbnail || t == TypeImage || t == TypeScript }
