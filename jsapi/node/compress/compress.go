// Package compress is the natives behind node:zlib.
//
// A codec is a coroutine of sorts: it is fed a piece of input, gives output
// piece by piece while the stream on top has room, and says when it wants more.
// Each step is work on a goroutine of its own, so that the loop goes on.
package compress

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// Module is the name of the natives.
const Module = "internal:zlib"

// Provide gives a loop the natives of node:zlib.
func Provide(l *loop.Loop) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		// encoder(kind, level, quality): write(bytes, flush, callback(error, out)).
		o.Func("encoder", func(a native.Args) (any, error) {
			e, err := newEncoder(a.String(0), int(a.Int(1)))
			if err != nil {
				return nil, err
			}
			return encoderHandle(l, e), nil
		})
		// decoder(kind): feed(bytes, last), next(callback(error, out)), close().
		o.Func("decoder", func(a native.Args) (any, error) { return decoderHandle(l, newDecoder(l.Context(), a.String(0))), nil })
		// all(encode, kind, level, bytes, limit, callback) and allSync: everything
		// at once.
		whole := func(a native.Args) func() (any, error) {
			encode, kind, level, in, limit := a.Bool(0), a.String(1), int(a.Int(2)), a.Copy(3), a.Int(4)
			return func() (any, error) {
				if encode {
					return encodeAll(kind, level, in)
				}
				return decodeAll(l.Context(), kind, in, limit)
			}
		}
		o.Func("all", func(a native.Args) (any, error) {
			work := whole(a)
			a.Later(5, func(context.Context) (any, error) { return work() })
			return nil, nil
		})
		o.Func("allSync", func(a native.Args) (any, error) { return whole(a)() })
		o.Func("crc32", func(a native.Args) (any, error) { return crc(a.Bytes(0), uint32(a.Int(1))), nil })
		return o.Object
	})
}

func encoderHandle(l *loop.Loop, e *encoder) native.Object {
	o := native.New(l)
	// write(bytes, flush, callback): flush is 0 for none, 1 for a point to read
	// up to, 2 for the end.
	o.Func("write", func(a native.Args) (any, error) {
		in, flush := a.Copy(0), a.Int(1)
		a.Later(2, func(context.Context) (any, error) { return e.write(in, flush) })
		return nil, nil
	})
	o.Func("reset", func(native.Args) (any, error) { e.reset(); return nil, nil })
	return o
}

func decoderHandle(l *loop.Loop, d *decoder) native.Object {
	o := native.New(l)
	o.Func("feed", func(a native.Args) (any, error) {
		d.feed(a.Copy(0), a.Bool(1))
		return nil, nil
	})
	// next(callback(error, out)): null where the codec wants input, undefined at
	// the end of the data.
	o.Func("next", func(a native.Args) (any, error) {
		a.Later(0, func(context.Context) (any, error) {
			out, err := d.next()
			switch {
			case errors.Is(err, errHungry):
				return goja.Null(), nil
			case errors.Is(err, io.EOF):
				return nil, nil
			}
			return out, err
		})
		return nil, nil
	})
	o.Func("close", func(native.Args) (any, error) { d.close(); return nil, nil })
	return o
}

// encodeAll is in, compressed.
func encodeAll(kind string, level int, in []byte) ([]byte, error) {
	e, err := newEncoder(kind, level)
	if err != nil {
		return nil, err
	}
	return e.write(in, 2)
}

// decodeAll is in, decompressed, limit bytes at most.
func decodeAll(ctx context.Context, kind string, in []byte, limit int64) ([]byte, error) {
	d := newDecoder(ctx, kind)
	defer d.close()
	d.feed(in, true)
	var out bytes.Buffer
	for {
		b, err := d.next()
		if errors.Is(err, io.EOF) {
			return append([]byte{}, out.Bytes()...), nil
		}
		if err != nil {
			return nil, err
		}
		if int64(out.Len()+len(b)) > limit {
			return nil, &loop.Error{
				Name: "RangeError", Code: "ERR_BUFFER_TOO_LARGE",
				Message: "Cannot create a Buffer larger than the option maxOutputLength allows",
			}
		}
		out.Write(b)
	}
}
