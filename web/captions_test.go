package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestCaptions(t *testing.T) {
	f := newFake("demo", "cam/front", "cam/subtitles/en")
	s := newTestServer(t, f)
	for _, c := range []struct {
		path, body string
		code       int
		want       string
	}{
		{"demo/subtitles/en", `{"text":"Good evening.","start":"-1s","duration":4,"line":90,"align":"start"}`, 201, `"subtitles":"en"`},
		{"cam/front/subtitles/pt-br-sdh", `{"text":"Boa noite"}`, 201, `"text":"Boa noite"`},
		{"cam%2Fsubtitles%2Fen/subtitles/de", `{"text":"x"}`, 201, `"subtitles":"de"`},
		{"demo/subtitles/none", `{"text":"x"}`, 404, "no_subtitles"},
		{"nobody/subtitles/en", `{"text":"x"}`, 404, "no such stream"},
		{"demo/subtitles/en", `{}`, 422, "text"},
		{"demo/subtitles/en", `{"text":"x","duration":-1}`, 422, "duration"},
		{"demo/subtitles/en", `{"text":"x","align":"middle"}`, 422, "align"},
		{"demo/subtitles/en", `{"text":"x","line":101}`, 422, "line"},
		{"demo/subtitles/en", `{"text":"` + strings.Repeat("x", 1001) + `"}`, 422, "text"},
		{"demo/subtitles/en", `{"text":`, 400, "error"},
	} {
		r := local(http.MethodPost, "/api/v1/streams/"+c.path, header("Content-Type", "application/json"))
		r.Body, r.ContentLength = readCloser(c.body), int64(len(c.body))
		if w := do(s, r); w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %.60s: %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
	want := []string{"demo en: -1s Good evening. start", "cam/front pt-br-sdh:  Boa noite ", "cam/subtitles/en de:  x "}
	if !slices.Equal(f.captioned, want) {
		t.Errorf("%q", f.captioned)
	}
	if w := do(s, local(http.MethodPost, "/api/v1/streams/demo/subtitles/en", remote)); w.Code != 401 && w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}
