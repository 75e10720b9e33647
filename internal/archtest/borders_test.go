package archtest

import (
	"fmt"
	"strings"
	"testing"
)

// border is a third-party library and the rooms it may stand in, tests
// included. .golangci.yml says the same to those who only lint.
type border struct {
	library string // its import path, or the beginning of several
	rooms   []string
}

// whole is the rooms that stand outside and may speak any protocol to us.
var whole = []string{"internal/e2e/...", "internal/bench/..."}

var borders = []border{
	{"github.com/asticode/", []string{"transcode/libav"}},
	{"github.com/dop251/", []string{"jsapi/..."}},
	{"github.com/evanw/esbuild", []string{"jsapi/..."}},
	{"github.com/andybalholm/", []string{"jsapi/node/..."}},
	{"github.com/zishang520/", []string{"jsapi/app"}},
	{"github.com/labstack/", []string{"web/..."}},
	{"github.com/danielgtaylor/huma", []string{"web/..."}},
	{"github.com/bluenviron/gortsplib", append(whole, "ingest/rtsp/...")},
	{"github.com/bluenviron/gortmplib", append(whole, "ingest/rtmp/...")},
	{"github.com/datarhei/gosrt", append(whole, "ingest/srt/...")},
	{"github.com/goccy/go-yaml", []string{"internal/config"}},
	{"github.com/alecthomas/kong", []string{"cmd/..."}},
	{"github.com/schollz/progressbar", []string{"cmd/..."}},
	{"github.com/chromedp/", append(whole, "web/...", "testmedia/browser")},
}

func borderBreaches(all []pkg) []string {
	var breaches []string
	for _, p := range all {
		for _, path := range p.everything() {
			for _, b := range borders {
				if strings.HasPrefix(path, b.library) && !insideAny(p.room(), b.rooms) {
					breaches = append(breaches, fmt.Sprintf("%s -> %s stands in %s only: %s",
						p.room(), path, strings.Join(b.rooms, ", "), address))
				}
			}
		}
	}
	return breaches
}

func TestEachLibraryStandsInOneRoom(t *testing.T) {
	for _, breach := range borderBreaches(packages(t)) {
		t.Error(breach)
	}
}

func TestBordersCanFail(t *testing.T) {
	libav := []string{"github.com/asticode/go-astiav"}
	for _, c := range []struct {
		p    pkg
		want int
	}{
		{pkg{ImportPath: module + "/transcode/libav", Imports: libav}, 0},
		{pkg{ImportPath: module + "/transcode/worker", Imports: libav}, 1},
		{pkg{ImportPath: module + "/packager", XTestImports: libav}, 1},
		{pkg{ImportPath: module + "/packager", TestImports: []string{"github.com/labstack/echo/v4"}}, 1},
		{pkg{ImportPath: module + "/internal/e2e", TestImports: []string{"github.com/bluenviron/gortsplib/v4"}}, 0},
	} {
		if got := borderBreaches([]pkg{c.p}); len(got) != c.want {
			t.Errorf("%s: got %q, want %d breaches", c.p.room(), got, c.want)
		}
	}
}

// native is the one room with cgo, and needing it is the rooms that reach it.
const native = "transcode/libav"

var needing = append([]string{native, "transcode/worker", "cmd/..."}, whole...)

func TestCgoStandsInOneRoom(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.CgoFiles)+len(p.CFiles) > 0 && p.room() != native {
			t.Errorf("%s uses cgo (%s), which stands in %s only: %s", p.room(),
				strings.Join(append(p.CgoFiles, p.CFiles...), ", "), native, address)
		}
	}
}

// All but the rooms that need it builds, tests too, with cgo switched off.
func TestTheRestBuildsWithoutCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the repository a second time")
	}
	args := []string{"vet", "-atomic"} // one small check: what counts is that everything compiles
	for _, p := range packages(t) {
		if !insideAny(p.room(), needing) {
			args = append(args, p.ImportPath)
		}
	}
	if _, err := run([]string{"CGO_ENABLED=0"}, "go", args...); err != nil {
		t.Errorf("without cgo (%s): %v", address, err)
	}
}
