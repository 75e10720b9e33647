package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSecondPublisher is refused, by a status and words that say why, and the
// first does not notice; where takeover is on it takes over.
func TestSecondPublisher(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams:
  - {path: taken, takeover: true, hold: 1s, hls: {window: 120s}}
  - {path: "*", hold: 1s, hls: {window: 120s}}`)
	events := s.events()
	clip, recipe := tools.Clip(t, "h264-b")
	busy := publication{path: "busy", want: []string{copied, aacCopy}}
	first := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("busy")})
	taken := s.publish("taken", clip)
	s.eventually(10*time.Second, "both are live", func() error {
		for _, path := range []string{"busy", "taken"} {
			if err := s.inState(path, status.Live)(); err != nil {
				return err
			}
		}
		return nil
	})

	second := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("busy")})
	if err := second.Wait(); err == nil {
		t.Error("a second publisher came to its end")
	}
	if out := second.Output(); !strings.Contains(out, "453") || !strings.Contains(out, "already has a publisher") {
		t.Errorf("the second publisher says %q", out)
	}
	events.wait("publisher:refused", "busy", "already has a publisher")

	successor := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("taken")})
	if err := taken.Wait(); err == nil {
		t.Error("the publisher that was taken over from came to a good end")
	}
	p := publication{path: "taken"}
	p.wait(t, successor, recipe.Duration)
	s.eventually(20*time.Second, "the stream has ended", s.inState("taken", status.Ended))
	pres, err := load(s.hls("taken"))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range pres.media {
		if n := discontinuities(m); n != 1 {
			t.Errorf("%s: %d discontinuities", name, n)
		}
	}
	files := pres.save(t, "360p")
	r := tools.MustRead(t, time.Minute, files[len(files)-1], tools.ReadOptions{NoAudio: true})
	if err := r.Check(0); err != nil || len(r.Pictures) != recipe.Frames() {
		t.Errorf("the successor's part has %d frames of %d: %v", len(r.Pictures), recipe.Frames(), err)
	}

	busy.check(t, s, first, recipe)
}

// TestKeys has everybody but this machine's own need a key. The machine's
// address in its network is as far away as this test can be.
func TestKeys(t *testing.T) {
	t.Parallel()
	host := outward(t)
	s := serveOn(t, host, `auth: {publish: [{path: "live/*", key: s3cret}], view: [{path: "live/private", token: v13w}], api: {token: t0ken}}
streams: [{path: "*", ladder: passthrough, hold: 0s}]`)
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = time.Second })
	for _, c := range []struct {
		name, url string
		refused   string // what the publisher says; empty: it may
	}{
		{"no key", "rtsp://%s/live/a", "401"},
		{"wrong key", "rtsp://%s/live/b?key=guess", "401"},
		{"wrong password", "rtsp://me:guess@%s/live/c", "401"},
		{"no rule", "rtsp://%s/other?key=s3cret", "403"},
		{"key", "rtsp://%s/live/d?key=s3cret", ""},
		{"password", "rtsp://me:s3cret@%s/live/e", ""},
		{"SRT, no key", "srt://%s?streamid=publish:live/f", "REJECT reported"},
		{"SRT, wrong key", "srt://%s?streamid=publish:live/g:guess", "REJECT reported"},
		{"SRT, key", "srt://%s?streamid=publish:live/h:s3cret", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := s.rtsp
			if strings.HasPrefix(c.url, "srt:") {
				at = s.srt
			}
			p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: fmt.Sprintf(c.url, at)})
			err := p.Wait()
			if (err == nil) != (c.refused == "") || !strings.Contains(p.Output(), c.refused) {
				t.Errorf("%v, it says %q", err, p.Output())
			}
		})
	}
	t.Run("api", func(t *testing.T) {
		for token, want := range map[string]int{"": http.StatusUnauthorized, "guess": http.StatusUnauthorized, "t0ken": http.StatusOK} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url("/api/v1/streams"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("token %q: status %d, want %d", token, resp.StatusCode, want)
			}
		}
	})
	t.Run("view", func(t *testing.T) {
		tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: fmt.Sprintf("rtsp://%s/live/private?key=s3cret", s.rtsp), Loop: true})
		s.eventually(20*time.Second, "the token opens it", func() error {
			_, err := s.get("/hls/live/private/index.m3u8?token=v13w")
			return err
		})
		for _, path := range []string{"/hls/live/private/index.m3u8", "/hls/live/private/index.m3u8?token=guess"} {
			if _, err := s.get(path); !isStatus(err, http.StatusUnauthorized) && !isStatus(err, http.StatusForbidden) {
				t.Errorf("%s: %v", path, err)
			}
		}
		if _, err := tools.Probe(t.Context(), s.rtspURL("live/private"), "-rtsp_transport", "tcp"); err == nil {
			t.Error("RTSP shows it to everybody")
		}
		tools.MustProbe(t, "rtsp://me:v13w@"+s.rtsp+"/live/private", "-rtsp_transport", "tcp")
	})
}

// outward is this machine's address in a network.
func outward(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Skip("this machine is in no network")
	return ""
}

// TestUnsupported publishes what cannot be taken: alone it is refused, beside
// sound it is left out; both name it, to the publisher, in the API, in events
// and in the log.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: '*', hold: 0s}]")
	events := s.events()
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = time.Second })
	alone := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("alone"), Codecs: []string{"-an", "-c:v", "h263", "-s", "352x288"}})
	if err := alone.Wait(); err == nil {
		t.Error("H.263 was taken")
	}
	if out := alone.Output(); !strings.Contains(out, "415") || !strings.Contains(out, "H263") {
		t.Errorf("the publisher is told %q", out)
	}
	events.wait("publisher:refused", "alone", "H263")
	if out := s.Output(); !strings.Contains(out, "H263") {
		t.Errorf("the log says %q", out)
	}

	tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("beside"), Loop: true, Codecs: []string{"-c:a", "copy", "-c:v", "h263", "-s", "352x288"}})
	s.eventually(20*time.Second, "sound without picture", s.inState("beside", status.Live))
	st, err := s.stream("beside")
	if err != nil {
		t.Fatal(err)
	}
	problem := ""
	for _, track := range st.Tracks {
		if track.Kind == "video" {
			problem = track.Codec + ": " + track.Problem
		}
	}
	if !strings.Contains(problem, "H263") || len(problem) < len("H263: x") {
		t.Errorf("the API says %+v", st.Tracks)
	}
	if got := shape(st); len(got) != 1 || got[0] != aacCopy {
		t.Errorf("renditions %q", got)
	}
}

// listener collects what the server tells of itself.
type listener struct {
	s  *server
	mu sync.Mutex
	// all events, oldest first
	all []status.Event
}

// events listens until the test ends.
func (s *server) events() *listener {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/api/v1/events"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &listener{s: s}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			var e status.Event
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil {
				l.mu.Lock()
				l.all = append(l.all, e)
				l.mu.Unlock()
			}
		}
	}()
	s.t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

// wait waits for an event whose data contain the words.
func (l *listener) wait(kind, path, words string) {
	l.s.t.Helper()
	l.s.eventually(10*time.Second, fmt.Sprintf("%s of %s says %q", kind, path, words), func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range l.all {
			if e.Type == kind && e.Path == path && strings.Contains(fmt.Sprint(e.Data), words) {
				return nil
			}
		}
		return fmt.Errorf("events so far: %v", l.all)
	})
}
