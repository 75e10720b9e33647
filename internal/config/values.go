package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Size is a number of bytes, written with a unit: 100GB, 512MiB.
type Size int64

// Bitrate is bits a second, written as a number or with k or M: 2500k, 2.5M.
type Bitrate int

// Address is host:port to listen at; the host may be empty for every address
// of the machine, and port 0 takes a free one. Off means no listener.
type Address string

// Off is the Address of a listener that is not wanted.
const Off Address = "off"

// Transports are the ways RTSP media may travel.
type Transports struct{ TCP, UDP bool }

func (t Transports) String() string {
	switch t {
	case Transports{TCP: true, UDP: true}:
		return "[tcp, udp]"
	case Transports{TCP: true}:
		return "[tcp]"
	}
	return "[udp]"
}

var units = []struct {
	name  string
	value float64
}{
	// longest names first, so that a suffix is found whole
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"KB", 1e3},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

func parseSize(text string) (Size, error) {
	if text == "0" {
		return 0, nil
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		f, err := parseDecimal(number)
		if err != nil {
			return 0, errSize(text)
		}
		if f*u.value >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is more bytes than can be counted", text)
		}
		return Size(math.Round(f * u.value)), nil
	}
	return 0, errSize(text)
}

func errSize(text string) error {
	return fmt.Errorf("%q is not a size; write a number with a unit, such as 500MB, 100GB or 20GiB", text)
}

func (s Size) String() string {
	for _, u := range []struct {
		name  string
		value Size
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}} {
		if s >= u.value && s%u.value == 0 {
			return strconv.FormatInt(int64(s/u.value), 10) + u.name
		}
	}
	if s == 0 {
		return "0"
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// Bounds of a rung's bitrate. They catch a forgotten unit, not bad taste.
const (
	minBitrate Bitrate = 16_000
	maxBitrate Bitrate = 400_000_000
)

func parseBitrate(text string) (Bitrate, error) {
	number, scale := text, 1.0
	if n, ok := strings.CutSuffix(text, "k"); ok {
		number, scale = n, 1e3
	} else if n, ok := strings.CutSuffix(text, "M"); ok {
		number, scale = n, 1e6
	}
	f, err := parseDecimal(number)
	if err != nil {
		return 0, fmt.Errorf("%q is not a bitrate; write bits a second as 2500k, 2.5M or 2500000", text)
	}
	switch b := f * scale; {
	case b < float64(minBitrate) && scale == 1 && b*1e3 >= float64(minBitrate):
		return 0, fmt.Errorf("%s bits a second is too little for video; did you mean %sk?", text, text)
	case b < float64(minBitrate):
		return 0, fmt.Errorf("%q is too little for video; 16k is the least", text)
	case b > float64(maxBitrate):
		return 0, fmt.Errorf("%q is too much; 400M is the most", text)
	default:
		return Bitrate(math.Round(b)), nil
	}
}

func (b Bitrate) String() string {
	switch {
	case b >= 1e6 && b%1e5 == 0:
		return strconv.FormatFloat(float64(b)/1e6, 'f', -1, 64) + "M"
	case b >= 1e3 && b%1e3 == 0:
		return strconv.Itoa(int(b/1e3)) + "k"
	}
	return strconv.Itoa(int(b))
}

// maxDuration keeps durations far from where adding two of them overflows.
const maxDuration = 100 * 365 * 24 * time.Hour

// parseDuration reads what time.ParseDuration does, and days: 7d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if _, err := parseDecimal(text); err == nil {
		return 0, fmt.Errorf("a duration needs a unit: %ss, %sms, %sm?", text, text, text)
	}
	var days time.Duration
	rest := text
	if n, after, ok := strings.Cut(text, "d"); ok {
		f, err := parseDecimal(n)
		if err != nil {
			return 0, errDuration(text)
		}
		if f > float64(maxDuration/(24*time.Hour)) {
			return 0, fmt.Errorf("%q is longer than 100 years", text)
		}
		days, rest = time.Duration(f*24*float64(time.Hour)), after
	}
	var d time.Duration
	if rest != "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, errDuration(text)
		}
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", text)
	}
	if d > maxDuration-days {
		return 0, fmt.Errorf("%q is longer than 100 years", text)
	}
	return days + d, nil
}

func errDuration(text string) error {
	return fmt.Errorf("%q is not a duration; write a number with a unit, such as 500ms, 2s, 30m, 12h or 7d", text)
}

// formatDuration writes d as parseDuration reads it, without empty units.
func formatDuration(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parseDecimal reads digits with at most one point. strconv would take 1e9,
// Inf and 0x10 too, which nobody means here.
func parseDecimal(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, errors.New("not a number")
	}
	return strconv.ParseFloat(text, 64)
}

func parseAddress(text string) (Address, error) {
	if text == string(Off) {
		return Off, nil
	}
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return "", fmt.Errorf("%s is a port without its colon; write %q", text, ":"+text)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an address; write host:port, :port or off", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q is not a port; write a number from 0 to 65535", port)
	}
	if strings.ContainsAny(host, "/ \t@") {
		return "", fmt.Errorf("%q is not a host name or address", host)
	}
	return Address(text), nil
}

// Frame rates that are written short but meant as NTSC's.
var ntsc = map[string]media.Rational{
	"23.976": {Num: 24000, Den: 1001}, "23.98": {Num: 24000, Den: 1001},
	"29.97": {Num: 30000, Den: 1001}, "59.94": {Num: 60000, Den: 1001},
	"119.88": {Num: 120000, Den: 1001},
}

func parseFPS(text string) (media.Rational, error) {
	bad := fmt.Errorf("%q is not a frame rate; write frames a second as 30, 29.97 or 30000/1001", text)
	if r, ok := ntsc[text]; ok {
		return r, nil
	}
	var r media.Rational
	if n, d, ok := strings.Cut(text, "/"); ok {
		num, err1 := strconv.ParseUint(n, 10, 31)
		den, err2 := strconv.ParseUint(d, 10, 31)
		if err1 != nil || err2 != nil || den == 0 {
			return r, bad
		}
		r = media.Rational{Num: int(num), Den: int(den)}
	} else {
		f, err := parseDecimal(text)
		if err != nil || f > 1e6 {
			return r, bad
		}
		r = media.Rational{Num: int(math.Round(f * 1000)), Den: 1000}
		if r.Num%1000 == 0 {
			r = media.Rational{Num: r.Num / 1000, Den: 1}
		}
	}
	if f := r.Float(); f < 1 || f > 240 {
		return media.Rational{}, fmt.Errorf("frame rate %s is out of range; 1 to 240", text)
	}
	return r, nil
}
