package check

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// TestWhatOthersMayDo holds the rules to be no stricter than they are: each of
// these was found broken once, on the output of another server.
func TestWhatOthersMayDo(t *testing.T) {
	for name, c := range map[string]struct {
		fault
		broken []string
	}{
		"dates on the newest segments only": {fault: fault{model: func(name string, m *playlist.Media) {
			keep := 2
			if strings.HasPrefix(name, "audio") {
				keep = 1
			}
			for i := range max(len(m.Segments)-keep, 0) {
				m.Segments[i].ProgramDateTime = time.Time{}
			}
		}}},
		"nobody looks while a question is held": {fault: fault{handle: slow(3500*time.Millisecond, func(r *http.Request) bool {
			return strings.Contains(r.URL.RawQuery, "_HLS_part=100000")
		})}, broken: []string{"part-too-far"}},
		"two and a half part targets": {fault: fault{text: attribute("PART-HOLD-BACK", "0.500")}, broken: []string{"part-hold-back-three"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := broken(run(t, &c.fault)); !slices.Equal(got, c.broken) {
					t.Errorf("found %q, want %q", got, c.broken)
				}
			})
		})
	}
}
