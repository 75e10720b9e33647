package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// watchState is what the player page asks while it cannot play: viewers may
// not use the API.
type watchState struct {
	Path  string       `json:"path"`
	State status.State `json:"state"`
	Since *time.Time   `json:"since,omitempty"`

	// What the past offers: since when, and how many seconds one may seek back.
	Created *time.Time `json:"created,omitempty"`
	DVR     float64    `json:"dvr,omitempty"`

	Recordings []status.Recording `json:"recordings,omitempty"`
}

// watch answers the player page, and the state of its stream to whoever asks
// the same URL for JSON.
func (s *Server) watch(c echo.Context) error {
	r := c.Request()
	h := c.Response().Header()
	h.Add("Vary", "Accept")
	path, refused := mediaPath(r.URL, "/watch/")
	if refused == nil {
		if err := access.CheckPath(path); err != nil {
			refused = asProblem(err)
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		if refused != nil {
			return refused
		}
		return s.watchState(c, path)
	}
	if refused != nil {
		return s.page(c, http.StatusNotFound, "watch.html", watchPolicy)
	}
	// A browser that plays HLS by itself asks for segments without query or
	// header: it carries the token as a cookie, for this stream only.
	if token := r.URL.Query().Get("token"); token != "" && s.rules.Load().View.Decide(path, access.Is(token)) == access.Allowed {
		c.SetCookie(&http.Cookie{
			Name: viewCookie, Value: token, Path: "/hls/" + path + "/", HttpOnly: true,
			Secure: s.client(r).Scheme == "https", SameSite: http.SameSiteLaxMode,
		})
	}
	return s.page(c, http.StatusOK, "watch.html", watchPolicy)
}

func (s *Server) watchState(c echo.Context, path string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	st, exists := s.cfg.Backend.Get(path)
	if _, _, refused := s.admitView(c.Request(), path, exists); refused != nil {
		return refused
	}
	answer := watchState{Path: path, State: status.Waiting, Recordings: s.recordedOf(path)}
	if exists {
		answer.State, answer.Since, answer.Created, answer.DVR = st.State, &st.Since, &st.Created, st.DVR
	}
	return c.JSON(http.StatusOK, answer)
}
