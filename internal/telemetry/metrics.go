package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry returns a registry with what every server tells: its version,
// its process (CPU, memory, descriptors) and Go's runtime.
func NewRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "millrace_build_info",
		Help:        "What the server was built from; the value is 1.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	info.Set(1)
	r.MustRegister(info,
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector())
	return r
}

// Family is one metric name and what its label values mean.
type Family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// Gauge describes a value that goes up and down.
func Gauge(name, help string, labels ...string) Family {
	return Family{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

// Counter describes a value that only grows; by custom its name ends in
// _total.
func Counter(name, help string, labels ...string) Family {
	return Family{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

// Emit adds one value to an answer. There must be as many label values as the
// Family has labels; a value that does not fit is reported by the scrape, not
// by a panic.
type Emit func(f Family, value float64, labels ...string)

// Pull returns a collector that calls collect at each scrape, from the
// scrape's goroutine, with scrapes possibly overlapping. Nothing is kept
// between them: what is gone from collect is gone from the metrics.
func Pull(families []Family, collect func(Emit)) prometheus.Collector {
	return pull{families, collect}
}

type pull struct {
	families []Family
	collect  func(Emit)
}

func (p pull) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range p.families {
		ch <- f.desc
	}
}

func (p pull) Collect(ch chan<- prometheus.Metric) {
	p.collect(func(f Family, value float64, labels ...string) {
		m, err := prometheus.NewConstMetric(f.desc, f.kind, value, labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(f.desc, err)
		}
		ch <- m
	})
}
