package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/millrace/millrace/internal/access"
)

func TestSetRulesIsInForceAtOnce(t *testing.T) {
	s, err := New(Config{Backend: newFake(), Token: "old"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(t.Context()) })
	api := func(token string) int {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/streams", nil)
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	origin := func() string {
		r := httptest.NewRequest(http.MethodGet, "/hls/none/index.m3u8", nil)
		r.Header.Set("Origin", "https://b.example")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Header().Get("Access-Control-Allow-Origin")
	}
	if got := []any{api("old"), api("new"), origin()}; got[0] != 200 || got[1] != 401 || got[2] != "*" {
		t.Errorf("before: %v", got)
	}
	s.SetRules(Rules{Token: "new", Origins: []string{"https://a.example/"}, View: access.Rules{{Path: "none", Key: "k"}}})
	if got := []any{api("old"), api("new"), origin()}; got[0] != 401 || got[1] != 200 || got[2] != "" {
		t.Errorf("after: %v", got)
	}
}
