package packager

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/packager/protect"
)

// What golden files cannot show of the MPD.
func TestManifest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{LowLatency: true})
		defer func() { s.Close() }()
		s.play(3)
		w := s.get("manifest.mpd")
		text := w.Body.String()
		for _, want := range []string{
			`<InbandEventStream schemeIdUri="https://aomedia.org/emsg/ID3">`, `availabilityTimeComplete="false"`, `availabilityTimeOffset="1.5"`,
			`<Latency target="2560" min="1560" max="9000">`, `<Label>`,
		} {
			if has := strings.Contains(text, want); has == (want == `<Label>`) { // the sound has no title
				t.Errorf("%s: %v in\n%s", want, has, text)
			}
		}
		if strings.Count(text, "InbandEventStream ") != 1 {
			t.Errorf("events are announced in several sets:\n%s", text)
		}
		if w.Header().Get("Content-Type") != "application/dash+xml" || w.Header().Get("Cache-Control") != "public, max-age=1" {
			t.Error(w.Header())
		}
		if again := s.get("manifest.mpd"); again.Body.String() != text {
			t.Error("nothing has changed, and it is another one")
		}
		if clock, err := time.Parse(time.RFC3339, strings.TrimSpace(s.get("time").Body.String())); err != nil || !clock.Equal(time.Now().Truncate(time.Millisecond)) {
			t.Errorf("it is %v, %v", clock, err)
		}
	})
}

func TestNoManifest(t *testing.T) {
	for name, c := range map[string]Config{
		"MPEG-TS":              {Container: TS},
		"encrypted as a whole": {Protection: &Protection{Method: protect.AES128}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newMarked(t, c)
			defer func() { s.Close() }()
			s.play(3)
			if w := s.get("manifest.mpd"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "there is no DASH of") || s.DASH() {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		})
	}
}
