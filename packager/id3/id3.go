// Package id3 writes the ID3v2.4 tags of timed metadata (Apple, Timed Metadata
// for HTTP Live Streaming; https://id3.org/id3v2.4.0-structure), and reads
// those back.
package id3

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Frame is one frame of a tag.
type Frame struct {
	ID   string // TXXX, PRIV
	Body []byte
}

// The frames that are written here.
const (
	userText = "TXXX"
	private  = "PRIV"
)

const (
	headerSize = 10
	utf8       = 3
)

// ErrBroken says that bytes are no ID3v2.4 tag.
var ErrBroken = errors.New("broken ID3 tag")

// Text is a named text. Neither may hold a zero.
func Text(name, value string) (Frame, error) {
	if strings.ContainsRune(name, 0) || strings.ContainsRune(value, 0) {
		return Frame{}, fmt.Errorf("text %q holds a zero byte", name)
	}
	body := append([]byte{utf8}, name...)
	body = append(append(body, 0), value...)
	return Frame{ID: userText, Body: append(body, 0)}, nil
}

// Private is data that only its owner, an e-mail address or URL, understands.
func Private(owner string, data []byte) (Frame, error) {
	if owner == "" || strings.ContainsFunc(owner, func(r rune) bool { return r == 0 || r > 0xff }) {
		return Frame{}, fmt.Errorf("owner %q of private data is not plain text", owner)
	}
	var body []byte
	for _, r := range owner {
		body = append(body, byte(r)) // ISO 8859-1
	}
	return Frame{ID: private, Body: append(append(body, 0), data...)}, nil
}

// Tag is a tag with these frames.
func Tag(frames ...Frame) []byte {
	size := 0
	for _, f := range frames {
		size += headerSize + len(f.Body)
	}
	b := append(make([]byte, 0, headerSize+size), 'I', 'D', '3', 4, 0, 0)
	b = appendSize(b, size)
	for _, f := range frames {
		b = appendSize(append(b, f.ID...), len(f.Body))
		b = append(append(b, 0, 0), f.Body...)
	}
	return b
}

// appendSize writes a size in four times seven bits.
func appendSize(b []byte, n int) []byte {
	return append(b, byte(n>>21&0x7f), byte(n>>14&0x7f), byte(n>>7&0x7f), byte(n&0x7f))
}

// Read returns the frames of a tag of version 2.4 without its extensions, as
// Tag writes it. They point into b.
func Read(b []byte) ([]Frame, error) {
	if len(b) < headerSize || !bytes.HasPrefix(b, []byte("ID3\x04")) || b[5] != 0 {
		return nil, fmt.Errorf("%w: no plain ID3v2.4 header", ErrBroken)
	}
	size, err := readSize(b[6:])
	if err != nil || size != len(b)-headerSize {
		return nil, fmt.Errorf("%w: a size of %d in %d bytes", ErrBroken, size, len(b))
	}
	var frames []Frame
	for b = b[headerSize:]; len(b) > 0; {
		if len(b) < headerSize {
			return nil, fmt.Errorf("%w: %d bytes behind the last frame", ErrBroken, len(b))
		}
		n, err := readSize(b[4:])
		if err != nil || n > len(b)-headerSize {
			return nil, fmt.Errorf("%w: a frame of %d bytes in %d", ErrBroken, n, len(b)-headerSize)
		}
		frames = append(frames, Frame{ID: string(b[:4]), Body: b[headerSize : headerSize+n]})
		b = b[headerSize+n:]
	}
	return frames, nil
}

func readSize(b []byte) (int, error) {
	if (b[0]|b[1]|b[2]|b[3])&0x80 != 0 {
		return 0, ErrBroken
	}
	return int(b[0])<<21 | int(b[1])<<14 | int(b[2])<<7 | int(b[3]), nil
}

// Text returns the name and value of a TXXX frame in UTF-8; false for any
// other.
func (f Frame) Text() (name, value string, ok bool) {
	if f.ID != userText || len(f.Body) == 0 || f.Body[0] != utf8 {
		return "", "", false
	}
	n, v, ok := bytes.Cut(f.Body[1:], []byte{0})
	v, _, _ = bytes.Cut(v, []byte{0})
	return string(n), string(v), ok
}
