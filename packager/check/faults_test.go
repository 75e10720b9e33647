package check

import (
	"bytes"
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// fault breaks a good presentation in one way.
type fault struct {
	rule    string   // that must find it
	follows []string // rules that are broken with it, necessarily

	ended   bool                                     // the presentation has ended
	plain   bool                                     // no low latency
	keys    bool                                     // encrypted by AES-128
	samples bool                                     // encrypted by cbcs
	ts      bool                                     // MPEG-TS
	subs    bool                                     // with subtitles
	text    func(name, text string) string           // of a media playlist
	multi   func(text string) string                 // of the multivariant one
	model   func(name string, m *playlist.Media)     // of a media playlist
	later   func(name string, m *playlist.Media)     // from the tenth look on
	media   func(name string, b []byte) []byte       // of a segment or part
	header  func(name string, h http.Header)         // of anything
	handle  func(next http.Handler) http.HandlerFunc // of requests
}

func (f *fault) wrap(next http.Handler) http.Handler {
	var mu sync.Mutex
	looks := map[string]int{} // at each media playlist
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if f.text == nil && f.multi == nil && f.model == nil && f.later == nil && f.media == nil && f.header == nil {
			next.ServeHTTP(w, r)
			return
		}
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		body := got.Body.Bytes()
		isList := strings.HasSuffix(name, ".m3u8")
		switch {
		case got.Code != http.StatusOK || got.Header().Get("Content-Encoding") != "":
		case name == "index.m3u8":
			if f.multi != nil {
				body = []byte(f.multi(string(body)))
			}
		case isList:
			mu.Lock()
			looks[name]++
			late := looks[name] >= 10
			mu.Unlock()
			if f.text != nil {
				body = []byte(f.text(name, string(body)))
			}
			change := f.model
			if f.later != nil && late {
				change = f.later
			}
			if change != nil {
				m, err := playlist.ParseMedia(string(body))
				if err != nil {
					panic(err)
				}
				change(name, m)
				body = m.Append(nil)
			}
		case f.media != nil:
			body = f.media(name, slices.Clone(body))
		}
		for k, v := range got.Header() {
			w.Header()[k] = v
		}
		w.Header().Del("Content-Length")
		if f.header != nil {
			f.header(name, w.Header())
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(body)
	}))
	if f.handle != nil {
		return f.handle(h)
	}
	return h
}

// run watches a presentation with a fault, on a virtual clock.
func run(t *testing.T, f *fault) *Report {
	t.Helper()
	in := packager.FMP4
	if f.ts {
		in = packager.TS
	}
	var prot *packager.Protection
	if f.keys {
		prot = &packager.Protection{Method: protect.AES128, Rotate: 4 * time.Second}
	}
	if f.samples {
		prot = &packager.Protection{Method: protect.CBCS, Rotate: 4 * time.Second}
	}
	p, stop := live(t, !f.plain, f.subs, in, prot)
	defer func() {
		stop()
		p.Close()
	}()
	// Until segments have left the playlist.
	time.Sleep(30 * time.Second)
	if f.ended {
		stop()
		if err := p.End(); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Run(t.Context(), "http://server/index.m3u8", Options{
		For: 8 * time.Second, Client: &http.Client{Transport: direct{f.wrap(p)}}, Segments: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func broken(r *Report) []string {
	var out []string
	for _, result := range r.Results {
		if result.Verdict == Broken {
			out = append(out, result.ID)
		}
	}
	return out
}

func TestNothingIsWrongWithOurOwn(t *testing.T) {
	for _, f := range []fault{{subs: true, keys: true}, {subs: true}, {subs: true, plain: true}, {subs: true, ts: true}, {subs: true, ended: true}, {samples: true}, {keys: true}, {keys: true, plain: true}, {keys: true, ts: true}, {keys: true, ended: true}, {}, {plain: true}, {ended: true}, {ts: true}, {ts: true, plain: true}, {ts: true, ended: true}} {
		synctest.Test(t, func(t *testing.T) {
			if r := run(t, &f); len(broken(r)) > 0 || r.Pieces == 0 {
				var b bytes.Buffer
				_ = r.Text(&b, false)
				t.Errorf("plain %v, ended %v, TS %v:\n%s", f.plain, f.ended, f.ts, &b)
			}
		})
	}
}

// TestPlantedFaults breaks each rule in one way: it fires, and no other but
// those that follow.
func TestPlantedFaults(t *testing.T) {
	all := slices.Concat(faults, transportFaults, keyFaults, subtitleFaults)
	for i := range all {
		f := &all[i]
		name := f.rule
		if f.ts {
			name += "-ts"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, f)
				got := broken(r)
				for _, id := range got {
					if id != f.rule && !slices.Contains(f.follows, id) {
						var b bytes.Buffer
						_ = r.Text(&b, false)
						t.Errorf("%s is broken too:\n%s", id, &b)
					}
				}
				for _, id := range f.follows {
					if !slices.Contains(got, id) {
						t.Errorf("%s does not follow", id)
					}
				}
				if !slices.Contains(got, f.rule) {
					t.Errorf("not found; broken are %q", got)
				}
			})
		})
	}
}

// TestEveryRuleHasAFault keeps the table complete.
func TestEveryRuleHasAFault(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		seen[r.ID] = true
		if cmp.Or(r.Section, r.Text) == "" || r.Section == "" {
			t.Errorf("%s has no section", r.ID)
		}
		if !slices.ContainsFunc(slices.Concat(transportFaults, faults, keyFaults, subtitleFaults), func(f fault) bool { return f.rule == r.ID }) {
			t.Errorf("no planted fault for %s", r.ID)
		}
	}
	for _, f := range faults {
		if !seen[f.rule] {
			t.Errorf("a fault for %s, which is no rule", f.rule)
		}
	}
}
