package pipeline

import (
	"context"
	"testing"
)

func TestBusDelivers(t *testing.T) {
	b := NewBus()
	ctx, cancel := context.WithCancel(t.Context())
	events := b.Events(ctx)
	b.Send("stream:live", "cam", nil)
	b.Send("stream:lost", "cam", "gone")
	if e := <-events; e.ID != 1 || e.Type != "stream:live" || e.Path != "cam" {
		t.Errorf("%+v", e)
	}
	if e := <-events; e.ID != 2 || e.Data != "gone" {
		t.Errorf("%+v", e)
	}
	cancel()
	if _, open := <-events; open {
		t.Error("the channel stays open after its context")
	}
	b.Send("stream:live", "cam", nil)
}

func TestBusLetsASlowReceiverGo(t *testing.T) {
	b := NewBus()
	slow, quick := b.Events(t.Context()), b.Events(t.Context())
	for range busQueue + 1 {
		b.Send("stream:live", "cam", nil)
		<-quick
	}
	n := 0
	for range slow {
		n++
	}
	if n != busQueue {
		t.Errorf("got %d events before the end, want %d", n, busQueue)
	}
}
