package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/jsapi/program/npmtest"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestExampleAdmission has a service decide who publishes.
func TestExampleAdmission(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var who struct {
			Path, Protocol, IP string
			Query              map[string]string
			Codecs             []string
		}
		if err := json.NewDecoder(r.Body).Decode(&who); err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, fmt.Sprint(who.Path, who.Protocol, who.Codecs))
		mu.Unlock()
		switch who.Query["key"] {
		case "good":
			fmt.Fprint(w, `{"allow": true, "path": "live/front"}`)
		case "bad":
			fmt.Fprint(w, `{"allow": false, "reason": "this key was revoked"}`)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer service.Close()
	s := start(t, "127.0.0.1", "serve", fmt.Sprintf("app: %q\nenv: [ADMISSION]", example(t, "admission.js")), "env", "ADMISSION="+service.URL)
	clip, _ := tools.Clip(t, "h264")
	for query, log := range map[string]string{"key=bad": "this key was revoked", "key=other": "the admission service answers 500"} {
		p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("cam?" + query)})
		if err := p.Wait(); err == nil || !strings.Contains(p.Output(), "403") {
			t.Errorf("%s: %v, %s", query, err, p.Output())
		}
		s.said(log)
	}
	s.publish("cam?key=good", clip)
	s.live("live/front", 1)
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 3 || asked[2] != "cam rtsp [h264 aac]" && !strings.Contains(asked[2], "h264") {
		t.Errorf("the service was asked about %q", asked)
	}
}

// TestExampleCaptions posts a line, sees it in the picture and finds it in the
// subtitles.
func TestExampleCaptions(t *testing.T) {
	t.Parallel()
	s := serveApp(t, example(t, "captions/app.js"), fmt.Sprintf(
		"streams: [{path: cam, pipeline: %q, hls: {window: 120s, subtitles: [{language: en, name: English}]}}]", example(t, "captions/pipeline.js")))
	clip, _ := longClip(t)
	s.publish("cam", clip)
	s.listed("cam", "360p", 2)
	if resp, body := s.request("POST", "/app/captions/cam", "It's 5 o'clock: good evening, 100%"); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("the line was answered with %d %s", resp.StatusCode, body)
	}
	if resp, _ := s.request("POST", "/app/captions/nobody", "x"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a line for a stream that is not there: %d", resp.StatusCode)
	}
	subtitles := s.url("/hls/cam/sub-en/")
	s.eventually(20*time.Second, "the line is in the subtitles", func() error {
		m, err := mediaPlaylist(subtitles + "index.m3u8")
		if err != nil {
			return err
		}
		for _, seg := range m.Segments {
			b, err := fetch(subtitles + seg.URI)
			if err != nil {
				return err
			}
			if strings.HasSuffix(string(b), "\nIt's 5 o'clock: good evening, 100%\n") {
				return nil
			}
		}
		return fmt.Errorf("it is in none of %d segments", len(m.Segments))
	})
	bottom := image.Rect(100, 270, 540, 345)
	n := len(s.listed("cam", "360p", 1).media["360p"].Segments)
	p := s.listed("cam", "360p", n+4)
	shown, hidden := 0, 0
	for _, file := range p.save(t, "360p") {
		for _, img := range pictures(t, file, 5) {
			if letters(img, bottom) > 600 {
				shown++
			} else {
				hidden++
			}
		}
	}
	if shown < 10 || shown > 30 || hidden < 20 {
		t.Errorf("of every fifth picture %d have the line, which was to be there for four seconds, and %d have not", shown, hidden)
	}
}

