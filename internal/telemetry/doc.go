// Package telemetry is how the server tells about itself: its log (slog, text
// or JSON), faults that come by the packet reported once a second, and a
// Prometheus registry whose collectors pull.
//
// Nothing here does work on the media path but to add to a counter: Faults
// counts, metrics are read when somebody asks for them.
package telemetry
