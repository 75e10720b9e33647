package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// ConnsFD is the descriptor over which an app is given the connections that
// its HTTP server is to answer, after those of package child.
const ConnsFD = 5

// Kind is what a connection is for.
type Kind byte

// The kinds. Each connection carries requests of one kind only.
const (
	Routes  Kind = 'r' // requests, answered by the script's routes
	Upgrade Kind = 'u' // one request that asks for another protocol
	Sockets Kind = 's' // Socket.IO
)

// SendConn gives a descriptor away over a unix socket; the caller's own stays
// open.
func SendConn(over *net.UnixConn, kind Kind, fd uintptr) error {
	n, oob, err := over.WriteMsgUnix([]byte{byte(kind)}, syscall.UnixRights(int(fd)), nil)
	if err != nil {
		return fmt.Errorf("hand over connection: %w", err)
	}
	if n != 1 || oob == 0 {
		return errors.New("hand over connection: it was not taken")
	}
	return nil
}

// ReceiveConn takes the next connection that SendConn gives.
func ReceiveConn(over *net.UnixConn) (Kind, net.Conn, error) {
	var b [1]byte
	oob := make([]byte, syscall.CmsgSpace(4))
	n, oobn, _, _, err := over.ReadMsgUnix(b[:], oob)
	if err != nil {
		return 0, nil, fmt.Errorf("take over connection: %w", err)
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil || n != 1 || len(messages) != 1 {
		return 0, nil, fmt.Errorf("take over connection: %d bytes with %d messages, %w", n, len(messages), errors.Join(err, net.ErrClosed))
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, nil, fmt.Errorf("take over connection: %d descriptors: %w", len(fds), errors.Join(err, net.ErrClosed))
	}
	syscall.CloseOnExec(fds[0])
	f := os.NewFile(uintptr(fds[0]), "connection")
	conn, err := net.FileConn(f)
	_ = f.Close() // conn has a descriptor of its own
	if err != nil {
		return 0, nil, fmt.Errorf("take over connection: %w", err)
	}
	return Kind(b[0]), conn, nil
}
