package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// Bounds of frames.
const (
	// MaxMessage is the largest Message between app and pipeline, blobs
	// included.
	MaxMessage = 1 << 20

	maxFromApp    = 4 << 20
	maxFromServer = 64 << 20 // a list of thousands of streams
	maxBlobs      = 256
	maxInputs     = 10_000
	headerSize    = 9
)

// FromApp tells whether a frame type is one that the app sends.
func (t Type) FromApp() bool { return t >= TypeHello && t <= TypeFailed || t == TypeMessage }

// FromServer tells whether a frame type is one that the server sends.
func (t Type) FromServer() bool { return t >= TypeStart && t <= TypeBye }

func empty(t Type) Frame {
	switch t {
	case TypeStart:
		return new(Start)
	case TypeCall:
		return new(Call)
	case TypeEvent:
		return new(Event)
	case TypeReply:
		return new(Reply)
	case TypeMessage:
		return new(Message)
	case TypePing:
		return new(Ping)
	case TypeBye:
		return new(Bye)
	case TypeHello:
		return new(Hello)
	case TypeReady:
		return new(Ready)
	case TypeHooks:
		return new(Hooks)
	case TypeAnswer:
		return new(Answer)
	case TypeRequest:
		return new(Request)
	case TypePong:
		return new(Pong)
	case TypeLog:
		return new(Log)
	case TypeFailed:
		return new(Failed)
	}
	return nil
}

// Reader reads frames and trusts none of them. After an error it is of no more
// use. One goroutine may use it.
type Reader struct {
	r     *bufio.Reader
	known func(Type) bool
	most  int
	head  [headerSize]byte
}

// NewServerReader reads what the app sends.
func NewServerReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReader(r), known: Type.FromApp, most: maxFromApp}
}

// NewAppReader reads what the server sends.
func NewAppReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReader(r), known: Type.FromServer, most: maxFromServer}
}

// Read returns the next frame; io.EOF where the other side closed between two.
func (r *Reader) Read() (Frame, error) {
	if _, err := io.ReadFull(r.r, r.head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read frame: %w", err)
	}
	size := int64(binary.BigEndian.Uint32(r.head[:]))
	t := Type(r.head[4])
	text := int64(binary.BigEndian.Uint32(r.head[5:]))
	f := empty(t)
	if f == nil || !r.known(t) {
		return nil, fmt.Errorf("frame of unknown type %d", t)
	}
	size -= headerSize - 4
	if size < 0 || size > int64(r.most) || text > size || t != TypeMessage && text != size {
		return nil, fmt.Errorf("frame %d of %d bytes, %d of text; at most %d are read", t, size, text, r.most)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r.r, body); err != nil {
		return nil, fmt.Errorf("read frame %d: %w", t, unexpected(err))
	}
	if err := json.Unmarshal(body[:text], f); err != nil {
		return nil, fmt.Errorf("decode frame %d: %w", t, err)
	}
	if m, ok := f.(*Message); ok {
		m.Body = body[text:]
	}
	if v, ok := f.(interface{ check() error }); ok {
		if err := v.check(); err != nil {
			return nil, fmt.Errorf("frame %d: %w", t, err)
		}
	}
	return f, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Writer writes frames. One goroutine may use it at a time.
type Writer struct{ w io.Writer }

// NewWriter returns a Writer.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write sends a frame. A failed Write leaves the stream broken, unless nothing
// was sent: then the error wraps ErrFrame.
func (w *Writer) Write(f Frame) error {
	if v, ok := f.(interface{ check() error }); ok {
		if err := v.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrFrame, err)
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFrame, err)
	}
	var raw []byte
	if m, ok := f.(*Message); ok {
		raw = m.Body
	}
	most := maxFromServer
	if !f.Type().FromServer() {
		most = maxFromApp
	}
	if len(text)+len(raw) > most {
		return fmt.Errorf("%w: frame %d of %d bytes, at most %d are carried", ErrFrame, f.Type(), len(text)+len(raw), most)
	}
	head := make([]byte, headerSize, headerSize+len(text))
	binary.BigEndian.PutUint32(head, uint32(headerSize-4+len(text)+len(raw)))
	head[4] = byte(f.Type())
	binary.BigEndian.PutUint32(head[5:], uint32(len(text)))
	vector := net.Buffers{append(head, text...)}
	if len(raw) > 0 {
		vector = append(vector, raw)
	}
	if _, err := vector.WriteTo(w.w); err != nil {
		return fmt.Errorf("write frame %d: %w", f.Type(), err)
	}
	return nil
}

// ErrFrame is wrapped where a frame cannot be sent at all.
var ErrFrame = errors.New("cannot be sent")

func (m *Message) check() error {
	total := 0
	for _, n := range m.Sizes {
		if n < 0 || n > MaxMessage {
			return fmt.Errorf("a part of %d bytes", n)
		}
		total += n
	}
	switch {
	case len(m.Sizes) == 0 || len(m.Sizes) > maxBlobs+1:
		return fmt.Errorf("a message of %d parts, at most %d are carried", len(m.Sizes), maxBlobs+1)
	case total > MaxMessage:
		return fmt.Errorf("a message of %d bytes, at most %d are carried", total, MaxMessage)
	case total != len(m.Body):
		return fmt.Errorf("a message of %d bytes whose parts have %d", len(m.Body), total)
	case m.Topic == "" || len(m.Topic) > 256:
		return fmt.Errorf("a topic of %d bytes, 1 to 256 can be had", len(m.Topic))
	}
	return nil
}

func (r *Ready) check() error {
	if len(r.Inputs) > maxInputs {
		return fmt.Errorf("%d files", len(r.Inputs))
	}
	return nil
}
