package web

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/internal/access"
)

// Config is what a Server is made of. The zero value of every field but
// Listen and Backend is usable.
type Config struct {
	Listen  string // TCP address, ":8080"
	TLSCert string // PEM files; both or none
	TLSKey  string

	Backend Backend

	// Recordings are what streams left behind; nil: there are none.
	Recordings Archive

	// Judge checks streams; nil: nobody does.
	Judge Judge

	// Origins may read playback from their own pages (CORS): "*", or a list
	// of "https://example.com". Nil means "*". The API has none.
	Origins []string

	// Proxies are believed when they name the client they forward for.
	Proxies access.Proxies

	// Token opens the API from everywhere; empty: from loopback only.
	Token string

	// NoLoopback makes nobody loopback, for places where the network hides
	// who is calling (containers).
	NoLoopback bool

	// View guards playback of the paths that its rules match; AppGuarded has
	// whoever uses the app show a token of any of them.
	View       access.Rules
	AppGuarded bool

	// App answers /app/ and /socket.io/; nil: there is none.
	App App
	// Door is asked about viewers beside View; nil: nobody is.
	Door Door
	// Tell hears of viewers that come and go: viewer:join, viewer:leave. It is
	// not called for each request, and must not block. Nil: nobody hears.
	Tell func(kind, path string, data any)

	// RTSP, RTMP and SRT are the listeners' addresses, to tell people where
	// to publish; empty: off.
	RTSP, RTMP, SRT string

	Version string
	Logger  *slog.Logger         // nil: slog.Default()
	Metrics *prometheus.Registry // nil: /metrics answers 404

	// DrainTimeout is how long Shutdown waits for requests under way before
	// it cuts them; 0 means 5 s.
	DrainTimeout time.Duration
}
