package playlist

import (
	"strconv"
	"strings"
	"time"
)

const dateLayout = "2006-01-02T15:04:05.000Z07:00"

// attributes writes an attribute list (§4.2).
type attributes struct {
	b     []byte
	begun bool
}

func (a *attributes) name(name string) {
	if a.begun {
		a.b = append(a.b, ',')
	}
	a.begun = true
	a.b = append(append(a.b, name...), '=')
}

func (a *attributes) plain(name, value string) {
	a.name(name)
	a.b = append(a.b, value...)
}

func (a *attributes) quoted(name, value string) {
	a.name(name)
	a.b = append(append(append(a.b, '"'), strings.ReplaceAll(clean(value), `"`, "'")...), '"')
}

// tabbed writes texts in one quotation, separated by tabs.
func (a *attributes) tabbed(name string, values []string) {
	a.name(name)
	a.b = append(a.b, '"')
	for i, v := range values {
		if i > 0 {
			a.b = append(a.b, '\t')
		}
		a.b = append(a.b, strings.ReplaceAll(clean(v), `"`, "'")...)
	}
	a.b = append(a.b, '"')
}

func (a *attributes) yes(name string, value bool) {
	if value {
		a.plain(name, "YES")
	}
}

func (a *attributes) seconds(name string, d time.Duration) {
	a.name(name)
	a.b = seconds(a.b, d)
}

func (a *attributes) byteRange(r *ByteRange) {
	if r != nil {
		a.name("BYTERANGE")
		a.b = append(r.append(append(a.b, '"')), '"')
	}
}

func (a *attributes) end() []byte { return append(a.b, '\n') }

func number(b []byte, tag string, v uint64) []byte {
	return append(strconv.AppendUint(append(b, tag...), v, 10), '\n')
}

// seconds writes a duration with three to six decimals.
func seconds(b []byte, d time.Duration) []byte {
	return decimals(b, uint64(max(d, 0)+500)/1000, 6, 3)
}

// decimals writes v/10^places without trailing zeros, down to least decimals.
func decimals(b []byte, v uint64, places, least int) []byte {
	unit := uint64(1)
	for range places {
		unit *= 10
	}
	b = strconv.AppendUint(b, v/unit, 10)
	rest := v % unit
	b = append(b, '.')
	for i := range places {
		if rest == 0 && i >= least {
			break
		}
		unit /= 10
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}

// clean removes what would end a line.
func clean(s string) string {
	if strings.ContainsFunc(s, control) {
		s = strings.Map(func(r rune) rune {
			if control(r) {
				return -1
			}
			return r
		}, s)
	}
	return s
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0x85 }
