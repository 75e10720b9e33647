package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are this package's figures. Labels are route classes and stream
// paths, never what a client sends.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	byKind   map[string]prometheus.Observer // playback: resolved once, not per request
	dropped  prometheus.Counter
}

func newMetrics(s *Server) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "millrace_http_requests_total", Help: "Requests answered, playback excepted, by class of route and status.",
		}, []string{"class", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "millrace_http_request_seconds", Help: "Time from a request to the end of its answer, by class of route.",
			Buckets: []float64{.001, .005, .025, .1, .5, 1, 2.5, 5, 15},
		}, []string{"class"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "millrace_event_clients_dropped_total", Help: "Event streams cut because their client read too slowly.",
		}),
	}
	m.byKind = map[string]prometheus.Observer{"playlist": m.seconds.WithLabelValues("playlist"), "segment": m.seconds.WithLabelValues("segment")}
	if s.cfg.Metrics == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.requests, m.seconds, m.dropped,
		viewerCollector{s},
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "millrace_http_sent_bytes_total", Help: "Bytes sent over HTTP, headers and TLS included.",
		}, func() float64 { return float64(s.sent.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "millrace_recordings_sent_bytes_total", Help: "Bytes of recordings sent.",
		}, func() float64 { return float64(s.replayed.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "millrace_event_clients", Help: "Clients of the event stream.",
		}, func() float64 { return float64(s.events.size()) }),
	} {
		errs = append(errs, s.cfg.Metrics.Register(c))
	}
	return m, errors.Join(errs...)
}

func (m *metrics) request(class string, code int, d time.Duration) {
	m.requests.WithLabelValues(class, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(class).Observe(d.Seconds())
}

func (m *metrics) playback(kind string, d time.Duration) { m.byKind[kind].Observe(d.Seconds()) }

// classOf names a route by its first element: few values, whatever is asked.
func classOf(route string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(route, "/"), "/")
	switch {
	case route == "":
		return "unknown"
	case first == "" || first == "*":
		return "console"
	}
	return first
}

// viewerCollector reads the audiences when somebody asks.
type viewerCollector struct{ s *Server }

var (
	viewersDesc = prometheus.NewDesc("millrace_stream_viewers", "Viewers over HLS.", []string{"path"}, nil)
	sentDesc    = prometheus.NewDesc("millrace_stream_sent_bytes_total", "Bytes sent to HLS viewers.", []string{"path"}, nil)
)

// Describe implements prometheus.Collector.
func (viewerCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- viewersDesc
	ch <- sentDesc
}

// Collect implements prometheus.Collector.
func (v viewerCollector) Collect(ch chan<- prometheus.Metric) {
	for _, stream := range v.s.cfg.Backend.List() {
		viewers, sent := v.s.audiences.figures(stream.Path)
		ch <- prometheus.MustNewConstMetric(viewersDesc, prometheus.GaugeValue, float64(viewers), stream.Path)
		ch <- prometheus.MustNewConstMetric(sentDesc, prometheus.CounterValue, float64(sent), stream.Path)
	}
}
