package npmtest

import (
	"os"
	"testing"
	"time"
)

// Descriptors is how many files and sockets the process has open.
func Descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Settled waits until a condition holds, and fails where it does not.
func Settled(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not as expected after 10 s", what)
		}
		<-tick.C
	}
}
