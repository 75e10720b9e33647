package wire

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// pair returns the two ends of what a parent and its worker share.
func pair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		tb.Fatal(err)
	}
	conns := make([]net.Conn, 2)
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if conns[i], err = net.FileConn(f); err != nil {
			tb.Fatal(err)
		}
		f.Close()
		tb.Cleanup(func() { conns[i].Close() })
	}
	return conns[0], conns[1]
}

// BenchmarkPackets carries packets over a socket pair, from one goroutine to
// another.
func BenchmarkPackets(b *testing.B) {
	for _, size := range []int{200, 10 << 10, 80 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			to, from := pair(b)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			done := make(chan error, 1)
			go func() {
				r := NewPaddedReader(from, FromParent)
				for {
					if _, err := r.Read(); err != nil {
						done <- err
						return
					}
				}
			}()
			w := NewWriter(to)
			p := samplePacket(make([]byte, size))
			for b.Loop() {
				if err := w.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			to.Close()
			if err := <-done; err != io.EOF { //nolint:errorlint // bare by contract
				b.Fatal(err)
			}
		})
	}
}

func TestPacketOverSocketIsNotCopiedTwice(t *testing.T) {
	to, from := pair(t)
	r, w := NewReader(from, FromParent), NewWriter(to)
	p := samplePacket(make([]byte, 100<<10))
	read := make(chan struct{})
	go func() {
		defer close(read)
		for range 100 {
			if _, err := r.Read(); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	if err := w.Write(p); err != nil { // preamble and buffers
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(98, func() {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}); n > 8 {
		t.Errorf("%.0f allocations to write and read a packet", n)
	}
	<-read
}
