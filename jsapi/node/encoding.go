package node

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/millrace/millrace/jsapi/loop"
)

// encodingName is the WHATWG's name of an encoding that a label means; empty
// where no encoding has the label.
func encodingName(label string) string {
	e, err := htmlindex.Get(strings.TrimSpace(label))
	if err != nil {
		return ""
	}
	name, err := htmlindex.Name(e)
	if err != nil {
		return ""
	}
	return name
}

// textDecoder is the state of a TextDecoder between two chunks.
type textDecoder struct {
	utf8, fatal, keepMark bool
	transformer           transform.Transformer
	rest                  []byte // a character that is not whole yet
	begun                 bool   // the byte order mark was looked for
}

func newTextDecoder(name string, fatal, keepMark bool) (*textDecoder, error) {
	d := &textDecoder{utf8: name == "utf-8", fatal: fatal, keepMark: keepMark}
	if d.utf8 {
		return d, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, &loop.Error{
			Name: "RangeError", Code: "ERR_ENCODING_NOT_SUPPORTED",
			Message: "The \"" + name + "\" encoding is not supported",
		}
	}
	d.transformer = decoderOf(name, e)
	return d, nil
}

func decoderOf(name string, e encoding.Encoding) transform.Transformer {
	switch name {
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return e.NewDecoder()
}

// decode takes more bytes and gives their text; last says that no more come.
// It is false where the bytes are not of the encoding and that is fatal.
func (d *textDecoder) decode(b []byte, last bool) (string, bool) {
	b = append(d.rest, b...)
	d.rest = nil
	var text string
	var ok bool
	if d.utf8 {
		text, ok = d.decodeUTF8(b, last)
	} else {
		text, ok = d.transform(b, last)
	}
	if text != "" && !d.begun {
		d.begun = true
		if !d.keepMark {
			text = strings.TrimPrefix(text, "\ufeff")
		}
	}
	return text, ok
}

func (d *textDecoder) decodeUTF8(b []byte, last bool) (string, bool) {
	if !last {
		cut := len(b)
		for back := 1; back <= min(3, len(b)); back++ {
			if i := len(b) - back; utf8.RuneStart(b[i]) {
				if !utf8.FullRune(b[i:]) && begun(b[i:]) == back {
					cut = i
				}
				break
			}
		}
		d.rest = append([]byte(nil), b[cut:]...)
		b = b[:cut]
	}
	if d.fatal && !utf8.Valid(b) {
		return "", false
	}
	return utf8Text(b), true
}

func (d *textDecoder) transform(b []byte, last bool) (string, bool) {
	var out strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, used, err := d.transformer.Transform(buffer, b, last)
		out.Write(buffer[:n])
		b = b[used:]
		switch {
		case errors.Is(err, transform.ErrShortDst):
			continue
		case errors.Is(err, transform.ErrShortSrc):
			d.rest = append([]byte(nil), b...)
		case err != nil:
			return "", false
		}
		break
	}
	text := out.String()
	return text, !d.fatal || !strings.ContainsRune(text, utf8.RuneError)
}
