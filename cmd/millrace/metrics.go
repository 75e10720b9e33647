package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/telemetry"
)

// The metrics of streams. Each is read from the stream's status when it is
// asked for; nothing is counted for them on the media path.
var (
	metricStreams  = telemetry.Gauge("millrace_streams", "Streams by state.", "state")
	metricBytes    = telemetry.Counter("millrace_stream_received_bytes_total", "Payload bytes received from the publisher.", "path")
	metricPackets  = telemetry.Counter("millrace_stream_received_packets_total", "Access units received from the publisher.", "path")
	metricLost     = telemetry.Counter("millrace_stream_lost_packets_total", "Packets lost on the way to the server.", "path")
	metricDropped  = telemetry.Counter("millrace_stream_dropped_packets_total", "Packets dropped inside because a queue was full.", "path")
	metricRepaired = telemetry.Counter("millrace_stream_repaired_timestamps_total", "Timestamps that had to be repaired.", "path", "reason")
	metricDrift    = telemetry.Gauge("millrace_stream_drift_seconds", "How far audio runs ahead of video since the start.", "path")
	metricFPS      = telemetry.Gauge("millrace_stream_frames_per_second", "Frames a second over the last seconds.", "path")
	metricReaders  = telemetry.Gauge("millrace_stream_readers", "Sessions that read the stream over RTSP.", "path")

	metricSpeed    = telemetry.Gauge("millrace_worker_speed", "Media seconds coded in a busy second; below 1 the encoders cannot keep up.", "path")
	metricQueue    = telemetry.Gauge("millrace_worker_queue_bytes", "Payload bytes waiting for the worker.", "path")
	metricSkipped  = telemetry.Counter("millrace_worker_dropped_packets_total", "Packets dropped before the encoder.", "path")
	metricMemory   = telemetry.Gauge("millrace_worker_resident_bytes", "Resident memory of the worker.", "path")
	metricRestarts = telemetry.Counter("millrace_worker_restarts_total", "How often the worker was started again.", "path")
)

func streamMetrics(m *pipeline.Manager) prometheus.Collector {
	families := []telemetry.Family{
		metricStreams, metricBytes, metricPackets, metricLost, metricDropped, metricRepaired, metricDrift,
		metricFPS, metricReaders, metricSpeed, metricQueue, metricSkipped, metricMemory, metricRestarts,
	}
	return telemetry.Pull(families, func(emit telemetry.Emit) {
		states := make(map[string]int)
		for _, s := range m.List() {
			states[string(s.State)]++
			emit(metricBytes, float64(s.Input.Bytes), s.Path)
			emit(metricPackets, float64(s.Input.Packets), s.Path)
			emit(metricLost, float64(s.Input.Lost), s.Path)
			emit(metricDropped, float64(s.Input.Dropped), s.Path)
			for reason, n := range s.Input.Repaired {
				emit(metricRepaired, float64(n), s.Path, reason)
			}
			emit(metricDrift, s.Input.Drift/1000, s.Path)
			emit(metricFPS, s.Input.FPS, s.Path)
			emit(metricReaders, float64(s.Readers), s.Path)
			if w := s.Worker; w != nil {
				emit(metricSpeed, w.Speed, s.Path)
				emit(metricQueue, float64(w.Queue), s.Path)
				emit(metricSkipped, float64(w.Dropped), s.Path)
				emit(metricMemory, float64(w.RSS), s.Path)
				emit(metricRestarts, float64(w.Restarts), s.Path)
			}
		}
		for state, n := range states {
			emit(metricStreams, float64(n), state)
		}
	})
}
