package wire

import (
	"encoding/json"
	"time"
)

// Type is the frame type.
type Type uint8

// Frame types. Those from 64 on are sent by the app.
const (
	TypeStart Type = iota + 1
	TypeCall
	TypeEvent
	TypeReply
	TypeMessage // both directions
	TypePing
	TypeBye
)

// Frame types of the app.
const (
	TypeHello Type = iota + 64
	TypeReady
	TypeHooks
	TypeAnswer
	TypeRequest
	TypePong
	TypeLog
	TypeFailed
)

// Frame is one frame's content: a pointer to one of the types below.
type Frame interface{ Type() Type }

// Start is what an app is told first, and once.
type Start struct {
	Script   string            `json:"script"` // absolute path
	Env      map[string]string `json:"env,omitempty"`
	Version  string            `json:"version"`
	LogLevel int               `json:"logLevel"` // lowest slog.Level worth sending
}

// Hello is the app's first frame.
type Hello struct {
	PID int `json:"pid"`
}

// Ready says that the script has run to its end, and, where it awaits at its
// top level, that this is over.
type Ready struct {
	Hooks Hooks `json:"hooks"`
	// Inputs are the files that the script is made of.
	Inputs []string `json:"inputs"`
}

// Hooks is what the script wants to decide and to be told.
type Hooks struct {
	Deciding map[string]Deadline `json:"deciding,omitempty"` // by question
	// Telling names event types; "*" is all, "stream:*" all of streams.
	Telling []string `json:"telling,omitempty"`
	// Topics tells whether messages of pipeline scripts are wanted.
	Topics bool `json:"topics,omitempty"`
}

// Deadline is how long a decision may take, and what holds afterwards.
type Deadline struct {
	Timeout time.Duration `json:"timeout"`
	Allow   bool          `json:"allow,omitempty"`
}

// Call asks a deciding hook.
type Call struct {
	ID      uint64          `json:"id"`
	Hook    string          `json:"hook"`
	Session json.RawMessage `json:"session"`
}

// Answer answers a Call: Value where it let somebody in, else Refused.
type Answer struct {
	ID      uint64          `json:"id"`
	Value   json.RawMessage `json:"value,omitempty"`
	Refused *Refused        `json:"refused,omitempty"`
}

// Refused is what a hook threw.
type Refused struct {
	Message string `json:"message"`
	Status  int    `json:"status,omitempty"` // of the error, where it has one: 401 asks for credentials
	Stack   string `json:"stack,omitempty"`  // for the log
}

// Event is something that happened in the server.
type Event struct {
	ID   uint64          `json:"id"`
	Time time.Time       `json:"time"`
	Kind string          `json:"type"`
	Path string          `json:"path,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
	// Missed is how many events before this one were dropped because the app
	// was too slow.
	Missed int `json:"missed,omitempty"`
}

// Request is something that the app wants of the server.
type Request struct {
	ID     uint64          `json:"id"`
	Method string          `json:"method"`
	Args   json.RawMessage `json:"args,omitempty"`
}

// Reply answers a Request.
type Reply struct {
	ID    uint64          `json:"id"`
	Value json.RawMessage `json:"value,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// Error is why a Request failed.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Message is what the app and a stream's pipeline script say to each other.
type Message struct {
	Path  string `json:"path"`
	Topic string `json:"topic"`
	// Body is JSON and then blobs, for which the JSON has placeholders; Sizes
	// are their lengths, the JSON's first.
	Sizes []int  `json:"sizes"`
	Body  []byte `json:"-"`
}

// Parts are the JSON and the blobs of a Message that was read.
func (m *Message) Parts() (text []byte, blobs [][]byte) {
	rest := m.Body
	for i, n := range m.Sizes {
		part := rest[:n:n]
		if rest = rest[n:]; i == 0 {
			text = part
		} else {
			blobs = append(blobs, part)
		}
	}
	return text, blobs
}

// Ping asks the app's event loop for a sign of life.
type Ping struct {
	N uint64 `json:"n"`
}

// Pong is that sign.
type Pong struct {
	N uint64 `json:"n"`
}

// Log is a line of the script's output, or of the app process's own log.
type Log struct {
	Level   int               `json:"level"` // slog.Level
	Message string            `json:"message"`
	Attrs   map[string]string `json:"attrs,omitempty"`
}

// Failed tells why the app is about to exit.
type Failed struct {
	Message  string `json:"message"`
	Position string `json:"position,omitempty"` // file:line:column
	Stack    string `json:"stack,omitempty"`
	// Code is MEMORY where the script took too much, COMPILE where it could
	// not be started at all.
	Code string `json:"code,omitempty"`
	// Inputs are the files to be looked at for a change that mends it.
	Inputs []string `json:"inputs,omitempty"`
}

// Bye asks the app to leave: what is under way may end, connections are
// closed.
type Bye struct{}

// Type implements Frame.
func (*Start) Type() Type { return TypeStart }

// Type implements Frame.
func (*Hello) Type() Type { return TypeHello }

// Type implements Frame.
func (*Ready) Type() Type { return TypeReady }

// Type implements Frame.
func (*Hooks) Type() Type { return TypeHooks }

// Type implements Frame.
func (*Call) Type() Type { return TypeCall }

// Type implements Frame.
func (*Answer) Type() Type { return TypeAnswer }

// Type implements Frame.
func (*Event) Type() Type { return TypeEvent }

// Type implements Frame.
func (*Request) Type() Type { return TypeRequest }

// Type implements Frame.
func (*Reply) Type() Type { return TypeReply }

// Type implements Frame.
func (*Message) Type() Type { return TypeMessage }

// Type implements Frame.
func (*Ping) Type() Type { return TypePing }

// Type implements Frame.
func (*Pong) Type() Type { return TypePong }

// Type implements Frame.
func (*Log) Type() Type { return TypeLog }

// Type implements Frame.
func (*Failed) Type() Type { return TypeFailed }

// Type implements Frame.
func (*Bye) Type() Type { return TypeBye }
