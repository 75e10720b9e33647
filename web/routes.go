package web

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// routes builds everything but playback. Echo's own logging, banner and error
// pages are not used.
func (s *Server) routes() error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Use(s.observe, s.recover, s.gate)
	s.echo = e

	read := func(path string, h echo.HandlerFunc) {
		e.GET(path, h)
		e.HEAD(path, h)
	}
	read("/", s.console)
	read("/watch/*", s.watch)
	read("/assets/*", s.asset)
	read("/favicon.svg", s.asset)
	read("/thumb/*", s.thumb)
	read("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	read("/readyz", s.ready)
	read("/metrics", s.showMetrics)
	read("/api/docs", s.showDocs)
	read(specPath, s.openAPI)
	e.GET(apiPrefix+"/events", s.serveEvents)
	e.POST(streamsPrefix+":path"+checkSuffix, s.serveCheck)
	if err := s.api(e); err != nil {
		return err
	}
	return nil
}

// fail is the one place where an error becomes an answer.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := asProblem(err)
	if p.status == http.StatusInternalServerError {
		s.log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "err", err)
	}
	writeProblem(c.Response(), c.Request(), p)
}

// observe counts requests and their time, by the route that answered.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		started := time.Now()
		if err := next(c); err != nil {
			s.fail(err, c)
		}
		s.metrics.request(classOf(c.Path()), c.Response().Status, time.Since(started))
		return nil
	}
}

// recover answers 500 where a handler panicked, and lets http.ErrAbortHandler
// through, which is how an answer under way is cut.
func (s *Server) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		return next(c)
	}
}

func (s *Server) ready(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if err := s.cfg.Backend.Ready(); err != nil {
		return problem(http.StatusServiceUnavailable, "not_ready", err.Error(), "")
	}
	return c.String(http.StatusOK, "ready\n")
}

// showMetrics is guarded like the API: the figures name every stream.
func (s *Server) showMetrics(c echo.Context) error {
	if s.cfg.Metrics == nil {
		return echo.ErrNotFound
	}
	if refused := s.admitAPI(c.Request()); refused != nil {
		return refused
	}
	promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{}).ServeHTTP(c.Response(), c.Request())
	return nil
}
