package srt

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/datarhei/gosrt/circular"
	"github.com/datarhei/gosrt/packet"
)

// rawCaller speaks the handshake by hand.
type rawCaller struct {
	t    *testing.T
	conn net.Conn
}

// send sends a handshake.
func (c rawCaller) send(h packet.CIFHandshake) {
	c.t.Helper()
	p := packet.NewPacket(c.conn.RemoteAddr())
	defer p.Decommission()
	p.Header().IsControlPacket, p.Header().ControlType = true, packet.CTRLTYPE_HANDSHAKE
	p.MarshalCIF(&h)
	var b bytes.Buffer
	if err := p.Marshal(&b); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// answer returns the next handshake that comes.
func (c rawCaller) answer() packet.CIFHandshake {
	c.t.Helper()
	for b := make([]byte, 2048); ; {
		n, err := c.conn.Read(b)
		if err != nil {
			c.t.Fatal(err)
		}
		p, err := packet.NewPacketFromData(c.conn.RemoteAddr(), b[:n])
		if err != nil {
			c.t.Fatal(err)
		}
		var h packet.CIFHandshake
		if !p.Header().IsControlPacket || p.Header().ControlType != packet.CTRLTYPE_HANDSHAKE {
			p.Decommission()
			continue
		}
		err = p.UnmarshalCIF(&h)
		p.Decommission()
		if err != nil {
			c.t.Fatal(err)
		}
		return h
	}
}

// A caller that repeats its handshake has one session.
func TestRepeatedHandshake(t *testing.T) {
	_, address := startServer(t, &fakeGate{}, Config{})
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := rawCaller{t, conn}
	h := packet.CIFHandshake{
		IsRequest: true, Version: 4, ExtensionField: 2, InitialPacketSequenceNumber: circular.New(1, packet.MAX_SEQUENCENUMBER),
		MaxTransmissionUnitSize: 1500, MaxFlowWindowSize: 8192, HandshakeType: packet.HSTYPE_INDUCTION, SRTSocketId: 7,
	}
	h.PeerIP.Parse("127.0.0.1")
	c.send(h)
	h.Version, h.ExtensionField, h.HandshakeType, h.SynCookie = 5, 0, packet.HSTYPE_CONCLUSION, c.answer().SynCookie
	h.HasHS, h.SRTHS = true, &packet.CIFHandshakeExtension{SRTVersion: 0x010500, SRTFlags: packet.CIFHandshakeExtensionFlags{
		TSBPDSND: true, TSBPDRCV: true, CRYPT: true, TLPKTDROP: true, PERIODICNAK: true, REXMITFLG: true,
	}}
	h.HasSID, h.StreamId = true, "publish:cam"
	c.send(h)
	if got := c.answer(); got.HandshakeType != packet.HSTYPE_CONCLUSION {
		t.Fatalf("the first is answered with %s", got.HandshakeType)
	}
	c.send(h)
	if got := c.answer(); !got.HandshakeType.IsRejection() {
		t.Errorf("the second is answered with %s", got.HandshakeType)
	}
	// Another stream from the same port is somebody else.
	h.StreamId, h.SRTSocketId = "publish:other", 8
	c.send(h)
	if got := c.answer(); got.HandshakeType != packet.HSTYPE_CONCLUSION {
		t.Errorf("another stream is answered with %s", got.HandshakeType)
	}
}
