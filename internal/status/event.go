package status

import "time"

// Event is something that happened, for the console, the API's event stream
// and logs. Type is a noun and a verb: "stream:live", "stream:lost",
// "stream:ended", "stream:failed", "publisher:refused", "worker:died".
type Event struct {
	ID   uint64    `json:"id" doc:"Grows by one an event; starts again with the server"`
	Time time.Time `json:"time"`
	Type string    `json:"type" example:"stream:live"`
	Path string    `json:"path,omitempty" doc:"The stream it concerns"`
	Data any       `json:"data,omitempty" doc:"What else there is to say; depends on type"`
}
