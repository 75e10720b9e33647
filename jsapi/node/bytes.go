package node

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

func bytesModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	o.Func("encode", func(a native.Args) (any, error) { return encode(a.At(0), a.String(1)) })
	o.Func("decode", func(a native.Args) (any, error) {
		b := a.Bytes(0)
		to := min(int(a.Int(3)), len(b))
		return decode(b[min(int(a.Int(2)), to):to], a.String(1))
	})
	o.Func("length", func(a native.Args) (any, error) {
		s := a.At(0).String()
		switch a.String(1) {
		case "utf8":
			return utf8Length(a.At(0)), nil
		case "latin1", "ascii":
			return text(a.At(0)).Length(), nil
		case "utf16le":
			return 2 * text(a.At(0)).Length(), nil
		case "hex":
			return text(a.At(0)).Length() / 2, nil
		}
		padded := len(s) - len(strings.TrimRight(s, "="))
		return (text(a.At(0)).Length() - min(padded, 2)) * 3 / 4, nil
	})
	o.Func("compare", func(a native.Args) (any, error) { return bytes.Compare(a.Bytes(0), a.Bytes(1)), nil })
	o.Func("index", func(a native.Args) (any, error) {
		b, from := a.Bytes(0), int(a.Int(2))
		if from > len(b) {
			return -1, nil
		}
		i := bytes.Index(b[from:], a.Bytes(1))
		if i < 0 {
			return -1, nil
		}
		return from + i, nil
	})
	o.Func("isUtf8", func(a native.Args) (any, error) { return utf8.Valid(a.Bytes(0)), nil })
	o.Func("encodingName", func(a native.Args) (any, error) { return encodingName(a.String(0)), nil })
	o.Func("decoder", func(a native.Args) (any, error) {
		d, err := newTextDecoder(a.String(0), a.Bool(1), a.Bool(2))
		if err != nil {
			return nil, err
		}
		return func(call goja.FunctionCall) goja.Value {
			text, ok := d.decode(native.Bytes(call.Argument(0)), call.Argument(1).ToBoolean())
			if !ok {
				return goja.Null()
			}
			return l.Runtime().ToValue(text)
		}, nil
	})
	return o.Object
}

// encode is a string as bytes. What is not a character of the encoding is
// dropped or cut as Node does.
func encode(v goja.Value, encoding string) ([]byte, error) {
	s := text(v)
	switch encoding {
	case "utf8":
		return []byte(s.String()), nil
	case "latin1", "ascii":
		out := make([]byte, s.Length())
		for i := range out {
			out[i] = byte(s.CharAt(i))
		}
		return out, nil
	case "utf16le":
		out := make([]byte, 0, 2*s.Length())
		for i := range s.Length() {
			c := s.CharAt(i)
			out = append(out, byte(c), byte(c>>8))
		}
		return out, nil
	case "hex":
		digits := s.String()
		out := make([]byte, len(digits)/2)
		n, _ := hex.Decode(out, []byte(digits[:len(digits)&^1]))
		return out[:n], nil
	case "base64", "base64url":
		return lenientBase64(s.String()), nil
	}
	return nil, &loop.Error{Name: "TypeError", Code: "ERR_UNKNOWN_ENCODING", Message: "Unknown encoding: " + encoding}
}

// lenientBase64 takes both alphabets, ignores what belongs to neither, and
// ends at the padding.
func lenientBase64(text string) []byte {
	if i := strings.IndexByte(text, '='); i >= 0 {
		text = text[:i]
	}
	clean := []byte(text)
	n := 0
	for _, c := range clean {
		switch {
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
		default:
			continue
		}
		clean[n] = c
		n++
	}
	if n%4 == 1 {
		n-- // six bits are no byte
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(n))
	m, _ := base64.RawStdEncoding.Decode(out, clean[:n])
	return out[:m]
}

func decode(b []byte, encoding string) (any, error) {
	switch encoding {
	case "utf8":
		return utf8Text(b), nil
	case "latin1":
		return wide(b, 0xff), nil
	case "ascii":
		return wide(b, 0x7f), nil
	case "utf16le":
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
		}
		return goja.StringFromUTF16(units), nil
	case "hex":
		return hex.EncodeToString(b), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(b), nil
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(b), nil
	}
	return nil, fmt.Errorf("unknown encoding: %s", encoding)
}

// wide makes a character of each byte.
func wide(b []byte, mask byte) any {
	plain := true
	for _, c := range b {
		if c&mask >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain && mask == 0xff {
		return string(b)
	}
	units := make([]uint16, len(b))
	for i, c := range b {
		units[i] = uint16(c & mask)
	}
	return goja.StringFromUTF16(units)
}

// utf8Text replaces what is not UTF-8 as the WHATWG's decoder does: one
// replacement character for each longest piece that begins a character.
func utf8Text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b) + 8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			out.WriteRune(utf8.RuneError)
			b = b[begun(b):]
			continue
		}
		out.Write(b[:n])
		b = b[n:]
	}
	return out.String()
}

// begun is how many of the first bytes are the beginning of a character that
// does not go on as it should; at least one.
func begun(b []byte) int {
	low, high := byte(0x80), byte(0xbf)
	var need int
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			low = 0xa0
		} else if c == 0xed {
			high = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f
		}
	default:
		return 1
	}
	n := 1
	for ; n <= need && n < len(b) && b[n] >= low && b[n] <= high; n++ {
		low, high = 0x80, 0xbf
	}
	return n
}

// utf8Length counts without making the bytes.
func utf8Length(v goja.Value) int {
	s := text(v)
	n := 0
	for i := 0; i < s.Length(); i++ {
		switch c := rune(s.CharAt(i)); {
		case c < 0x80:
			n++
		case c < 0x800:
			n += 2
		case utf16.IsSurrogate(c) && c < 0xdc00 && i+1 < s.Length() && s.CharAt(i+1)&0xfc00 == 0xdc00:
			n += 4
			i++
		default:
			n += 3
		}
	}
	return n
}

// text is a value as a string of UTF-16 units.
func text(v goja.Value) goja.String {
	s, ok := v.ToString().(goja.String)
	if !ok {
		return goja.StringFromUTF16(nil)
	}
	return s
}
