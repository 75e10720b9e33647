//go:build soak

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// tried is a stream that players are given: a row of the table.
type tried struct {
	as, codecs, encryption string
	path, clip             string
}

func (r tried) dash() bool { return r.as == "DASH" }

func (r tried) name() string { return strings.Join([]string{r.as, r.codecs, r.encryption}, ", ") }

const triedStreams = `streams:
  - {path: "clear/*", ladder: passthrough}
  - {path: "aes/*", ladder: passthrough, hls: {encryption: {method: aes-128}}}
  - {path: "cbcs/*", ladder: passthrough, hls: {encryption: {method: cbcs}}}
  - {path: "ts/*", ladder: passthrough, hls: {container: ts}}
  - {path: "ts-aes/*", ladder: passthrough, hls: {container: ts, encryption: {method: aes-128}}}`

var triedRows = []tried{
	{"HLS, fMP4", "H.264, AAC", "", "clear/h264", "h264-b"},
	{"HLS, fMP4", "H.264, AAC", "AES-128", "aes/h264", "h264-b"},
	{"HLS, fMP4", "H.264, AAC", "cbcs", "cbcs/h264", "h264-b"},
	{"HLS, fMP4", "H.265, AAC", "", "clear/h265", "h265"},
	{"HLS, fMP4", "VP9, AAC", "", "clear/vp9", "vp9"},
	{"HLS, fMP4", "AV1, AAC", "", "clear/av1", "av1"},
	{"HLS, MPEG-TS", "H.264, AAC", "", "ts/h264", "h264-b"},
	{"HLS, MPEG-TS", "H.264, AAC", "AES-128", "ts-aes/h264", "h264-b"},
	{"DASH", "H.264, AAC", "", "clear/h264", "h264-b"},
	{"DASH", "H.264, AAC", "cbcs", "cbcs/h264", "h264-b"},
	{"DASH", "H.265, AAC", "", "clear/h265", "h265"},
	{"DASH", "VP9, AAC", "", "clear/vp9", "vp9"},
	{"DASH", "AV1, AAC", "", "clear/av1", "av1"},
}

// triedPlayer is a column of the table.
type triedPlayer struct {
	name string
	play func(t testing.TB, s *server, r tried, recipe testmedia.Recipe)
	// lacks is what the player, as this machine has it, is known not to do: why,
	// by a pattern of the row's name. It is tried all the same.
	lacks map[string]string
	// other is a pattern of what the player is not for.
	other string
}

func (s *server) as(r tried) string {
	if r.dash() {
		return s.dash(r.path)
	}
	return s.hls(r.path)
}

var triedPlayers = []triedPlayer{
	{name: "hls.js", play: triedPage, other: "^DASH", lacks: map[string]string{
		"H.265": "this Chromium decodes no H.265",
	}},
	{name: "shaka-player", play: triedBrowser(browser.Shaka), lacks: map[string]string{
		"H.265": "this Chromium decodes no H.265",
	}},
	{name: "dash.js", play: triedBrowser(browser.DashJS), other: "^HLS", lacks: map[string]string{
		"H.265": "this Chromium decodes no H.265",
	}},
	{name: "ffmpeg", other: "^DASH", play: func(t testing.TB, s *server, r tried, recipe testmedia.Recipe) { // Debian builds it without libxml2's MPD reader
		checkFFmpeg(t, s.as(r), recipe)
	}},
	{name: "GStreamer", lacks: map[string]string{
		"fMP4.*AES-128": "takes the initialization section for encrypted",
		"cbcs":          "knows no cbcs",
		"HLS.*VP9":      "buffers without end",
		"HLS.*AV1":      "its parser misses the sequence header",
	}, play: func(t testing.TB, s *server, r tried, recipe testmedia.Recipe) {
		checkGStreamer(t, s.as(r), recipe, 50)
	}},
	{name: "VLC", lacks: map[string]string{
		"cbcs": "knows no cbcs",
	}, play: func(t testing.TB, s *server, r tried, recipe testmedia.Recipe) {
		checkVLC(t, s.as(r), recipe)
	}},
}

// triedPage is hls.js on our player page.
func triedPage(t testing.TB, s *server, r tried, recipe testmedia.Recipe) {
	page := browser.Open(t, s.url("/watch/"+r.path))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	triedShown(t, video, r, recipe)
}

func triedBrowser(p browser.Player) func(testing.TB, *server, tried, testmedia.Recipe) {
	return func(t testing.TB, s *server, r tried, recipe testmedia.Recipe) {
		triedShown(t, browser.Play(t, p, s.as(r)), r, recipe)
	}
}

// seam is how many pictures of time may lie where a clip with B-frames begins
// again.
const seam = 3

// triedShown wants every picture in its place; of cbcs, which pages cannot look
// into, that it goes on.
func triedShown(t testing.TB, video *browser.Video, r tried, recipe testmedia.Recipe) {
	if r.encryption == "cbcs" {
		video.Playing(20 * time.Second)
		return
	}
	video.Shown()
	c := browser.CheckShown(video.Collect(50, 20*time.Second), recipe.Complete().Video.Rate, recipe.Frames())
	if c.Repeated <= seam { // where the clip begins again
		c.Repeated = 0
	}
	if !c.Perfect() {
		t.Error(c)
	}
}

