package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// until asks again and again, for conditions that need time.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}

// streamOf is what the API says of a stream, its zero value where there is none.
func streamOf(t *testing.T, console, path string, header ...string) (s status.Stream) {
	t.Helper()
	code, body := get(t, console+"api/v1/streams/"+path, header...)
	if code == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestPublishAndPull(t *testing.T) {
	film, recipe := tools.Clip(t, "h264-b", func(r *testmedia.Recipe) { r.Duration = 8 * time.Second })
	origin := start(t, nil, anywhere...)
	console := origin.sees(`console=(http://localhost:\d+/)`)
	rtsp := strings.TrimSuffix(origin.sees(`publish=(rtsp://localhost:\d+/)`), "/")

	// A second server pulls what the first one gets.
	file := filepath.Join(t.TempDir(), "m.yaml")
	write(t, file, "streams: [{path: copy, source: '"+rtsp+"/film', ladder: passthrough}, {path: later, source: 'srt://x'}]\n")
	edge := start(t, nil, append(anywhere, "-c", file)...)
	edgeConsole := edge.sees(`console=(http://localhost:\d+/)`)
	edge.sees(`pulling from srt:// is not in this version`)

	p := start(t, nil, "publish", "--loop", film, rtsp+"/film")
	p.sees(`publishing to ` + regexp.QuoteMeta(rtsp) + `/film`)
	for _, c := range []struct{ console, path string }{{console, "film"}, {edgeConsole, "copy"}} {
		until(t, c.path+" is live", func() bool { return streamOf(t, c.console, c.path).State == status.Live })
		playlist := c.console + "hls/" + c.path + "/index.m3u8"
		until(t, c.path+" plays", func() bool { code, _ := get(t, playlist); return code == http.StatusOK })
		r := tools.MustRead(t, time.Minute, playlist, tools.ReadOptions{Length: 3 * time.Second})
		if err := r.Check(recipe.Frames()); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
	}

	p.signals <- syscall.SIGINT
	if code := p.ends(10 * time.Second); code != exitDone {
		t.Errorf("a loop that is stopped: exit code %d", code)
	}
	for _, r := range []*running{edge, origin} {
		r.signals <- syscall.SIGTERM
		if code := r.ends(10 * time.Second); code != exitDone {
			t.Errorf("exit code %d", code)
		}
	}
}

func TestPublishOnce(t *testing.T) {
	film, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 2 * time.Second })
	server := start(t, map[string]string{"MILLRACE_CONTAINER": "1", "MILLRACE_DATA": t.TempDir()}, anywhere...)
	key := server.sees(`key=([A-Z2-7]{26})`)
	rtsp := strings.TrimSuffix(server.sees(`publish=(rtsp://localhost:\d+/)`), "/")

	begin := time.Now()
	code, _, errs := finished(t, "publish", film, rtsp+"/a?key="+key)
	if code != exitDone || strings.Contains(errs, key) {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if took := time.Since(begin); took < 1900*time.Millisecond {
		t.Errorf("two seconds of film took %v", took)
	}
	if code, _, errs = finished(t, "publish", film, strings.Replace(rtsp, "rtsp://", "rtsp://me:"+key+"@", 1)+"/b"); code != exitDone {
		t.Errorf("the key as a password: exit code %d: %s", code, errs)
	}
	for _, c := range []struct {
		url, want string
		code      int
	}{
		{rtsp + "/a", "401", exitFailed},
		{rtsp + "/a?key=wr0ng", "401", exitFailed},
		{rtsp + "/..", "400", exitFailed},
		{"rtmp://localhost/a", "publishing to rtmp:// is not in this version", exitFailed},
		{"srt://localhost:1", "publishing to srt:// is not in this version", exitFailed},
		{"http://localhost/a", "cannot publish to http://; write rtsp://HOST/PATH", exitUsage},
		{"film", "film is not a URL to publish to; write rtsp://HOST/PATH", exitUsage},
	} {
		code, _, errs := finished(t, "publish", film, c.url)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "wr0ng") {
			t.Errorf("%s: exit code %d: %q", c.url, code, errs)
		}
	}
}

// A server that goes away ends publish with an error.
func TestPublishLosesItsServer(t *testing.T) {
	film, _ := tools.Clip(t, "h264")
	server := start(t, nil, anywhere...)
	rtsp := server.sees(`publish=(rtsp://localhost:\d+/)`)
	p := start(t, nil, "publish", "--loop", film, rtsp+"film")
	server.sees(`stream is live`)
	server.signals <- syscall.SIGTERM
	server.ends(10 * time.Second)
	if code := p.ends(15 * time.Second); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if errs := p.errs.String(); !regexp.MustCompile(`(?m)^millrace: rtsp://localhost:\d+/film: the server ended the session .+\n\z`).MatchString(errs) {
		t.Errorf("it says %q", errs)
	}
}

// cameras are the camera processes of this test's demo.
func cameras(t *testing.T) (list []int) {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range procs {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		_, rest, ok := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); ok && len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			args, err := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			pid, convErr := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err == nil && convErr == nil && strings.HasSuffix(string(args), "\x00camera\x00") {
				list = append(list, pid)
			}
		}
	}
	return list
}

func TestDemo(t *testing.T) {
	args := append([]string{"demo"}, anywhere[1:]...)
	r := start(t, map[string]string{"MILLRACE_CONTAINER": "1", "MILLRACE_DATA": t.TempDir()}, args...)
	begin := time.Now()
	watch := r.sees(`Watch    (http://localhost:\d+/watch/demo)`)
	t.Logf("something to see after %v", time.Since(begin).Round(time.Millisecond))
	playlist := strings.Replace(watch, "/watch/demo", "/hls/demo/index.m3u8", 1)
	if code, body := get(t, playlist); code != http.StatusOK || !strings.Contains(body, "720p/index.m3u8") {
		t.Errorf("%d %s", code, body)
	}
	rec := tools.MustRead(t, time.Minute, playlist, tools.ReadOptions{Length: 4 * time.Second})
	for _, skew := range rec.Skews() {
		if skew.Abs() > 40*time.Millisecond {
			t.Errorf("the sound is %v late", skew)
		}
	}

	list := cameras(t)
	if len(list) != 1 {
		t.Fatalf("cameras: %v", list)
	}
	if err := syscall.Kill(list[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.sees(`the camera stopped; another one starts`)
	until(t, "another camera films", func() bool { now := cameras(t); return len(now) == 1 && now[0] != list[0] })

	r.signals <- syscall.SIGTERM
	if code := r.ends(10 * time.Second); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if list := cameras(t); len(list) > 0 {
		t.Errorf("cameras are left: %v", list)
	}
}

func TestDemoNeedsItsListeners(t *testing.T) {
	code, _, errs := finished(t, "demo", "--http", "127.0.0.1:0", "--rtsp", "off")
	if code != exitFailed || !strings.Contains(errs, "the demo needs both listeners") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
