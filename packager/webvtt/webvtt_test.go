package webvtt

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const second = time.Second

func TestAppend(t *testing.T) {
	line, position := 90.5, 10.0
	got := string(Append(nil, MapAt(10*second+5*time.Millisecond, 900_000), []Cue{
		{ID: "7-1", Start: 10 * second, End: 12*second + 340*time.Millisecond, Text: "Tom & <b>Jerry</b>\r\n\r\n  --> again\t\x07!"},
		{Start: 100*time.Hour + 59*time.Minute, End: 0, Text: "x", Line: &line, Position: &position, Align: "left"},
		{ID: "a --> b", Start: 0, End: second, Text: "y", Align: "top"},
	}))
	want := `WEBVTT
X-TIMESTAMP-MAP=MPEGTS:1800450,LOCAL:00:00:10.005

7-1
00:00:10.000 --> 00:00:12.340
Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;
--&gt; again !

100:59:00.000 --> 100:59:00.000 line:90.5% position:10% align:left
x

00:00:00.000 --> 00:00:01.000
y
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The 33 bits begin again, and the mapping goes on exactly.
func TestMapAt(t *testing.T) {
	for _, at := range []time.Duration{0, 95443 * second, 95444 * second, 300*time.Hour + 7*time.Millisecond} {
		m := MapAt(at, 900_000)
		if want := (uint64(at.Milliseconds())*90 + 900_000) % (1 << 33); m.MPEGTS != want || m.Local != at {
			t.Errorf("%v: %+v, want %d", at, m, want)
		}
	}
	if m := MapAt(-second, 0); m != (Map{}) {
		t.Errorf("before the beginning: %+v", m)
	}
}

func TestRead(t *testing.T) {
	f, err := Read([]byte("\ufeffWEBVTT - a title\r\nKind: captions\r\nX-TIMESTAMP-MAP=LOCAL:00:00.000,MPEGTS:90\r\n\r\n" +
		"NOTE what\rever\n\nSTYLE\n::cue { color: red }\n\nid 1\n00:01.500 --> 01:00:02.000 align:end size:5% line:3\na &amp; b\nc\n\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Cue{ID: "id 1", Start: 1500 * time.Millisecond, End: time.Hour + 2*second, Text: "a & b\nc", Align: "end"}
	if *f.Map != (Map{MPEGTS: 90}) || len(f.Cues) != 1 || f.Cues[0] != want {
		t.Errorf("%+v %+v", f.Map, f.Cues)
	}
	if f, err := Read([]byte("WEBVTT")); err != nil || f.Map != nil || len(f.Cues) != 0 {
		t.Errorf("nothing but a header: %+v, %v", f, err)
	}
	for text, why := range map[string]string{
		"":                                     "does not begin",
		"WEBVTTX\n":                            "does not begin",
		"WEBVTT\n00:01.000 --> 00:02.000\nx\n": "blank line",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1\n":   "needed",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:-1,LOCAL:00:00.000\n":                                          "MPEGTS",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:8589934592,LOCAL:00:00.000\n":                                  "33 bits",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:0\n":                                                   "LOCAL",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00.000\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00.000\n": "second",
		"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00.000,WHAT:1\n":                                    "WHAT",
		"WEBVTT\n\nid\nx\n":                               "without times",
		"WEBVTT\n\n00:02.000 --> 00:01.000\nx\n":          "before it begins",
		"WEBVTT\n\n00:02.000 -->\nx\n":                    "without an end",
		"WEBVTT\n\n00:02 --> 00:03.000\nx\n":              "no time",
		"WEBVTT\n\n00:02.000 --> 00:61.000\nx\n":          "no time",
		"WEBVTT\n\n00:02.000 --> 00:03.000\nx\ny --> z\n": "arrow",
		"WEBVTT\n\n00:02.000 --> 00:03.000\n\xff\n":       "UTF-8",
		"WEBVTT\n\n00:02.000 --> 00:03.000\n\x00\n":       "NUL",
	} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", text, err, why)
		}
	}
}

// FuzzAppend writes any text, and finds that it is the text of that cue, and no
// more than that.
func FuzzAppend(f *testing.F) {
	f.Add("a\n\nb", "1", int64(1000), int64(500))
	f.Add("x\n00:00.000 --> 00:01.000\ny", "--> 1", int64(1), int64(-1))
	f.Add("\r\r\xff\x00</v>&amp;", "NOTE", int64(1<<40), int64(7))
	f.Fuzz(func(t *testing.T, text, id string, start, length int64) {
		start = min(max(start, 0), 1<<40) / 1000
		cue := Cue{ID: id, Start: time.Duration(start) * time.Millisecond, Text: text}
		cue.End = cue.Start + time.Duration(min(max(length, 0), 1<<30))*time.Millisecond
		after := Cue{ID: "after", Start: cue.Start, End: cue.End, Text: "z"}
		b := Append(nil, MapAt(cue.Start, 900_000), []Cue{cue, after})
		got, err := Read(b)
		if err != nil {
			t.Fatalf("%v:\n%s", err, b)
		}
		if len(got.Cues) != 2 || got.Cues[0].Start != cue.Start || got.Cues[0].End != cue.End || fmt.Sprint(got.Cues[1]) != fmt.Sprint(after) {
			t.Fatalf("cues %+v:\n%s", got.Cues, b)
		}
		for line := range strings.SplitSeq(got.Cues[0].Text, "\n") {
			if line != strings.TrimSpace(line) {
				t.Fatalf("line %q:\n%s", line, b)
			}
		}
	})
}

// FuzzRead reads any bytes; what can be read is text.
func FuzzRead(f *testing.F) {
	f.Add([]byte("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n1\n00:00.000 --> 00:01.000 line:90%\nx\n"))
	f.Add([]byte("WEBVTT\n\nNOTE\n\n00:00.000-->00:01.000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		if err != nil {
			return
		}
		for _, c := range got.Cues {
			if c.End < c.Start || c.Start < 0 || !utf8.ValidString(c.Text) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
