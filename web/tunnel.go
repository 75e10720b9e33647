package web

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// relayAnswer passes on an answer of the app's that is no upgrade.
func relayAnswer(w http.ResponseWriter, answer *http.Response) {
	h := w.Header()
	maps.Copy(h, answer.Header)
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		h.Del(name)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(flushed{w, http.NewResponseController(w)}, answer.Body) // the client may be gone
}

// flushed sends on at once what an app says bit by bit.
type flushed struct {
	w     io.Writer
	flush *http.ResponseController
}

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if err == nil {
		err = f.flush.Flush()
	}
	return n, err
}

// join carries bytes both ways until either side ends.
func join(a, b net.Conn) {
	var one sync.WaitGroup
	one.Go(func() {
		carry(a, b)
		_, _ = a.Close(), b.Close()
	})
	carry(b, a)
	_, _ = a.Close(), b.Close()
	one.Wait()
}

// pieces are what carry reads into. A connection that is silent has none.
var pieces = sync.Pool{New: func() any {
	b := make([]byte, 16<<10)
	return &b
}}

// carry copies from one connection to another until one of them ends.
func carry(to, from net.Conn) {
	var raw syscall.RawConn
	if c, ok := from.(syscall.Conn); ok {
		raw, _ = c.SyscallConn() // fails on a closed connection only
	}
	if raw == nil { // TLS
		_, _ = io.CopyBuffer(onlyWriter{to}, onlyReader{from}, make([]byte, 4<<10))
		return
	}
	for {
		piece, err := readPiece(raw)
		if err != nil {
			return
		}
		_, err = to.Write(piece.bytes)
		piece.free()
		if err != nil {
			return
		}
	}
}

type onlyWriter struct{ io.Writer }

type onlyReader struct{ io.Reader }

// piece is bytes that were read, in memory of the pool's.
type piece struct {
	bytes []byte
	whole *[]byte
}

func (p piece) free() { pieces.Put(p.whole) }

// readPiece waits for bytes without holding memory for them: there may be ten
// thousand connections that say something once a minute.
func readPiece(raw syscall.RawConn) (piece, error) {
	var p piece
	var failed error
	err := raw.Read(func(fd uintptr) bool {
		whole, _ := pieces.Get().(*[]byte)
		n, err := syscall.Read(int(fd), *whole)
		for errors.Is(err, syscall.EINTR) {
			n, err = syscall.Read(int(fd), *whole)
		}
		if errors.Is(err, syscall.EAGAIN) {
			pieces.Put(whole)
			return false
		}
		if failed = err; n <= 0 {
			pieces.Put(whole)
			if failed == nil {
				failed = io.EOF
			}
			return true
		}
		p = piece{(*whole)[:n], whole}
		return true
	})
	if err == nil {
		err = failed
	}
	return p, err
}
