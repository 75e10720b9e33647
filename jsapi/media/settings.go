package media

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// settings are the options that a script gave to a stage. What is asked for is
// taken out, so that what is left is libav's, or a mistake. The first thing
// that is wrong is kept as err.
type settings struct {
	stage string
	all   map[string]goja.Value
	known []string // names asked for
	err   error
}

func (m *Module) settings(stage string, v goja.Value) *settings {
	s := &settings{stage: stage, all: map[string]goja.Value{}}
	if v = given(v); v == nil {
		return s
	}
	o, ok := v.(*goja.Object)
	if !ok {
		s.fail("", "its options are an object, not %s", describe(v))
		return s
	}
	for _, k := range o.Keys() {
		if v := given(o.Get(k)); v != nil {
			s.all[k] = v
		}
	}
	return s
}

func (s *settings) fail(option, format string, args ...any) {
	if s.err != nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	if option != "" {
		text = option + ": " + text
	}
	s.err = &Error{Stage: s.stage, Code: codeOption, Message: text}
}

func (s *settings) take(name string) goja.Value {
	s.known = append(s.known, name)
	v := s.all[name]
	delete(s.all, name)
	return v
}

func (s *settings) text(name string) string {
	v := s.take(name)
	if v == nil {
		return ""
	}
	text, ok := native.Held(v).(string)
	if !ok {
		s.fail(name, "%v is not a text", v)
	}
	return text
}

func (s *settings) flag(name string) *bool {
	v := s.take(name)
	if v == nil {
		return nil
	}
	b, ok := native.Held(v).(bool)
	if !ok {
		s.fail(name, "%v is neither true nor false", v)
	}
	return &b
}

func (s *settings) isSet(name string) bool {
	b := s.flag(name)
	return b != nil && *b
}

func (s *settings) whole(name string, least, most int) int {
	v := s.take(name)
	if v == nil {
		return 0
	}
	f := v.ToFloat()
	if f != math.Trunc(f) || f < float64(least) || f > float64(most) {
		s.fail(name, "%v is not a whole number of %d to %d", v, least, most)
		return 0
	}
	return int(f)
}

// bitrate is 2500000, "2500k" or "2.5M".
func (s *settings) bitrate(name string) int {
	v := s.take(name)
	if v == nil {
		return 0
	}
	text, unit := strings.TrimSpace(v.String()), 1.0
	if n := len(text); n > 0 {
		switch text[n-1] {
		case 'k', 'K':
			text, unit = text[:n-1], 1e3
		case 'm', 'M':
			text, unit = text[:n-1], 1e6
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f <= 0 || f*unit > 1e9 {
		s.fail(name, "%q is not a bitrate such as 2500000, '2500k' or '2.5M'", v.String())
		return 0
	}
	return int(f * unit)
}

// length is "2s", "500ms", or a number of seconds.
func (s *settings) length(name string) *time.Duration {
	v := s.take(name)
	if v == nil {
		return nil
	}
	d, err := time.ParseDuration(v.String())
	if err != nil {
		f := v.ToFloat()
		if math.IsNaN(f) || f < 0 || f > 1e9 {
			s.fail(name, "%q is not a time such as '2s', '500ms' or a number of seconds", v.String())
			return nil
		}
		d = time.Duration(f * float64(time.Second))
	}
	return &d
}

// rate is 25, 29.97 or "30000/1001".
func (s *settings) rate(name string) media.Rational {
	v := s.take(name)
	if v == nil {
		return media.Rational{}
	}
	r, ok := rational(v.String())
	if !ok || !r.Known() || r.Float() > 1000 {
		s.fail(name, "%q is not a frame rate such as 25, 29.97 or '30000/1001'", v.String())
	}
	return r
}

func rational(text string) (media.Rational, bool) {
	if num, den, ok := strings.Cut(text, "/"); ok {
		n, err1 := strconv.Atoi(num)
		d, err2 := strconv.Atoi(den)
		return media.Rational{Num: n, Den: d}, err1 == nil && err2 == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f <= 0 || f > 1e6 {
		return media.Rational{}, false
	}
	if f == math.Trunc(f) {
		return media.Rational{Num: int(f), Den: 1}, true
	}
	if ntsc := math.Round(f); math.Abs(f-ntsc*1000/1001) < 0.005 { // 29.97 is meant exactly
		return media.Rational{Num: int(ntsc) * 1000, Den: 1001}, true
	}
	return media.Rational{Num: int(math.Round(f * 1000)), Den: 1000}, true
}

// group is a setting that is an object of its own.
func (s *settings) group(m *Module, name string) *settings {
	v := s.take(name)
	if v == nil {
		return nil
	}
	return m.settings(s.stage, v)
}

// overflow is the name of what a full queue does.
func (s *settings) overflow(otherwise overflow) overflow {
	name := s.text("overflow")
	if name == "" {
		return otherwise
	}
	o, ok := overflows[name]
	if !ok {
		s.fail("overflow", "%q is none of block, dropNonRef, dropToKey and latest", name)
	}
	return o
}

// rest are the settings that nobody asked for, as libav's options; those in
// an object named options too.
func (s *settings) rest(m *Module) map[string]string {
	more := s.group(m, "options")
	all := map[string]string{}
	add := func(from *settings) {
		for k, v := range from.all {
			switch e := native.Held(v).(type) {
			case bool:
				all[k] = map[bool]string{true: "1", false: "0"}[e]
			case string, int64, float64:
				all[k] = v.String()
			default:
				s.fail(k, "%s is no value of an option", describe(v))
			}
		}
	}
	add(s)
	if more != nil {
		add(more)
	}
	clear(s.all)
	return all
}

// done reports what is wrong: a bad value, or a name that there is not.
func (s *settings) done() error {
	if s.err != nil {
		return s.err
	}
	for _, name := range sorted(s.all) {
		return s.unknown(name)
	}
	return nil
}

func sorted(all map[string]goja.Value) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *settings) unknown(name string) error {
	text := "there is no option " + name
	if near := nearest(name, s.known); near != "" {
		text += "; did you mean " + near + "?"
	} else {
		text += "; there are " + strings.Join(s.known, ", ")
	}
	return &Error{Stage: s.stage, Code: codeOption, Message: text}
}

// check asks libav's tables about options of its own, and names one of ours
// where that is nearer to what was written.
func (s *settings) check(m *Module, kind transcode.OptionKind, part string, options map[string]string) error {
	if s.err != nil {
		return s.err
	}
	if m.opts.Engine == nil {
		return m.absent(s.stage + "()")
	}
	err := m.opts.Engine.Check(kind, part, options)
	if err == nil {
		return nil
	}
	var of *transcode.OptionError
	if asOption(err, &of) && of.Wanted == "" {
		if near := nearest(of.Option, s.known); of.Option != "" && near != "" {
			return s.unknown(of.Option)
		}
	}
	return &Error{Stage: s.stage, Code: codeOption, Message: err.Error(), Cause: err}
}

// nearest is the name that may have been meant; empty where none is near.
func nearest(name string, of []string) string {
	best, least := "", 3
	for _, candidate := range of {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many letters have to be added, left out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
