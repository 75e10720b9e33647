package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// parsed is how a table says what a text becomes: the value, or its error.
func parsed[T any](v T, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprint(v)
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{parsed(parseDuration("500ms")), "500ms"},
		{parsed(parseDuration("7d")), "168h0m0s"},
		{parsed(parseDuration("1d12h")), "36h0m0s"},
		{parsed(parseDuration("1.5d")), "36h0m0s"},
		{parsed(parseDuration("0")), "0s"},
		{parsed(parseDuration("2")), "error: a duration needs a unit: 2s, 2ms, 2m?"},
		{parsed(parseDuration("-2s")), `error: "-2s" is negative`},
		{parsed(parseDuration("two")), `error: "two" is not a duration; write a number with a unit, such as 500ms, 2s, 30m, 12h or 7d`},
		{parsed(parseDuration("xd")), `error: "xd" is not a duration; write a number with a unit, such as 500ms, 2s, 30m, 12h or 7d`},
		{parsed(parseDuration("99999999d")), `error: "99999999d" is longer than 100 years`},
		{parsed(parseDuration("2000000h")), `error: "2000000h" is longer than 100 years`},
		{parsed(parseDuration("99999999999999h")), `error: "99999999999999h" is not a duration; write a number with a unit, such as 500ms, 2s, 30m, 12h or 7d`},

		{parsed(parseSize("100GB")), "100GB"},
		{parsed(parseSize("1.5MB")), "1500KB"},
		{parsed(parseSize("1KiB")), "1024B"},
		{parsed(parseSize("0")), "0"},
		{parsed(parseSize("100")), `error: "100" is not a size; write a number with a unit, such as 500MB, 100GB or 20GiB`},
		{parsed(parseSize("-1GB")), `error: "-1GB" is not a size; write a number with a unit, such as 500MB, 100GB or 20GiB`},
		{parsed(parseSize("99999999999TB")), `error: "99999999999TB" is more bytes than can be counted`},

		{parsed(parseBitrate("2500k")), "2.5M"},
		{parsed(parseBitrate("2.5M")), "2.5M"},
		{parsed(parseBitrate("640000")), "640k"},
		{parsed(parseBitrate("1234567")), "1234567"},
		{parsed(parseBitrate("2500")), "error: 2500 bits a second is too little for video; did you mean 2500k?"},
		{parsed(parseBitrate("1")), `error: "1" is too little for video; 16k is the least`},
		{parsed(parseBitrate("2G")), `error: "2G" is not a bitrate; write bits a second as 2500k, 2.5M or 2500000`},
		{parsed(parseBitrate("2000M")), `error: "2000M" is too much; 400M is the most`},

		{parsed(parseAddress(":8080")), ":8080"},
		{parsed(parseAddress("[::1]:0")), "[::1]:0"},
		{parsed(parseAddress("localhost:80")), "localhost:80"},
		{parsed(parseAddress("off")), "off"},
		{parsed(parseAddress("8080")), `error: 8080 is a port without its colon; write ":8080"`},
		{parsed(parseAddress("::1:80")), `error: "::1:80" is not an address; write host:port, :port or off`},
		{parsed(parseAddress(":http")), `error: "http" is not a port; write a number from 0 to 65535`},
		{parsed(parseAddress(":65536")), `error: "65536" is not a port; write a number from 0 to 65535`},
		{parsed(parseAddress("http://x:80")), `error: "http://x:80" is not an address; write host:port, :port or off`},

		{parsed(parseFPS("30")), "30/1"},
		{parsed(parseFPS("29.97")), "30000/1001"},
		{parsed(parseFPS("12.5")), "12500/1000"},
		{parsed(parseFPS("30000/1001")), "30000/1001"},
		{parsed(parseFPS("30/0")), `error: "30/0" is not a frame rate; write frames a second as 30, 29.97 or 30000/1001`},
		{parsed(parseFPS("0")), "error: frame rate 0 is out of range; 1 to 240"},
		{parsed(parseFPS("1000")), "error: frame rate 1000 is out of range; 1 to 240"},

		{parsed(parsePattern("cam/front")), "cam/front"},
		{parsed(parsePattern("a/../b")), `error: path element ".." is not allowed`},
		{parsed(parsePattern("/a")), "error: path has an empty element; write it without a leading, trailing or double /"},
		{parsed(parsePattern("a b")), `error: character ' ' is not allowed in a path; use letters, digits, _ . - and / (or * and ? for a pattern)`},
		{parsed(parsePattern("1/2/3/4/5/6/7/8/9")), "error: path has 9 elements; 8 is the most"},
	} {
		if c.got != c.want {
			t.Errorf("\ngot  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 2 * time.Second: "2s", 500 * time.Millisecond: "500ms", time.Minute: "1m",
		90 * time.Second: "1m30s", time.Hour: "1h", 7 * 24 * time.Hour: "7d", 90 * time.Minute: "1h30m",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		} else if back, err := parseDuration(got); err != nil || back != d {
			t.Errorf("%s reads back as %v, %v", got, back, err)
		}
	}
}

func TestParseLadder(t *testing.T) {
	for text, want := range map[string]string{
		"auto":                           "auto",
		" passthrough ":                  "passthrough",
		"720:2500k,480p:1200k,360":       "720p:2.5M,480p:1.2M,360p",
		"[{height: 720, bitrate: 2.5M}]": "720p:2.5M",
		"- {height: 720}\n- {name: low, height: 240, fps: 15}": "720p,low",
		"[{codec: copy}, {height: 360}]":                       "copy,360p",
		"[{codec: copy, height: 360}]":                         "error: --ladder:1:10: [0].codec: a copy is as the source is; leave height, bitrate and fps out",
		"auot":                                                 `error: --ladder:1:1: "auot" is not a ladder; write auto, passthrough or a list; did you mean "auto"?`,
		"":                                                     "error: --ladder:1:1: no ladder; write auto, passthrough or a list such as 720:2500k,360:700k",
		"[]":                                                   "error: --ladder:1:1: a list of no renditions; write auto, passthrough or at least one {height: …}",
		"{height: 720}":                                        "error: --ladder:1:2: expected auto, passthrough or a list of {height: …}, got a mapping",
		"[{bitrate: 1M}]":                                      "error: --ladder:1:3: [0]: a rendition needs a height",
	} {
		if got := parsed(ParseLadder("--ladder", text)); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
	l, err := ParseLadder("", "720:2500k,480")
	if err != nil {
		t.Fatal(err)
	}
	same, _ := NewLadder(Rung{Name: "720p", Height: 720, Bitrate: 2_500_000, Codec: "h264"}, Rung{Name: "480p", Height: 480, Codec: "h264"})
	if l != same {
		t.Errorf("%+v", l.Rungs())
	}
	if r := l.Rungs()[0].FPS; r != (media.Rational{}) {
		t.Error("fps", r)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"segment", "part", "window", "dvr", "lowLatency", "trustedProxies"}
	for word, want := range map[string]string{
		"segmnet": "segment", "Segment": "segment", "segments": "segment", "low_latency": "lowLatency",
		"lowlatency": "lowLatency", "parts": "part", "wnidow": "window", "dvd": "dvr", "trusted-proxy": "trustedProxies",
		"x": "", "bitrate": "", "": "",
	} {
		if got, _ := nearest(word, words); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