// TestExampleChat has two viewers of a stream talk, and one of another stream
// hear nothing of it.
func TestExampleChat(t *testing.T) {
	t.Parallel()
	packages := npmtest.Install(t, "socket.io-client@4.8.1")
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "chat.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	client := filepath.Join(dir, "chat.mjs")
	writeFile(t, client, string(script))
	s := serveApp(t, example(t, "chat/app.js"), "")
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	s.live("cam", 1)
	if b, err := s.get("/app/chat/cam"); err != nil || !strings.Contains(string(b), "socket.io-client") {
		t.Errorf("the page: %v, %s", err, b)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", client, s.url("")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "all is well") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExampleViewers watches, leaves, and finds itself counted.
func TestExampleViewers(t *testing.T) {
	t.Parallel()
	s := serveApp(t, example(t, "viewers.js"), `streams: [{path: "**", ladder: passthrough, hls: {segment: 500ms, part: 100ms, window: 4s}}]`)
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	dashboard, _, err := websocket.Dial(t.Context(), "ws://"+s.http+"/app/viewers", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dashboard.CloseNow()
	if _, first, err := dashboard.Read(t.Context()); err != nil || string(first) != "{}" {
		t.Errorf("the dashboard began with %s, %v", first, err)
	}
	p := s.live("cam", 1)
	if _, err := fetch(p.resolve(p.names()[0] + "/index.m3u8")); err != nil {
		t.Fatal(err)
	}
	_, pushed, err := dashboard.Read(t.Context())
	if err != nil || !strings.Contains(string(pushed), `"now":1`) {
		t.Errorf("the dashboard was told %s, %v", pushed, err)
	}
	type figures struct {
		Now, Visits, Addresses int
		Players                map[string]int
	}
	var all map[string]figures
	look := func(path string, to any) error {
		b, err := s.get(path)
		if err == nil {
			err = json.Unmarshal(b, to)
		}
		return err
	}
	if err := look("/app/viewers", &all); err != nil || all["cam"].Now != 1 || all["cam"].Addresses != 1 || all["cam"].Players["Go-http-client"] != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	var one figures
	s.eventually(30*time.Second, "the viewer has left", func() error {
		if err := look("/app/viewers/cam", &one); err != nil || one.Now != 0 || one.Visits != 1 {
			return fmt.Errorf("%+v, %w", one, err)
		}
		return nil
	})
	s.eventually(20*time.Second, "and is not within a window of a second any more", func() error {
		var none figures
		if err := look("/app/viewers/cam?window=1", &none); err != nil || none.Visits != 0 {
			return fmt.Errorf("%+v, %w", none, err)
		}
		return nil
	})
}

// TestExampleExpress installs the example's packages as its header says, and
// watches by its page.
func TestExampleExpress(t *testing.T) {
	t.Parallel()
	packages := npmtest.Install(t, "express@5.1.0")
	dir := t.TempDir()
	for _, name := range []string{"app.js", "package.json"} {
		b, err := os.ReadFile(example(t, "express-page/"+name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "package.json" && !strings.Contains(string(b), `"express": "5.1.0"`) {
			t.Errorf("the example wants another express: %s", b)
		}
		writeFile(t, filepath.Join(dir, name), string(b))
	}
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	s := serveApp(t, filepath.Join(dir, "app.js"), "")
	if resp, body := s.request("GET", "/app/tv/", ""); resp.StatusCode != 200 || !strings.Contains(body, "nothing") {
		t.Errorf("the empty list: %d %s", resp.StatusCode, body)
	}
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	s.live("cam", 1)
	if resp, body := s.request("GET", "/app/tv/", ""); resp.StatusCode != 200 || !strings.Contains(body, `<a href="watch/cam">cam</a>`) {
		t.Errorf("the list: %d %s", resp.StatusCode, body)
	}
	resp, body := s.request("GET", "/app/tv/watch/cam", "")
	if resp.StatusCode != 200 || !strings.Contains(body, `"/hls/cam/index.m3u8"`) {
		t.Errorf("the page: %d %s", resp.StatusCode, body)
	}
	if resp, _ := s.request("GET", "/app/tv/watch/none", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the page of no stream: %d", resp.StatusCode)
	}
	var streams []struct{ Path string }
	if _, body := s.request("GET", "/app/tv/api/streams", ""); json.Unmarshal([]byte(body), &streams) != nil || len(streams) != 1 || streams[0].Path != "cam" {
		t.Errorf("its API: %s", body)
	}
}