// TestSoakPlayers has every player play everything that it might, and writes the
// table of docs/players.md. Where only some of it is chosen by -run, the
// rest of the table stays.
func TestSoakPlayers(t *testing.T) {
	s := serve(t, triedStreams)
	recipes := map[string]testmedia.Recipe{}
	for _, r := range triedRows {
		if _, there := recipes[r.path]; there {
			continue
		}
		file, recipe := tools.Clip(t, r.clip)
		recipes[r.path] = recipe
		tools.Start(t, tools.Command{Path: binary, Args: []string{"publish", "--loop", file, s.rtspURL(r.path)}})
	}
	for path := range recipes {
		s.eventually(30*time.Second, path+" is live", s.inState(path, status.Live))
		s.live(path, 1)
	}
	table := readTable(t)
	for _, p := range triedPlayers {
		t.Run(p.name, func(t *testing.T) {
			for _, r := range triedRows {
				if p.other != "" && regexp.MustCompile(p.other).MatchString(r.name()) {
					table[r.name()+p.name] = "–"
					continue
				}
				t.Run(r.name(), func(t *testing.T) {
					table[r.name()+p.name] = p.try(t, s, r, recipes[r.path], table[r.name()+p.name])
					writeTable(t, table) // whatever becomes of the rest
				})
			}
		})
	}
	writeTable(t, table)
}

// try returns what the table is to say, before where the test fails.
func (p *triedPlayer) try(t *testing.T, s *server, r tried, recipe testmedia.Recipe, before string) string {
	t.Helper()
	lack := ""
	for pattern, why := range p.lacks {
		if regexp.MustCompile(pattern).MatchString(r.name()) {
			lack = why
		}
	}
	failed := attempt(t, func(t testing.TB) { p.play(t, s, r, recipe) })
	switch {
	case failed == "" && lack != "":
		t.Errorf("it plays now: strike %q", lack)
	case failed == "":
		return "plays"
	case lack != "":
		return lack
	default:
		t.Error(failed)
	}
	return before
}

// attempted is a test that may fail without failing its parent.
type attempted struct {
	testing.TB
	cleanups []func()
	failed   []string
}

// attempt runs a test and returns why it failed, empty where it did not.
func attempt(t *testing.T, do func(testing.TB)) string {
	t.Helper()
	a := &attempted{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(a)
	}()
	<-done
	for _, clean := range slices.Backward(a.cleanups) {
		clean()
	}
	return strings.Join(a.failed, "; ")
}

func (a *attempted) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }
func (a *attempted) Failed() bool     { return len(a.failed) > 0 }
func (a *attempted) Fail()            { a.failed = append(a.failed, "failed") }
func (a *attempted) Error(args ...any) {
	a.failed = append(a.failed, strings.TrimSpace(fmt.Sprintln(args...)))
}

func (a *attempted) Errorf(format string, args ...any) {
	a.failed = append(a.failed, fmt.Sprintf(format, args...))
}

func (a *attempted) FailNow() {
	a.Fail()
	runtime.Goexit()
}

func (a *attempted) Fatal(args ...any) {
	a.Error(args...)
	runtime.Goexit()
}

func (a *attempted) Fatalf(format string, args ...any) {
	a.Errorf(format, args...)
	runtime.Goexit()
}

// Context ends with the attempt's test.
func (a *attempted) Context() context.Context { return a.TB.Context() }

// Where the table stands.
const (
	tableFile  = "../../docs/players.md"
	tableBegin = "<!-- made by TestSoakPlayers -->\n"
	tableEnd   = "<!-- end of what TestSoakPlayers made -->\n"
)

// readTable returns the cells that are there, by row and player.
func readTable(t *testing.T) map[string]string {
	t.Helper()
	_, text, _ := cutTable(t)
	table := map[string]string{}
	var head []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if head == nil {
			head = cells
		}
		for i := 3; i < len(cells) && i < len(head); i++ {
			r := tried{as: cells[0], codecs: cells[1], encryption: cells[2]}
			table[r.name()+head[i]] = cells[i]
		}
	}
	return table
}

func cutTable(t *testing.T) (before, table, after string) {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(tableFile))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(b), tableBegin)
	table, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", tableFile)
	}
	return before, table, after
}

func writeTable(t *testing.T, table map[string]string) {
	t.Helper()
	before, _, after := cutTable(t)
	var out strings.Builder
	out.WriteString(before + tableBegin + "| as | codecs | encryption |")
	for _, p := range triedPlayers {
		out.WriteString(" " + p.name + " |")
	}
	out.WriteString("\n|" + strings.Repeat("---|", 3+len(triedPlayers)) + "\n")
	for _, r := range triedRows {
		fmt.Fprintf(&out, "| %s | %s | %s |", r.as, r.codecs, r.encryption)
		for _, p := range triedPlayers {
			out.WriteString(" " + cmp.Or(table[r.name()+p.name], "not tried") + " |")
		}
		out.WriteString("\n")
	}
	out.WriteString(tableEnd + after)
	if err := os.WriteFile(filepath.FromSlash(tableFile), []byte(out.String()), 0o644); err != nil { //nolint:gosec // a file of the repository
		t.Fatal(err)
	}
}
