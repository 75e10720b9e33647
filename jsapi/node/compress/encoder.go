package compress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/andybalholm/brotli"

	"github.com/millrace/millrace/jsapi/loop"
)

// compressor is what the libraries' writers have in common.
type compressor interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// encoder compresses what it is given into out.
type encoder struct {
	out    bytes.Buffer
	writer compressor
}

// The kinds of codecs, as node:zlib names its classes.
const (
	kindGzip    = "gzip"
	kindDeflate = "deflate"
	kindRaw     = "deflateRaw"
	kindBrotli  = "brotli"
	kindUnzip   = "unzip"
)

// newEncoder takes a level of 0 to 9, -1 for the default; brotli's goes to 11.
func newEncoder(kind string, level int) (e *encoder, err error) {
	e = &encoder{}
	switch kind {
	case kindGzip:
		var w *gzip.Writer
		if w, err = gzip.NewWriterLevel(&e.out, level); err == nil {
			w.OS = 3 // as zlib says it on this system
		}
		e.writer = w
	case kindDeflate:
		e.writer, err = zlib.NewWriterLevel(&e.out, level)
	case kindRaw:
		e.writer, err = flate.NewWriter(&e.out, level)
	case kindBrotli:
		e.writer = brotli.NewWriterLevel(&e.out, level)
	default:
		err = fmt.Errorf("compression %q is not known", kind)
	}
	return e, err
}

// write compresses in and gives what came out so far.
func (e *encoder) write(in []byte, flush int64) ([]byte, error) {
	if _, err := e.writer.Write(in); err != nil {
		return nil, failed(err)
	}
	var err error
	switch flush {
	case 1:
		err = e.writer.Flush()
	case 2:
		err = e.writer.Close()
	}
	out := append([]byte{}, e.out.Bytes()...)
	e.out.Reset()
	return out, failed(err)
}

func (e *encoder) reset() {
	e.out.Reset()
	e.writer.Reset(&e.out)
}

func crc(b []byte, start uint32) int64 { return int64(crc32.Update(start, crc32.IEEETable, b)) }

// failed words an error as zlib does.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &loop.Error{Code: "Z_DATA_ERROR", Message: err.Error(), Fields: map[string]any{"errno": -3}, Cause: err}
}
