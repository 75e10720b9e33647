package pipeline

import (
	"context"
	"errors"
	"sync"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode/wire"
)

// Message is what the app and a stream's pipeline script say to each other:
// JSON, and blobs for which the JSON has placeholders.
type Message struct {
	Path  string // the stream's
	Topic string
	JSON  []byte
	Blobs [][]byte
}

// ErrNoScript means that no pipeline script runs for a stream.
var ErrNoScript = errors.New("no pipeline script runs for the stream")

// Send passes a message of the app on to a stream's script. It does not wait:
// a script that is slower than the app loses the oldest messages.
func (m *Manager) Send(msg Message) error {
	w := wire.Script{Topic: msg.Topic, Sizes: []int{len(msg.JSON)}, Body: append([]byte(nil), msg.JSON...)}
	for _, b := range msg.Blobs {
		w.Sizes = append(w.Sizes, len(b))
		w.Body = append(w.Body, b...)
	}
	if err := w.Check(); err != nil {
		return err
	}
	p := m.lookup(msg.Path)
	if p == nil {
		return status.ErrNotFound
	}
	if p.script == nil || !p.script.send(&w) {
		return ErrNoScript
	}
	return nil
}

// Messages delivers what scripts say to the app from now on, until ctx ends;
// then the channel is closed. Whoever is too slow loses the oldest messages.
func (m *Manager) Messages(ctx context.Context) <-chan Message { return m.deps.sayings.listen(ctx) }

// sayings carries messages of scripts to whoever listens.
type sayings struct {
	mu   sync.Mutex
	subs map[chan Message]struct{}
}

const sayingsQueue = 256

func newSayings() *sayings { return &sayings{subs: map[chan Message]struct{}{}} }

func (s *sayings) listen(ctx context.Context) <-chan Message {
	ch := make(chan Message, sayingsQueue)
	s.mu.Lock()
	s.subs[ch] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, ch)
		close(ch)
	})
	return ch
}

// said delivers what a stream's script said.
func (s *sayings) said(path string, w *wire.Script) {
	msg := Message{Path: path, Topic: w.Topic}
	body := w.Body
	for i, n := range w.Sizes {
		part := body[:n:n]
		if body = body[n:]; i == 0 {
			msg.JSON = part
		} else {
			msg.Blobs = append(msg.Blobs, part)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.subs {
		for sent := false; !sent; {
			select {
			case ch <- msg:
				sent = true
			default:
				select {
				case <-ch: // the oldest
				default:
				}
			}
		}
	}
}

// send passes a message on to the script; false where none runs.
func (s *scripted) send(w *wire.Script) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acting == nil || s.acting.run == nil {
		return false
	}
	s.acting.run.Send(w)
	return true
}
