package media

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// MarkerKind is what a Marker says.
type MarkerKind uint8

// The kinds of markers.
const (
	// DateRange begins a range of time with a meaning, or says of an instant
	// that it has one: EXT-X-DATERANGE (RFC 8216bis §4.4.5.1).
	DateRange MarkerKind = iota + 1
	// DateRangeEnd ends the DateRange with the same ID, whose length was not
	// known.
	DateRangeEnd
	// Metadata is an ID3 tag that players hand to the page at a frame.
	Metadata
)

// Marker is a timed event on a stream. It may come before its time, and should
// not come after it. It is immutable once it is handed on.
type Marker struct {
	Kind MarkerKind

	// Date is when it happens, by the dates of the stream's segments; where it
	// is zero, At is: on the stream's timeline, which begins with the stream.
	Date time.Time
	At   time.Duration

	// ID names a date range for as long as its stream lives: what has it is
	// the same range. Class says what sort it is; players know ranges by it.
	ID, Class string

	// Duration of a DateRange; 0 is an instant, negative not known yet: see
	// DateRangeEnd. Planned is how long it is meant to be, 0 unknown.
	Duration, Planned time.Duration

	// EndOnNext says that the range ends where the next one of its Class
	// begins. Its Duration is negative then.
	EndOnNext bool

	// The splice_info_sections of SCTE 35, whole: a command that concerns the
	// range, and those that begin and end it where it is a break.
	Command, Out, In []byte

	// Attributes are the range's own, by names that begin with X-: string,
	// float64, or []byte.
	Attributes map[string]any

	// ID3 is a whole ID3v2 tag, of Metadata.
	ID3 []byte
}

// ErrMarker is wrapped by every error of Marker.Check.
var ErrMarker = errors.New("bad marker")

// Limits of what a marker carries: it is sent to every viewer again and again.
const (
	maxMarkerText       = 255     // bytes of an ID, a class, or an attribute's name
	maxMarkerValue      = 4 << 10 // bytes of one attribute
	maxMarkerAttributes = 32
	maxSplice           = 4093       // section_length has 12 bits (SCTE 35 §9.6)
	maxID3              = 64<<10 - 9 // what a PES packet of MPEG-TS holds
	maxMarkerDuration   = 366 * 24 * time.Hour
)

// Check reports what is wrong with a marker.
func (m *Marker) Check() error {
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrMarker, err)
	}
	return nil
}

func (m *Marker) check() error {
	switch m.Kind {
	case Metadata:
		switch {
		case len(m.ID3) < 10 || !bytes.HasPrefix(m.ID3, []byte("ID3")):
			return errors.New("id3 is no ID3v2 tag")
		case len(m.ID3) > maxID3:
			return fmt.Errorf("the ID3 tag has %d bytes, more than %d", len(m.ID3), maxID3)
		}
		return nil
	case DateRange, DateRangeEnd:
	default:
		return fmt.Errorf("no kind of marker: %d", m.Kind)
	}
	if m.ID == "" {
		return errors.New("no id")
	}
	for name, text := range map[string]string{"id": m.ID, "class": m.Class} {
		if err := checkQuoted(text, maxMarkerText); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case m.Duration > maxMarkerDuration || m.Planned > maxMarkerDuration:
		return errors.New("it would last more than a year")
	case m.Planned < 0:
		return errors.New("the planned duration is negative")
	case m.EndOnNext && m.Class == "":
		return errors.New("what ends on the next of its class needs a class")
	case m.EndOnNext && m.Duration >= 0 && m.Kind == DateRange:
		return errors.New("what ends on the next of its class has no duration of its own")
	case len(m.Command) > maxSplice || len(m.Out) > maxSplice || len(m.In) > maxSplice:
		return fmt.Errorf("a splice_info_section has at most %d bytes", maxSplice)
	case len(m.Attributes) > maxMarkerAttributes:
		return fmt.Errorf("%d attributes, more than %d", len(m.Attributes), maxMarkerAttributes)
	}
	for name, value := range m.Attributes {
		if err := checkAttribute(name, value); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
	}
	return nil
}

// checkAttribute holds an attribute to §4.2 and §4.4.5.1 of RFC 8216bis.
func checkAttribute(name string, value any) error {
	if !strings.HasPrefix(name, "X-") || len(name) < 3 || len(name) > maxMarkerText ||
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return errors.New("names are X- and capital letters, digits and dashes")
	}
	switch v := value.(type) {
	case string:
		return checkQuoted(v, maxMarkerValue)
	case float64:
		if math.IsNaN(v) || math.Abs(v) > 1e15 {
			return errors.New("the number is out of range")
		}
	case []byte:
		if len(v) == 0 || len(v) > maxMarkerValue {
			return fmt.Errorf("%d bytes, allowed are 1 to %d", len(v), maxMarkerValue)
		}
	default:
		return fmt.Errorf("%T is neither text nor a number nor bytes", value)
	}
	return nil
}

// checkQuoted reports what a quoted-string cannot hold.
func checkQuoted(s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%d bytes, more than %d", len(s), limit)
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == '"' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
	}) {
		return errors.New("quotation marks and control characters cannot be written")
	}
	return nil
}
