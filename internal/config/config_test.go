package config

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/media"
)

var update = flag.Bool("update", false, "write golden files and docs/config.md")

// designYAML is the configuration of DESIGN §1, word for word.
const designYAML = `
http: {listen: ":8080", tls: {cert: a.pem, key: b.pem}, origins: ["*"], trustedProxies: []}   # origins: playback only
rtsp: {listen: ":8554", transports: [tcp, udp]}
rtmp: {listen: ":1935"}
srt:  {listen: ":8890"}
data: ./millrace-data
auth:                               # a key travels as ?key=
  publish: [{path: "live/*", key: s3cret}]
  view: [{path: "private/*", token: v13w}]
  api: {token: t0ken}
  app: false                        # true: view rules hold for /app and /socket.io too
app: app.js                         # hooks, HTTP routes, realtime
env: [KEY]                          # the environment variables that scripts may see
retain: {age: 7d, size: 100GB}      # recordings
streams:
  - path: cam/front                 # exact, or a glob; first match wins
    source: rtsp://user:pass@camera/stream1    # pull; without it publishers push
    ladder: auto                    # auto | passthrough | a list, top first:
    #  - {name: 720p, height: 720, bitrate: 2500k, fps: 30, codec: h264}
    pipeline: pipelines/front.js    # a JS pipeline in place of the built-in one
    hls: {segment: 2s, part: 500ms, window: 30s, dvr: 0s, container: fmp4, lowLatency: true}
    hold: 30s                       # how long playlists outlive a lost publisher
    takeover: false                 # may a second publisher replace the first
    record: false                   # leave a VOD playlist behind
    clock: server                   # server | sender
    encoder: {threads: 0, nice: 5, preset: veryfast}
    onScriptError: fail             # fail | passthrough
`

