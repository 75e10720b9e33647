package pipeline

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

// A publisher whose script makes more than the machine can carry beside what
// it carries already is refused when the script says what it makes.
func TestScriptThatIsTooDear(t *testing.T) {
	file := scriptFile(t, "copy, dear")
	r := newRig(t, "", func(_ *config.Config, deps *Deps) {
		var err error
		deps.Transcoder, err = transcode.NewSupervisor(transcode.Options{
			Command: []string{os.Args[0], "worker", ""}, Cores: 1.5, Pause: 10 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
	}, auto("*", byScript(file)))
	first := r.begin("one", h264(180), aac())
	r.play(first, "one", 4100*time.Millisecond)
	r.listed("one/180p/index.m3u8", 1)
	events := r.Events(t.Context())
	second := r.publish("two", h264(180), aac())
	second.send(time.Millisecond)
	for e := range events {
		if e.Type == "publisher:refused" && e.Path == "two" {
			break
		}
	}
	<-second.pub.Done()
	if err := second.pub.Err(); err == nil || !strings.Contains(err.Error(), "not enough cores") {
		t.Errorf("it was told %v", err)
	}
	// There is room once the first one has gone.
	first.pub.Close(nil)
	r.lookup("one").stream.Close(nil)
	r.until("room", func() bool { used, _ := r.deps.Transcoder.Load(); return used == 0 })
	r.begin("two", h264(180), aac())
}

// What a script's ladder gives up is known, and its rung is a gap.
func TestScriptGivesUp(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy, tired"))))
	events := r.Events(t.Context())
	c := r.begin("cam", h264(180), aac())
	r.play(c, "cam", 12100*time.Millisecond)
	for e := range events {
		if e.Type == "worker:degraded" {
			if data, ok := e.Data.(map[string]any); !ok || data["level"] != 4 || data["givenUp"] != "without 180p" {
				t.Errorf("event %+v", e)
			}
			break
		}
	}
	r.until("gap", func() bool {
		list, _ := r.list("cam/180p/index.m3u8")
		return gaps(list) > 0
	})
	s, _ := r.Get("cam")
	if s.State != status.Live || s.Worker == nil || s.Worker.Degraded != "without 180p" || s.Renditions[0].State != "off" {
		t.Errorf("status %+v, %+v", s.Worker, s.Renditions)
	}
}
