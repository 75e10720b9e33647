package playlist

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DateRange is EXT-X-DATERANGE (§4.4.5.1).
type DateRange struct {
	ID, Class string
	Start     time.Time
	End       time.Time     // END-DATE; zero is not written
	Duration  time.Duration // negative is not written; 0 is an instant
	Planned   time.Duration // PLANNED-DURATION; negative is not written
	EndOnNext bool

	// Command, Out and In are SCTE35-CMD, -OUT and -IN; empty is not written.
	Command, Out, In []byte

	// Attributes are those whose names begin with X-, ordered by name.
	Attributes []Attribute
}

// Attribute is one of the client's own: a quoted-string, or a hexadecimal
// sequence or number as it is written.
type Attribute struct {
	Name, Value string
	Quoted      bool
}

const (
	clientPrefix = "X-"
	hexPrefix    = "0x"
)

// EndIn is where the range ends, which may be where the next one of its class
// among all begins; zero where nobody knows.
func (d *DateRange) EndIn(all []DateRange) time.Time {
	switch {
	case !d.End.IsZero():
		return d.End
	case d.Duration >= 0:
		return d.Start.Add(d.Duration)
	}
	var end time.Time
	for i := range all {
		if o := &all[i]; d.EndOnNext && o.Class == d.Class && o.Start.After(d.Start) && (end.IsZero() || o.Start.Before(end)) {
			end = o.Start
		}
	}
	return end
}

func (d *DateRange) append(b []byte) []byte {
	a := attributes{append(b, "#EXT-X-DATERANGE:"...), false}
	a.quoted("ID", d.ID)
	if d.Class != "" {
		a.quoted("CLASS", d.Class)
	}
	a.date("START-DATE", d.Start)
	if !d.End.IsZero() {
		a.date("END-DATE", d.End)
	}
	if d.Duration >= 0 {
		a.seconds("DURATION", d.Duration)
	}
	if d.Planned >= 0 {
		a.seconds("PLANNED-DURATION", d.Planned)
	}
	for _, x := range d.Attributes {
		if x.Quoted {
			a.quoted(x.Name, x.Value)
		} else {
			a.plain(x.Name, x.Value)
		}
	}
	a.hex("SCTE35-CMD", d.Command)
	a.hex("SCTE35-OUT", d.Out)
	a.hex("SCTE35-IN", d.In)
	a.yes("END-ON-NEXT", d.EndOnNext)
	return a.end()
}

func (a *attributes) date(name string, t time.Time) {
	a.name(name)
	a.b = append(t.UTC().AppendFormat(append(a.b, '"'), dateLayout), '"')
}

func (a *attributes) hex(name string, v []byte) {
	if len(v) > 0 {
		a.plain(name, Hex(v))
	}
}

// Hex writes bytes as a hexadecimal-sequence (§4.2).
func Hex(v []byte) string { return hexPrefix + strings.ToUpper(hex.EncodeToString(v)) }

// Decimal writes a signed-decimal-floating-point (§4.2).
func Decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// readDateRange reads the tag's attributes.
func readDateRange(l *list) DateRange {
	d := DateRange{
		ID: l.need("ID"), Class: l.text("CLASS"), EndOnNext: l.yes("END-ON-NEXT"),
		Start: l.date("START-DATE"), End: l.date("END-DATE"),
		Duration: -1, Planned: -1,
		Command: l.hex("SCTE35-CMD"), Out: l.hex("SCTE35-OUT"), In: l.hex("SCTE35-IN"),
	}
	l.need("START-DATE")
	if _, ok := l.values["DURATION"]; ok {
		d.Duration = l.seconds("DURATION")
	}
	if _, ok := l.values["PLANNED-DURATION"]; ok {
		d.Planned = l.seconds("PLANNED-DURATION")
	}
	switch {
	case d.EndOnNext && d.Class == "":
		l.fail("END-ON-NEXT", errors.New("it needs a CLASS"))
	case d.EndOnNext && (d.Duration >= 0 || !d.End.IsZero()):
		l.fail("END-ON-NEXT", errors.New("there is an end already"))
	case !d.End.IsZero() && d.End.Before(d.Start):
		l.fail("END-DATE", errors.New("it is before START-DATE"))
	}
	for name, value := range l.values {
		if strings.HasPrefix(name, clientPrefix) {
			d.Attributes = append(d.Attributes, Attribute{name, value, slices.Contains(l.quoted, name)})
		}
	}
	slices.SortFunc(d.Attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func (l *list) date(name string) time.Time {
	v, ok := l.values[name]
	if !ok {
		return time.Time{}
	}
	t, err := readDate(v)
	l.fail(name, err)
	return t
}

func (l *list) hex(name string) []byte {
	v, ok := l.values[name]
	if !ok {
		return nil
	}
	digits, ok := strings.CutPrefix(strings.ToLower(v), hexPrefix)
	if !ok || digits == "" {
		l.fail(name, fmt.Errorf("%.20q is no hexadecimal sequence", v))
		return nil
	}
	b, err := hex.DecodeString(digits)
	l.fail(name, err)
	return b
}
