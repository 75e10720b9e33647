package check

import (
	"bytes"
	"net/http"
	"path"
	"strings"
)

func isText(name string) bool { return path.Ext(name) == ".vtt" }

// onText changes the text of subtitle files.
func onText(f func(string) string) func(string, []byte) []byte {
	return func(name string, b []byte) []byte {
		if isText(name) {
			return []byte(f(string(b)))
		}
		return b
	}
}

var subtitleFaults = []fault{
	{rule: "subtitles-group", subs: true, multi: multivariant(attribute("SUBTITLES", `"other"`))},
	{rule: "subtitles-readable", subs: true, media: onText(func(s string) string { return strings.TrimPrefix(s, "WEBVTT") })},
	{rule: "subtitles-readable", subs: true, plain: true, media: onText(func(s string) string { return s + "\n-->\n" })},
	{rule: "subtitles-map", subs: true, media: onText(func(s string) string { return without("X-TIMESTAMP-MAP")("", s) })},
	{rule: "subtitles-in-time", subs: true, media: onText(func(s string) string { return strings.Replace(s, "LOCAL:00:00:", "LOCAL:00:01:", 1) })},
	// Times of MPEG-TS begin ten seconds later than cues that are not mapped.
	{rule: "subtitles-in-time", subs: true, ts: true, media: onText(func(s string) string {
		return strings.Replace(without("X-TIMESTAMP-MAP")("", s), "\n", "\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n", 1)
	})},
	{rule: "subtitles-in-parts", subs: true, media: func(name string, b []byte) []byte {
		if i := bytes.Index(b, []byte("\n\n")); i > 0 && isText(name) && isSegment(name) {
			return b[:i+1]
		}
		return b
	}},
	{rule: "content-type", subs: true, header: func(name string, h http.Header) {
		if isText(name) {
			h.Set("Content-Type", "text/plain")
		}
	}},
}