func TestDesignExample(t *testing.T) {
	c, err := Parse("millrace.yaml", []byte(designYAML))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.HTTP.TLS = TLS{Cert: "a.pem", Key: "b.pem"}
	want.HTTP.TrustedProxies = []string{}
	want.Auth = Auth{
		Publish: []PublishRule{{Path: "live/*", Key: "s3cret"}},
		View:    []ViewRule{{Path: "private/*", Token: "v13w"}},
		API:     API{Token: "t0ken"},
	}
	want.App, want.Env = "app.js", []string{"KEY"}
	want.Retain = Retain{Age: 7 * 24 * time.Hour, Size: 100_000_000_000}
	s := DefaultStream()
	s.Path, s.Source, s.Pipeline = "cam/front", "rtsp://user:pass@camera/stream1", "pipelines/front.js"
	want.Streams = []Stream{s}
	want.File, want.source = c.File, c.source
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestExampleFile(t *testing.T) {
	c, err := Load(map[string]string{"config": "../../examples/millrace.yaml"}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if missing := NotYet(c); len(missing) > 0 {
		t.Errorf("the example asks for what is not there: %v", missing)
	}
	rungs := c.ForPath("live/a/b").Ladder.Rungs()
	want := []Rung{
		{Name: "720p", Height: 720, Bitrate: 2_500_000, FPS: media.Rational{Num: 30, Den: 1}, Codec: "h264"},
		{Name: "480p", Height: 480, Bitrate: 1_200_000, Codec: "h264"},
		{Name: "360p", Height: 360, Bitrate: 700_000, Codec: "h264"},
	}
	if !reflect.DeepEqual(rungs, want) {
		t.Errorf("rungs of live/*: %+v", rungs)
	}
	last := c.ForPath("something/else")
	last.Path = ""
	if last != DefaultStream() {
		t.Errorf("the last entry says it lists the defaults: %+v", last)
	}
	if c.Data != filepath.Join("../../examples", "millrace-data") {
		t.Errorf("data = %s, want it beside the file", c.Data)
	}
}

// An empty list closes what the default opens.
func TestEmptyListIsNotTheDefault(t *testing.T) {
	c, err := Parse("x.yaml", []byte("http: {origins: []}"))
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Origins == nil || len(c.HTTP.Origins) != 0 {
		t.Errorf("origins: %#v", c.HTTP.Origins)
	}
	if d := Diff(Default(), c); d.String() != "changed: http.origins" {
		t.Error(d)
	}
}

func TestStreamIsComparable(t *testing.T) {
	for _, v := range []any{Stream{}, RTSP{}, RTMP{}, SRT{}, Retain{}, TLS{}, API{}, Encoder{}, HLS{}} {
		if !reflect.TypeOf(v).Comparable() {
			t.Errorf("%T is not comparable", v)
		}
	}
}

func TestForPath(t *testing.T) {
	c, err := Parse("x.yaml", []byte(`
streams:
  - {path: cam/front, hold: 1s}
  - {path: "cam/*", hold: 2s, hls: {segment: 4s}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for path, hold := range map[string]time.Duration{
		"cam/front": time.Second, "cam/back": 2 * time.Second, "cam/a/b": 2 * time.Second,
		"cam": 30 * time.Second, "other": 30 * time.Second,
	} {
		if got := c.ForPath(path).Hold; got != hold {
			t.Errorf("hold of %s = %v, want %v", path, got, hold)
		}
	}
	if s := c.ForPath("cam/back"); s.HLS.Segment != 4*time.Second || s.HLS.Part != 500*time.Millisecond {
		t.Errorf("the rest of a section that is given in part is not the default: %+v", s.HLS)
	}
}

func TestAuthRules(t *testing.T) {
	a := Auth{
		Publish: []PublishRule{{"live/*", "one"}, {"live/a", "two"}, {"x", "three"}},
		View:    []ViewRule{{"private/*", "v"}},
	}
	want := access.Rules{{Path: "live/*", Key: "one"}, {Path: "live/a", Key: "two"}, {Path: "x", Key: "three"}}
	if got := a.PublishRules(); !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
	if got := a.ViewRules(); !got.Cover("private/a/b") || got.Cover("other") {
		t.Error("a guarded folder must guard what is deeper in it, and nothing else:", got)
	}
}

func noEnv(string) string { return "" }

func TestPrecedence(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "m.yaml")
	if err := os.WriteFile(file, []byte("http: {listen: ':1'}\nrtsp: {listen: ':2'}\nrtmp: {listen: ':3'}\ndata: kept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) string {
		return map[string]string{
			"MILLRACE_CONFIG": file, "MILLRACE_HTTP": ":11", "MILLRACE_RTSP": ":12", "MILLRACE_RTMP": "",
			"MILLRACE_LOG_FORMAT": "json",
		}[name]
	}
	c, err := Load(map[string]string{"http": ":21", "srt": "off"}, env)
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != ":21" || c.RTSP.Listen != ":12" || c.RTMP.Listen != ":3" || c.SRT.Listen != Off || c.LogFormat != "json" {
		t.Errorf("%+v", c)
	}
	if c.Data != filepath.Join(dir, "kept") {
		t.Error("data:", c.Data)
	}
	c, err = Load(map[string]string{"data": "here"}, env)
	if err != nil || c.Data != "here" {
		t.Error("a flag's path is relative to the working directory:", c.Data, err)
	}
}

func TestSettingErrors(t *testing.T) {
	for _, c := range []struct {
		flags map[string]string
		env   map[string]string
		want  string
	}{
		{map[string]string{"http": "8080"}, nil, `--http: 8080 is a port without its colon; write ":8080"`},
		{map[string]string{"http": ""}, nil, `--http: "" is not an address; write host:port, :port or off`},
		{map[string]string{"data": ""}, nil, `--data: is empty; name a folder`},
		{nil, map[string]string{"MILLRACE_RTSP": "none"}, `MILLRACE_RTSP: "none" is not an address; write host:port, :port or off`},
		{map[string]string{"log-format": "jsn"}, nil, `--log-format: "jsn" is not one of text or json; did you mean "json"?`},
		{map[string]string{"rtsp": ":8080"}, nil, `--rtsp: :8080 is the address of http.listen too; give each its own`},
		{map[string]string{"config": "nowhere.yaml"}, nil, `--config: there is no file nowhere.yaml; name one that exists, or leave it out for the defaults`},
		{nil, map[string]string{"MILLRACE_CONFIG": "."}, `MILLRACE_CONFIG: read .: is a directory`},
	} {
		_, err := Load(c.flags, func(n string) string { return c.env[n] })
		if err == nil || err.Error() != c.want {
			t.Errorf("%v %v:\ngot  %v\nwant %s", c.flags, c.env, err, c.want)
		}
	}
}

func TestNotYet(t *testing.T) {
	c, err := Parse("millrace.yaml", []byte(designYAML+`
  - path: b
    source: srt://x
    ladder: [{height: 720, codec: h265}]
    hls: {dvr: 2h, container: ts}
    record: true
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range NotYet(c) {
		got = append(got, m.String())
	}
	want := []string{
		"millrace.yaml:30: streams[1].source: pulling from srt:// is not in this version",
		"millrace.yaml:31: streams[1].ladder[0].codec: encoding to h265 is not in this version",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := NotYetListeners(c); !reflect.DeepEqual(got, []string{"rtmp"}) {
		t.Error(got)
	}
	if m := NotYet(Default()); len(m) > 0 {
		t.Error("the defaults ask for what is not there:", m)
	}
}

func TestMergeAndAlias(t *testing.T) {
	c, err := Parse("x.yaml", []byte(`
streams:
  - &base
    path: a
    hls: &h {segment: 4s, part: 1s}
    hold: 5s
  - <<: *base
    path: b
    hold: 6s
  - path: c
    hls: *h
`))
	if err != nil {
		t.Fatal(err)
	}
	b, cc := c.ForPath("b"), c.ForPath("c")
	if b.Hold != 6*time.Second || b.HLS.Segment != 4*time.Second || cc.HLS.Part != time.Second || cc.Hold != 30*time.Second {
		t.Errorf("%+v\n%+v", b, cc)
	}
}

func TestDiff(t *testing.T) {
	parse := func(text string) *Config {
		t.Helper()
		c, err := Parse("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := parse("auth: {api: {token: a}}\nstreams: [{path: a}, {path: b, hold: 1s}, {path: c}]")
	b := parse("auth: {api: {token: b}}\nhttp: {listen: ':1'}\nstreams: [{path: a}, {path: b, hold: 2s}, {path: d}]")
	got := Diff(a, b)
	if s := got.String(); s != "changed: http.listen, auth.api.token; streams: b, c, d; in force after a restart only: http.listen" {
		t.Error(s)
	}
	// c had an entry of its own that said nothing: without it, nothing changes.
	for path, changed := range map[string]bool{"a": false, "b": true, "c": false, "d": false, "e": false} {
		if got.Stream(path) != changed {
			t.Errorf("Stream(%s) = %v", path, !changed)
		}
	}
	if d := Diff(a, a); !d.Empty() || d.String() != "nothing has changed" {
		t.Error(d)
	}
	// The first match wins, so order alone can matter.
	x := parse("streams: [{path: 'a*', hold: 1s}, {path: '?b', hold: 2s}]")
	y := parse("streams: [{path: '?b', hold: 2s}, {path: 'a*', hold: 1s}]")
	if d := Diff(x, y); d.Empty() || !d.Stream("ab") || d.Stream("ac") {
		t.Error(d)
	}
}
