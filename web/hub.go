package web

import (
	"context"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/status"
)

const (
	maxEventClients = 256
	eventQueue      = 64 // messages a client may be behind before it is cut
	figuresEvery    = time.Second
)

// hub gives the server's events to any number of clients. Each event is
// rendered once; a client that reads too slowly is cut, never waited for. Its
// goroutine runs only while somebody listens.
type hub struct {
	s       *Server
	mu      sync.Mutex
	clients map[*subscriber]struct{}
	running bool
}

// subscriber is one client's queue. The channel is closed when it was cut or
// the server ends; cut says which.
type subscriber struct {
	messages chan []byte
	base     base
	figures  bool // wants every stream's figures each second
	cut      bool // written before messages is closed
}

func newHub(s *Server) *hub { return &hub{s: s, clients: map[*subscriber]struct{}{}} }

func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// join adds a client; nil where there are too many or the server ends.
func (h *hub) join(b base, figures bool) *subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) >= maxEventClients || !h.running && !h.s.begin() {
		return nil
	}
	c := &subscriber{messages: make(chan []byte, eventQueue), base: b, figures: figures}
	h.clients[c] = struct{}{}
	if !h.running {
		h.running = true
		go h.run()
	}
	return c
}

func (h *hub) leave(c *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(c, false)
}

// remove ends a client's queue; the caller holds mu.
func (h *hub) remove(c *subscriber, cut bool) {
	if _, in := h.clients[c]; !in {
		return
	}
	delete(h.clients, c)
	c.cut = cut
	close(c.messages)
	if cut {
		h.s.metrics.dropped.Inc()
	}
}

// run is the hub's goroutine, which Shutdown waits for.
func (h *hub) run() {
	defer h.s.work.Done()
	ctx, cancel := context.WithCancel(h.s.alive)
	defer cancel()
	events := h.s.cfg.Backend.Events(ctx)
	tick := time.NewTicker(figuresEvery)
	defer tick.Stop()
	h.sendFigures(true)
	for {
		select {
		case <-ctx.Done():
			h.end()
			return
		case e, open := <-events:
			if open {
				message := mustJSON(e)
				h.send(func(*subscriber) []byte { return message })
				continue
			}
			if ctx.Err() != nil {
				continue
			}
			// We were too slow ourselves. The next figures tell the rest;
			// waiting for the tick keeps a broken source from spinning us.
			events = nil
		case <-tick.C:
			if events == nil {
				events = h.s.cfg.Backend.Events(ctx)
			}
			h.sendFigures(false)
			if h.idle() {
				return
			}
		}
	}
}

// idle ends the goroutine where nobody listens any more.
func (h *hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) > 0 {
		return false
	}
	h.running = false
	return true
}

func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		h.remove(c, false)
	}
	h.running = false
}

// send queues what render returns for each client; nil is nothing.
func (h *hub) send(render func(*subscriber) []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		message := render(c)
		if message == nil {
			continue
		}
		select {
		case c.messages <- message:
		default:
			h.remove(c, true)
		}
	}
}

// sendFigures sends the list of streams to those who asked for it, rendered
// once for each address that clients know us by.
func (h *hub) sendFigures(first bool) {
	wanted := map[base][]byte{}
	h.mu.Lock()
	for c := range h.clients {
		if c.figures {
			wanted[c.base] = nil
		}
	}
	h.mu.Unlock()
	if len(wanted) == 0 && !first {
		return
	}
	for b := range wanted {
		wanted[b] = mustJSON(status.Event{Time: time.Now(), Type: "streams", Data: h.s.streams(b)})
	}
	h.send(func(c *subscriber) []byte {
		if !c.figures {
			return nil
		}
		return wanted[c.base]
	})
}
