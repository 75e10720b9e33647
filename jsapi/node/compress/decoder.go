package compress

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"

	"github.com/millrace/millrace/jsapi/loop"
)

// errHungry says that a decoder has used what it was fed.
var errHungry = errors.New("more input is needed")

// decoder decompresses. The libraries read, so a goroutine reads for it while
// next waits; it ends at the end of the data, by close, and with the loop.
type decoder struct {
	kind  string
	ctx   context.Context
	stop  context.CancelFunc
	start sync.Once

	input  chan []byte // what is fed; closed after the last
	rest   []byte
	out    chan result
	resume chan struct{}
}

type result struct {
	b   []byte
	err error
}

func newDecoder(ctx context.Context, kind string) *decoder {
	ctx, stop := context.WithCancel(ctx)
	return &decoder{
		kind: kind, ctx: ctx, stop: stop,
		input: make(chan []byte, 1), out: make(chan result), resume: make(chan struct{}),
	}
}

func (d *decoder) close() { d.stop() }

// feed gives input; it is called when next has said errHungry, or first.
func (d *decoder) feed(b []byte, last bool) {
	if len(b) > 0 {
		d.input <- b // has room: one piece is fed at a time
	}
	if last {
		close(d.input)
	}
}

// next is the next piece of output.
func (d *decoder) next() ([]byte, error) {
	started := false
	d.start.Do(func() {
		started = true
		go d.run()
	})
	if !started {
		select {
		case d.resume <- struct{}{}:
		case <-d.ctx.Done():
			return nil, context.Cause(d.ctx)
		}
	}
	select {
	case r := <-d.out:
		return r.b, r.err
	case <-d.ctx.Done():
		return nil, context.Cause(d.ctx)
	}
}

// tell hands over a result and waits until the next one is wanted.
func (d *decoder) tell(b []byte, err error) bool {
	select {
	case d.out <- result{b, err}:
	case <-d.ctx.Done():
		return false
	}
	select {
	case <-d.resume:
		return true
	case <-d.ctx.Done():
		return false
	}
}

// Read is the input of the library's reader.
func (d *decoder) Read(b []byte) (int, error) {
	for len(d.rest) == 0 {
		select {
		case in, ok := <-d.input:
			if !ok {
				return 0, io.EOF
			}
			d.rest = in
			continue
		default:
		}
		if d.ctx.Err() != nil || !d.tell(nil, errHungry) {
			return 0, context.Cause(d.ctx)
		}
	}
	n := copy(b, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

const piece = 64 << 10

func (d *decoder) run() {
	in := bufio.NewReader(d)
	reader, err := d.open(in)
	if err != nil {
		d.finish(err)
		return
	}
	for {
		b := make([]byte, piece)
		n, err := io.ReadAtLeast(reader, b, 1)
		if n > 0 && !d.tell(b[:n:n], nil) {
			return
		}
		if err != nil {
			d.finish(err)
			return
		}
	}
}

// finish tells the end, for as often as it is asked.
func (d *decoder) finish(err error) {
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = wording(err)
	}
	for d.tell(nil, err) {
		continue
	}
}

func (d *decoder) open(in *bufio.Reader) (io.Reader, error) {
	kind := d.kind
	if kind == kindUnzip {
		head, err := in.Peek(2)
		switch {
		case len(head) == 0:
			return nil, err
		case len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b:
			kind = kindGzip
		default:
			kind = kindDeflate
		}
	}
	switch kind {
	case kindGzip:
		return openGzip(in)
	case kindDeflate:
		r, err := zlib.NewReader(in)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return r, err
	case kindRaw:
		return flate.NewReader(in), nil
	case kindBrotli:
		return brotli.NewReader(in), nil
	}
	return nil, fmt.Errorf("compression %q is not known", d.kind)
}

// members reads gzip's members one after another and ignores what follows
// them, as zlib does.
type members struct {
	in   *bufio.Reader
	gzip *gzip.Reader
}

func openGzip(in *bufio.Reader) (io.Reader, error) {
	r, err := gzip.NewReader(in)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	return &members{in, r}, nil
}

func (m *members) Read(b []byte) (int, error) {
	for {
		n, err := m.gzip.Read(b)
		if n > 0 || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		head, _ := m.in.Peek(2)
		if len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
			return 0, io.EOF
		}
		if err := m.gzip.Reset(m.in); err != nil {
			return 0, err
		}
		m.gzip.Multistream(false)
	}
}

// wording is an error in zlib's words.
func wording(err error) error {
	e := &loop.Error{Code: "Z_DATA_ERROR", Message: "invalid data: " + err.Error(), Fields: map[string]any{"errno": -3}, Cause: err}
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Code, e.Message, e.Fields["errno"] = "Z_BUF_ERROR", "unexpected end of file", -5
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zlib.ErrHeader):
		e.Message = "incorrect header check"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrChecksum):
		e.Message = "incorrect data check"
	case errors.Is(err, zlib.ErrDictionary):
		e.Code, e.Message, e.Fields["errno"] = "Z_NEED_DICT", "Missing dictionary", 2
	case errors.As(err, &corrupt):
		e.Message = "invalid stored block lengths"
	case errors.Is(err, context.Canceled):
		return err
	}
	return e
}
