package tools

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
)

// given are the ports that this process has handed out; the kernel would give
// the same one again soon.
var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// FreePort returns a port that is free on loopback, for TCP and for UDP, and
// that it returns only once.
func FreePort(t testing.TB) int {
	t.Helper()
	return freePorts(t, 1)
}

// FreePair returns an even port such that it and the next one are free, as RTP
// and RTCP want them.
func FreePair(t testing.TB) int {
	t.Helper()
	return freePorts(t, 2)
}

// FreeAddress is "127.0.0.1" with a free port.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}

// freePorts finds n ports in a row, the first one a multiple of n.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	for range 1000 {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to wait for
		if err != nil {
			t.Fatalf("find free port: %v", err)
		}
		first := l.Addr().(*net.TCPAddr).Port / n * n
		l.Close()
		free := 0
		for free < n && try(first+free) == nil {
			free++
		}
		if free == n {
			for i := range n {
				given.ports[first+i] = true
			}
			return first
		}
	}
	t.Fatal("find free port: none in 1000 tries")
	return 0
}

// try finds out whether a port is free.
func try(port int) error {
	if given.ports[port] {
		return fmt.Errorf("port %d was given before", port)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := net.Listen("tcp", address) //nolint:noctx // nothing to wait for
	if err != nil {
		return fmt.Errorf("try port %d: %w", port, err)
	}
	defer l.Close()
	c, err := net.ListenPacket("udp", address) //nolint:noctx // nothing to wait for
	if err != nil {
		return fmt.Errorf("try port %d: %w", port, err)
	}
	return c.Close()
}
