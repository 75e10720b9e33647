package rtsp

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// listenTCP opens the RTSP port.
func listenTCP(ctx context.Context, cfg Config) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for RTSP: %w", err)
	}
	return &listener{Listener: l, idle: cfg.ReadTimeout, coarse: min(cfg.ReadTimeout, cfg.WriteTimeout) / 8}, nil
}

// listener gives every connection a guard.
type listener struct {
	net.Listener
	idle, coarse time.Duration
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guard{Conn: c, idle: l.idle, coarse: l.coarse}
	if err := g.SetReadDeadline(time.Time{}); err != nil {
		c.Close()
		return nil, fmt.Errorf("guard connection: %w", err)
	}
	return g, nil
}

// guard closes connections that send half a request, or none: until its
// session plays or records, a connection has idle to send the next request.
// gortsplib takes the read deadline away at that stage; here that means idle.
//
// It also keeps the deadlines that gortsplib sets for every single packet from
// reaching the runtime's timers more often than needed.
type guard struct {
	net.Conn
	idle   time.Duration
	coarse time.Duration // how much earlier than asked a deadline may be
	active atomic.Bool

	read, write deadline
}

// deadline is the one in force, in Unix nanoseconds. Each is moved by one
// goroutine at a time, and moved by accident it is only a little early.
type deadline struct{ at atomic.Int64 }

// covers reports whether the deadline in force is good enough for t, and
// remembers t if not.
func (d *deadline) covers(t time.Time, coarse time.Duration) bool {
	if t.IsZero() {
		d.at.Store(0)
		return false
	}
	if late := t.UnixNano() - d.at.Load(); late >= 0 && late < int64(coarse) {
		return true
	}
	d.at.Store(t.UnixNano())
	return false
}

// setActive says that media flows now: the session has timeouts of its own.
func (g *guard) setActive() {
	g.active.Store(true)
	// a closed connection tells its reader by itself
	_ = g.SetReadDeadline(time.Time{})
}

func (g *guard) SetReadDeadline(t time.Time) error {
	if t.IsZero() && !g.active.Load() {
		t = time.Now().Add(g.idle)
	}
	if g.read.covers(t, g.coarse) {
		return nil
	}
	return g.Conn.SetReadDeadline(t)
}

func (g *guard) SetWriteDeadline(t time.Time) error {
	if g.write.covers(t, g.coarse) {
		return nil
	}
	return g.Conn.SetWriteDeadline(t)
}

// extend gives the client idle for its next request.
func extend(c net.Conn) {
	if g, ok := c.(*guard); ok && !g.active.Load() {
		// a closed connection tells its reader by itself
		_ = g.SetReadDeadline(time.Time{})
	}
}

// udpPair is an RTP and an RTCP socket on consecutive ports, the first even.
type udpPair struct{ rtp, rtcp net.PacketConn }

// pairAttempts is how often a free pair of ports is looked for.
const pairAttempts = 64

// listenUDP opens the pair on address, or on free ports where its port is 0
// or, for an empty address, where the default is taken.
func listenUDP(ctx context.Context, address string) (udpPair, error) {
	if address == "" {
		if p, err := openPair(ctx, defaultRTP); err == nil {
			return p, nil
		}
		address = ":0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return udpPair{}, fmt.Errorf("listen for RTP: %w", err)
	}
	if port != "0" {
		return openPair(ctx, address)
	}
	for range pairAttempts {
		var p udpPair
		if p, err = openPair(ctx, net.JoinHostPort(host, "0")); err == nil {
			return p, nil
		}
	}
	return udpPair{}, err
}

func openPair(ctx context.Context, address string) (udpPair, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return udpPair{}, fmt.Errorf("listen for RTP: %w", err)
	}
	var lc net.ListenConfig
	rtp, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return udpPair{}, fmt.Errorf("listen for RTP: %w", err)
	}
	port := udpPort(rtp)
	if port%2 != 0 {
		rtp.Close()
		return udpPair{}, fmt.Errorf("listen for RTP: port %d is not even", port)
	}
	rtcp, err := lc.ListenPacket(ctx, "udp", net.JoinHostPort(host, strconv.Itoa(port+1)))
	if err != nil {
		rtp.Close()
		return udpPair{}, fmt.Errorf("listen for RTCP: %w", err)
	}
	// All publishers share the socket: keyframes of several may come at once.
	// The kernel gives what it allows.
	if c, ok := rtp.(*net.UDPConn); ok {
		_ = c.SetReadBuffer(udpBuffer)
	}
	return udpPair{rtp, rtcp}, nil
}

// udpBuffer is the receive buffer asked for, in bytes.
const udpBuffer = 4 << 20

func udpPort(c net.PacketConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

func (p udpPair) close() {
	if p.rtp != nil {
		p.rtp.Close()
		p.rtcp.Close()
	}
}

// take gives the sockets to gortsplib when it asks for their addresses.
func (p udpPair) take(_, address string) (net.PacketConn, error) {
	for _, c := range []net.PacketConn{p.rtp, p.rtcp} {
		if c != nil && address == portAddress(c) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no socket on %s", address)
}

// portAddress is a socket's address as gortsplib is told it.
func portAddress(c net.PacketConn) string { return ":" + strconv.Itoa(udpPort(c)) }
