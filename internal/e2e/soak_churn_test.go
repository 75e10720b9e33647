//go:build soak

package e2e

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSoakThousandPublishers lets a thousand publishers come and go where
// nobody is waited for: by TCP and UDP, passed through and coded, asked to
// stop and killed. The server is then what it was after the first hundred.
func TestSoakThousandPublishers(t *testing.T) {
	const abreast = 4
	warm, rounds := 100/abreast, 1000/abreast
	s := serve(t, `streams:
  - {path: "coded/*", hold: 0s, hls: {window: 6s}}
  - {path: "*", ladder: passthrough, hold: 0s, hls: {window: 6s}}`)
	clip, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 2 * time.Second })
	begin := time.Now()
	var before held
	for round := range rounds {
		if round == warm {
			before = s.rests("the first hundred")
		}
		for i, p := range s.churn(round, abreast, clip) {
			if i%2 == 0 {
				p.Kill()
			} else if err := p.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	took := time.Since(begin)
	after := s.rests("the last")
	t.Logf("%d publishers in %v", rounds*abreast, took.Round(time.Second))
	t.Logf("after the first %d: %v", warm*abreast, before)
	t.Logf("at the end: %v", after)
	if after.goroutines > before.goroutines+5 || after.children > 0 || after.files > before.files+5 {
		t.Error("something is left of those who left")
	}
	if grown := after.resident - before.resident; grown > 16<<20 {
		t.Errorf("the server grew by %d MiB", grown>>20)
	}
}

// churn has some publishers come at once, each to a path of its own that
// another one has just left, and waits until they are live. One in eight needs
// a worker.
func (s *server) churn(round, abreast int, clip string) []*tools.Process {
	s.t.Helper()
	var publishers []*tools.Process
	var paths []string
	begin := time.Now()
	for i := range abreast {
		path, transport := fmt.Sprintf("plain/%d", i), "tcp"
		if i == 0 && round%2 == 0 {
			path = "coded/0"
		}
		if i == 1 {
			transport = "udp"
		}
		paths = append(paths, path)
		publishers = append(publishers, tools.PublishFFmpeg(s.t, tools.Publication{
			Input: clip, URL: s.rtspURL(path), Loop: true, Transport: transport,
		}))
	}
	for i, path := range paths {
		s.eventually(30*time.Second, fmt.Sprintf("%s is live in round %d", path, round), func() error {
			if !publishers[i].Running() { // its predecessor was still there
				publishers[i] = s.publish(path, clip)
			}
			st, err := s.stream(path)
			if err == nil && (st.State != status.Live || st.Publisher == nil || st.Publisher.Since.Before(begin)) {
				err = fmt.Errorf("it is %s, by %+v", st.State, st.Publisher)
			}
			return err
		})
	}
	return publishers
}

// rests waits until all streams are gone, and then until the server holds as
// little as it will.
func (s *server) rests(who string) held {
	s.t.Helper()
	s.eventually(time.Minute, "nothing is left of "+who, func() error {
		var list struct {
			Streams []status.Stream `json:"streams"`
		}
		body, err := s.get("/api/v1/streams")
		if err == nil {
			err = json.Unmarshal(body, &list)
		}
		if err == nil && len(list.Streams) > 0 {
			err = fmt.Errorf("the API lists %d, %s first", len(list.Streams), list.Streams[0].Path)
		}
		if err == nil && len(s.children()) > 0 {
			err = fmt.Errorf("there are processes %v", s.children())
		}
		return err
	})
	var least held
	deadline := time.Now().Add(15 * time.Second) // connections time out, the collector runs
	for least.goroutines == 0 || time.Now().Before(deadline) {
		h, err := s.held()
		if err != nil {
			s.t.Fatal(err)
		}
		if least.goroutines == 0 {
			least = h
		}
		least.goroutines, least.files = min(least.goroutines, h.goroutines), min(least.files, h.files)
		least.resident, least.children = min(least.resident, h.resident), h.children
		<-time.After(time.Second)
	}
	return least
}
