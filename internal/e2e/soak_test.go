//go:build soak

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia/tools"
)

// held is what a server holds on to at a moment.
type held struct {
	goroutines int
	children   int
	files      int
	resident   int64 // bytes, of the server alone
	workers    int64 // bytes, of all its children
}

func (h held) String() string {
	return fmt.Sprintf("%d goroutines, %d children, %d descriptors, %d MiB (its children %d MiB)",
		h.goroutines, h.children, h.files, h.resident>>20, h.workers>>20)
}

// held looks at the server and below it. The connections that the test itself
// has open are closed first.
func (s *server) held() (held, error) {
	http.DefaultClient.CloseIdleConnections()
	text, err := s.get("/metrics")
	if err != nil {
		return held{}, err
	}
	own, err := tools.UsageOf(s.PID())
	if err != nil {
		return held{}, err
	}
	all, err := tools.Tree(s.PID())
	if err != nil {
		return held{}, err
	}
	h := held{
		children: len(own.Children), files: len(own.Files),
		resident: own.Resident, workers: all.Resident - own.Resident,
	}
	h.goroutines, err = gauge(text, "go_goroutines")
	return h, err
}

// gauge reads one figure of /metrics.
func gauge(text []byte, name string) (int, error) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			return int(f), err
		}
	}
	return 0, fmt.Errorf("/metrics does not tell %s", name)
}

// soakTime is how long a soak lasts: MILLRACE_SOAK, for a look, or what it is
// meant to last.
func soakTime(t *testing.T, meant time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("MILLRACE_SOAK")
	if text == "" {
		return meant
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 4*time.Minute { // a window has to fill twice before anything can be compared
		t.Fatalf("MILLRACE_SOAK=%s is not a duration of four minutes or more: %v", text, err)
	}
	return d
}
