package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMarkers(t *testing.T) {
	f := newFake("demo", "cam/front", "cam/markers")
	s := newTestServer(t, f)
	for _, c := range []struct {
		method, path, body string
		code               int
		want               string // in the answer
	}{
		{"POST", "demo/markers", `{"id":"a","class":"c","start":"+5s","duration":30,"attributes":{"X-N":1.5}}`, 201, `"id":"a"`},
		{"POST", "cam%2Ffront/markers", `{"id3":"SUQz"}`, 201, `"kind":"daterange"`},
		{"POST", "cam/front/markers", `{"id":"b"}`, 201, `"id":"b"`},
		{"POST", "cam/markers/markers", `{"id":"c"}`, 201, `"id":"c"`},
		{"POST", "nobody/markers", `{}`, 404, "no such stream"},
		{"POST", "demo/markers", `{"id":"taken"}`, 409, "marker_id"},
		{"POST", "demo/markers", `{"ids":"a"}`, 422, "ids"},
		{"POST", "demo/markers", `{"duration":-1}`, 422, "duration"},
		{"POST", "demo/markers", `{"id":`, 400, "error"},
		{"POST", "demo/markers", `{"id":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "too"},
		{"PATCH", "demo/markers/a", `{"end":"-1s"}`, 200, `"id":"a"`},
		{"PATCH", "demo/markers/a", ``, 200, `"id":"a"`},
		{"PATCH", "cam/front/markers/b%2Fb%20c", `{}`, 200, `"id":"b/b c"`},
		{"PATCH", "demo/markers/gone", `{}`, 404, "no_marker"},
		{"GET", "demo/markers", ``, 200, `"markers":[{"id":"a"`},
		{"GET", "cam/front/markers", ``, 200, `"markers":`},
		{"GET", "cam%2Fmarkers", ``, 200, `"path":"cam/markers"`},
		{"GET", "nobody/markers", ``, 404, "no such stream"},
	} {
		r := local(c.method, "/api/v1/streams/"+c.path, header("Content-Type", "application/json"))
		if r.Body = http.NoBody; c.body != "" {
			r.Body, r.ContentLength = readCloser(c.body), int64(len(c.body))
		}
		if w := do(s, r); w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %.60s: %d %s", c.method, c.path, c.body, w.Code, w.Body)
		}
	}
	want := []string{
		"demo: a +5s map[X-N:1.5] []", "cam/front:   map[] [73 68 51]", "cam/front: b  map[] []", "cam/markers: c  map[] []",
		"demo: a ends -1s", "demo: a ends ", "cam/front: b/b c ends ",
	}
	if !slices.Equal(f.marked, want) {
		t.Errorf("%q", f.marked)
	}
	if w := do(s, local("POST", "/api/v1/streams/demo/markers", remote)); w.Code != 401 && w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}
