package tools

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"
)

// poll is how often a condition is looked at.
const poll = 10 * time.Millisecond

// WaitFor looks at a condition until it holds. It returns an error that names
// what was waited for when ctx ends first.
func WaitFor(ctx context.Context, what string, condition func() bool) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// Eventually fails the test unless the condition holds within the time.
func Eventually(t testing.TB, within time.Duration, what string, condition func() bool) {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := WaitFor(ctx, what, condition); err != nil {
		t.Fatalf("%v after %v", err, time.Since(start).Round(time.Millisecond))
	}
}

// Listening fails the test unless something accepts TCP connections at the
// address within the time.
func Listening(t testing.TB, within time.Duration, address string) {
	t.Helper()
	Eventually(t, within, "a listener at "+address, func() bool {
		d := net.Dialer{Timeout: time.Second}
		c, err := d.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}
