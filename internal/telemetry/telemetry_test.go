package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var colour = regexp.MustCompile("\x1b\\[[0-9]*m")

func TestTerminalLines(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, LogOptions{Terminal: true})
	log.Debug("not written")
	log.Info("stream is live", "path", "cam/front", "took", 1234567*time.Nanosecond)
	log.With("stream", "a b").WithGroup("g").Warn("odd", "n", 1, slog.Group("h", "x", true), "err", errors.New("no \x1b[2J way"))
	log.Error("line\nbreak\x1b[2J", "empty", "")
	got := colour.ReplaceAllString(b.String(), "")
	got = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3} `).ReplaceAllString(got, "")
	want := `INFO  stream is live  path=cam/front took=1.235ms
WARN  odd  stream="a b" g.n=1 g.h.x=true g.err="no \x1b[2J way"
ERROR line·break·[2J  empty=""
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPlainAndJSON(t *testing.T) {
	var b bytes.Buffer
	NewLogger(&b, LogOptions{}).Info("hello there", "took", 1500*time.Millisecond)
	if got := regexp.MustCompile(`time=\S+`).ReplaceAllString(b.String(), "time=T"); got != "time=T level=INFO msg=\"hello there\" took=1.5s\n" {
		t.Errorf("%q", got)
	}
	b.Reset()
	NewLogger(&b, LogOptions{Format: JSON, Level: slog.LevelWarn}).Info("not written")
	NewLogger(&b, LogOptions{Format: JSON, Terminal: true}).Info("hello", "path", "a")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || line["msg"] != "hello" || line["path"] != "a" {
		t.Errorf("%q %v", b.String(), err)
	}
}

// lockedBuffer is written by a timer and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := strings.TrimSpace(regexp.MustCompile(`time=\S+ level=WARN `).ReplaceAllString(l.b.String(), ""))
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func TestFaultsReportOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b lockedBuffer
		f := NewFaults(NewLogger(&b, LogOptions{}), "packets repaired")
		for i := range 1000 {
			f.Count("jump", nil)
			if i%100 == 0 {
				f.Count("backwards", errors.New("by 3 s"))
			}
		}
		if n := len(b.lines()); n != 0 {
			t.Fatal("written at once:", n)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got := b.lines(); len(got) != 1 || got[0] != `msg="packets repaired" backwards=10 jump=1000 example="by 3 s"` {
			t.Fatalf("%q", got)
		}
		time.Sleep(time.Minute)
		if n := len(b.lines()); n != 1 {
			t.Fatal("reports without faults:", n)
		}
		f.Count("jump", nil)
		f.Close() // reports what is left
		f.Count("jump", nil)
		f.Close()
		if got := b.lines(); len(got) != 2 || got[1] != `msg="packets repaired" jump=1` {
			t.Fatalf("%q", got)
		}
	})
}

func TestFaultsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b lockedBuffer
		f := NewFaults(NewLogger(&b, LogOptions{}), "x")
		for i := range 10_000 {
			f.Count("kind"+string(rune('a'+i%26))+string(rune('a'+i/26%26)), nil)
		}
		f.Close()
		if got := b.lines(); len(got) != 1 || strings.Count(got[0], "=") > maxKinds+2 {
			t.Errorf("%q", got)
		}
	})
}

func TestFaultsFromManyGoroutines(t *testing.T) {
	var b lockedBuffer
	f := NewFaults(NewLogger(&b, LogOptions{}), "x")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				f.Count("k", nil)
			}
		})
	}
	wg.Wait()
	f.Close()
	if got := b.lines(); len(got) != 1 || got[0] != "msg=x k=8000" {
		t.Errorf("%q", got)
	}
}

func TestPull(t *testing.T) {
	packets := Counter("millrace_test_packets_total", "Packets.", "path")
	live := Gauge("millrace_test_live", "Live streams.")
	n := 0.0
	c := Pull([]Family{packets, live}, func(emit Emit) {
		n++
		emit(packets, n, "a")
		emit(live, 1)
	})
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	for want := 1.0; want <= 2; want++ {
		families, err := r.Gather()
		if err != nil || len(families) != 2 {
			t.Fatal(families, err)
		}
		m := families[1].GetMetric()[0]
		if families[1].GetName() != "millrace_test_packets_total" || m.GetCounter().GetValue() != want || m.GetLabel()[0].GetValue() != "a" {
			t.Errorf("scrape %v: %v", want, families[1])
		}
	}
	bad := Pull([]Family{packets}, func(emit Emit) { emit(packets, 1) })
	broken := NewRegistry("v1")
	broken.MustRegister(bad)
	if _, err := broken.Gather(); err == nil {
		t.Error("a value without its label is not reported")
	}
}

func TestRegistryHasTheBasics(t *testing.T) {
	families, err := NewRegistry("v1").Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for _, f := range families {
		have[f.GetName()] = true
	}
	for _, name := range []string{"millrace_build_info", "process_cpu_seconds_total", "process_open_fds", "go_goroutines"} {
		if !have[name] {
			t.Errorf("no %s", name)
		}
	}
}
