package archtest

import (
	"fmt"
	"strings"
	"testing"
)

// room is one line of the import rules.
type room struct {
	name string   // a room, or with /... a room and all below it; the first line that fits holds
	may  []string // the rooms that it may import
	bare bool     // of all else it imports the standard library only
}

// words is what any room may speak.
var words = []string{"internal/media", "internal/telemetry"}

func and(more ...string) []string { return append(more, words...) }

// rooms is the whole graph. Tests are held to the third-party borders below,
// not to this.
var rooms = []room{
	{name: "internal/media", bare: true},
	{name: "internal/status", bare: true},
	{name: "internal/access", bare: true},
	{name: "internal/child", bare: true},
	{name: "internal/telemetry", may: []string{"internal/media"}},
	{name: "internal/config", may: []string{"internal/access", "internal/media"}},

	{name: "ingest/timeline", may: words},
	{name: "ingest/codec", may: words},
	{name: "ingest", may: and("ingest/codec", "ingest/timeline")},
	{name: "ingest/mpegts", may: and("ingest", "ingest/codec")},
	// A protocol; never another one.
	{name: "ingest/rtsp/...", may: and("ingest", "ingest/codec")},
	{name: "ingest/rtmp/...", may: and("ingest", "ingest/codec")},
	{name: "ingest/tspull", may: and("ingest", "ingest/mpegts")},
	{name: "ingest/srt/...", may: and("ingest", "ingest/mpegts")},

	{name: "transcode", may: and("transcode/wire", "internal/child")},
	{name: "transcode/wire", may: []string{"internal/media"}},
	{name: "transcode/libav", may: and("transcode", "transcode/wire")},
	{name: "transcode/worker", may: and("transcode", "transcode/wire", "transcode/libav")},

	{name: "packager", may: and("packager/...")},
	{name: "packager/playlist", bare: true},
	{name: "packager/dash", bare: true},
	{name: "packager/id3", bare: true},
	{name: "packager/webvtt", bare: true},
	{name: "packager/fmp4", may: []string{"internal/media"}},
	{name: "packager/mpegts", may: []string{"internal/media"}},
	{name: "packager/store", may: []string{"internal/media"}},
	{name: "packager/protect", may: []string{"internal/media", "packager/fmp4"}},
	{name: "packager/clip", may: []string{"internal/media", "packager/fmp4", "packager/mpegts"}},
	{name: "packager/storyboard", may: []string{"internal/media", "packager/fmp4", "packager/mpegts"}},
	{name: "packager/recording", may: and("packager", "packager/clip", "packager/storyboard", "packager/playlist", "packager/fmp4", "packager/mpegts", "packager/protect", "packager/store", "packager/webvtt")},
	{name: "packager/check", may: []string{"internal/media", "packager/playlist", "packager/protect", "packager/fmp4", "packager/mpegts", "packager/webvtt"}},

	// The server's side of the app process: it meets no engine.
	{name: "jsapi/host", may: and("jsapi/host/wire", "internal/access", "internal/child", "internal/pipeline", "internal/status", "transcode/wire")},
	{name: "jsapi/host/wire", bare: true},
	{name: "jsapi/stream", may: and("jsapi/...", "internal/pipeline", "transcode", "transcode/wire")},
	{name: "jsapi/app", may: and("jsapi/...", "transcode/wire")},
	{name: "jsapi/...", may: and("jsapi/...", "internal/pipeline", "internal/status", "transcode")},
	{name: "web/...", may: and("web/...", "internal/access", "internal/config", "internal/status")},
	{name: "internal/pipeline", may: and("ingest", "ingest/timeline", "transcode", "transcode/wire", "packager", "packager/id3", "packager/playlist", "packager/protect", "packager/recording", "packager/store", "packager/storyboard",
		"internal/access", "internal/child", "internal/config", "internal/status")},

	{name: "testmedia", bare: true},
	{name: "testmedia/tools", may: []string{"testmedia"}, bare: true},
	{name: "testmedia/browser", may: []string{"testmedia", "testmedia/tools"}},
	{name: "internal/archtest", bare: true},

	// Wiring, and what tests and measures the whole.
	{name: "cmd/...", may: []string{
		"cmd/...", "ingest/...", "transcode/...", "packager/...", "jsapi/...", "web/...",
		"testmedia/...", "internal/...",
	}},
	{name: "internal/e2e/...", may: []string{
		"cmd/...", "ingest/...", "transcode/...", "packager/...", "web/...",
		"testmedia/...", "internal/...",
	}},
	{name: "internal/bench/...", may: []string{
		"ingest/...", "transcode/...", "packager/...", "web/...",
		"testmedia/...", "internal/...",
	}},
}

func ruleOf(name string) (room, bool) {
	for _, r := range rooms {
		if inside(name, r.name) {
			return r, true
		}
	}
	return room{}, false
}

// importBreaches tells every import that the rules do not allow.
func importBreaches(all []pkg) []string {
	var breaches []string
	for _, p := range all {
		rule, ok := ruleOf(p.room())
		if !ok {
			breaches = append(breaches, p.room()+" has no rule: give it one in internal/archtest and a row in "+address)
			continue
		}
		for _, path := range p.Imports {
			to, ours := local(path)
			switch {
			case ours && !insideAny(to, rule.may):
				breaches = append(breaches, fmt.Sprintf("%s -> %s is not allowed: %s", p.room(), to, address))
			case !ours && rule.bare && !standard(path):
				breaches = append(breaches, fmt.Sprintf("%s -> %s: this room imports the standard library only: %s", p.room(), path, address))
			}
		}
	}
	return breaches
}

func TestImportsPointOneWay(t *testing.T) {
	for _, breach := range importBreaches(packages(t)) {
		t.Error(breach)
	}
}

func TestImportRulesCanFail(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     string // part of the breach; nothing where the import is allowed
	}{
		{"ingest", "internal/media", ""},
		{"ingest/rtsp", "ingest", ""},
		{"cmd/millrace", "transcode/worker", ""},
		{"packager", "packager/store", ""},
		{"ingest", "packager", "ingest -> packager"},
		{"packager", "transcode", "packager -> transcode"},
		{"transcode", "ingest", "transcode -> ingest"},
		{"transcode", "transcode/libav", "transcode -> transcode/libav"},
		{"ingest/rtsp", "ingest/rtmp", "ingest/rtsp -> ingest/rtmp"},
		{"web", "internal/pipeline", "web -> internal/pipeline"},
		{"internal/pipeline", "transcode/worker", "internal/pipeline -> transcode/worker"},
		{"internal/media", "internal/telemetry", "internal/media -> internal/telemetry"},
		{"helpers", "internal/media", "helpers has no rule"},
	} {
		p := pkg{ImportPath: module + "/" + c.from, Imports: []string{"fmt", module + "/" + c.to}}
		got := strings.Join(importBreaches([]pkg{p}), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s -> %s: got %q, want %q in it", c.from, c.to, got, c.want)
		}
	}
	outside := pkg{ImportPath: module + "/internal/media", Imports: []string{"time", "golang.org/x/net/http2"}}
	if got := importBreaches([]pkg{outside}); len(got) != 1 {
		t.Errorf("internal/media importing x/net: got %q, want one breach", got)
	}
}
