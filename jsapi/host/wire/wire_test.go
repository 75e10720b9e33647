package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/jsapi/host/wire"
)

func TestRoundTrip(t *testing.T) {
	fromServer := []wire.Frame{
		&wire.Start{Script: "/a.js", Env: map[string]string{"A": "b"}, Version: "1"},
		&wire.Call{ID: 1, Hook: "publish", Session: json.RawMessage(`{"path":"a"}`)},
		&wire.Event{ID: 2, Time: time.Unix(1, 0).UTC(), Kind: "stream:live", Path: "a", Data: json.RawMessage(`{"x":1}`), Missed: 3},
		&wire.Reply{ID: 3, Error: &wire.Error{Code: "E", Message: "m"}},
		&wire.Message{Path: "a", Topic: "t", Sizes: []int{4, 2, 0}, Body: []byte("nullxy")},
		&wire.Ping{N: 4}, &wire.Bye{},
	}
	fromApp := []wire.Frame{
		&wire.Hello{PID: 7},
		&wire.Ready{Hooks: wire.Hooks{Deciding: map[string]wire.Deadline{"view": {Timeout: time.Second, Allow: true}}, Telling: []string{"*"}}, Inputs: []string{"/a.js"}},
		&wire.Hooks{Topics: true}, &wire.Answer{ID: 1, Refused: &wire.Refused{Message: "no", Status: 401}},
		&wire.Request{ID: 5, Method: "list"}, &wire.Pong{N: 4}, &wire.Log{Level: 4, Message: "hm"},
		&wire.Failed{Message: "x", Position: "/a.js:1:2"},
		&wire.Message{Path: "a", Topic: "t", Sizes: []int{2}, Body: []byte("{}")},
	}
	for _, c := range []struct {
		frames []wire.Frame
		reader func(io.Reader) *wire.Reader
		other  func(io.Reader) *wire.Reader
	}{{fromServer, wire.NewAppReader, wire.NewServerReader}, {fromApp, wire.NewServerReader, wire.NewAppReader}} {
		var b bytes.Buffer
		w := wire.NewWriter(&b)
		for _, f := range c.frames {
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		whole := bytes.Clone(b.Bytes())
		r := c.reader(&b)
		for _, want := range c.frames {
			got, err := r.Read()
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		if _, err := r.Read(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		if _, err := c.other(bytes.NewReader(whole)).Read(); err == nil {
			t.Error("a frame of the other side is read")
		}
	}
}

func TestParts(t *testing.T) {
	m := &wire.Message{Topic: "t", Sizes: []int{2, 3, 0}, Body: []byte("{}abc")}
	text, blobs := m.Parts()
	if string(text) != "{}" || len(blobs) != 2 || string(blobs[0]) != "abc" || len(blobs[1]) != 0 {
		t.Errorf("%q %q", text, blobs)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	for name, m := range map[string]*wire.Message{
		"too large":  {Topic: "t", Sizes: []int{wire.MaxMessage + 1}, Body: make([]byte, wire.MaxMessage+1)},
		"no topic":   {Sizes: []int{0}},
		"no parts":   {Topic: "t"},
		"wrong size": {Topic: "t", Sizes: []int{3}, Body: []byte("xx")},
		"negative":   {Topic: "t", Sizes: []int{-1, 1}},
	} {
		var b bytes.Buffer
		if err := wire.NewWriter(&b).Write(m); !errors.Is(err, wire.ErrFrame) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes are sent", name, err, b.Len())
		}
	}
	m := &wire.Message{Topic: "t", Sizes: []int{wire.MaxMessage}, Body: make([]byte, wire.MaxMessage)}
	if err := wire.NewWriter(io.Discard).Write(m); err != nil {
		t.Error(err)
	}
}

func TestConnections(t *testing.T) {
	pair := func() (*net.UnixConn, *net.UnixConn) {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		ends := make([]*net.UnixConn, 2)
		for i, fd := range fds {
			f := os.NewFile(uintptr(fd), "pair")
			c, err := net.FileConn(f)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			ends[i], _ = c.(*net.UnixConn)
			t.Cleanup(func() { _ = c.Close() })
		}
		return ends[0], ends[1]
	}
	a, b := pair()
	mine, yours := pair()
	for _, kind := range []wire.Kind{wire.Routes, wire.Upgrade, wire.Sockets} {
		f, err := yours.File()
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.SendConn(a, kind, f.Fd()); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		got, conn, err := wire.ReceiveConn(b)
		if err != nil || got != kind {
			t.Fatalf("%c, %v", got, err)
		}
		if _, err := conn.Write([]byte{byte(kind)}); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		said := make([]byte, 1)
		if _, err := io.ReadFull(mine, said); err != nil || said[0] != byte(kind) {
			t.Errorf("%q, %v", said, err)
		}
	}
	if _, err := a.Write([]byte{'r'}); err != nil { // a byte without a descriptor
		t.Fatal(err)
	}
	if _, _, err := wire.ReceiveConn(b); err == nil {
		t.Error("a connection came that nobody sent")
	}
	_ = a.Close()
	if _, _, err := wire.ReceiveConn(b); err == nil {
		t.Error("a connection came after the end")
	}
}

func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	_ = wire.NewWriter(&b).Write(&wire.Message{Path: "a", Topic: "t", Sizes: []int{2}, Body: []byte("{}")})
	_ = wire.NewWriter(&b).Write(&wire.Answer{ID: 1, Refused: &wire.Refused{Message: "no"}})
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := wire.NewServerReader(bytes.NewReader(data))
		for {
			frame, err := r.Read()
			if err != nil {
				return
			}
			if !frame.Type().FromApp() {
				t.Fatalf("read a frame of type %d", frame.Type())
			}
			if m, ok := frame.(*wire.Message); ok {
				m.Parts()
			}
			if err := wire.NewWriter(io.Discard).Write(frame); err != nil {
				t.Fatalf("what was read cannot be sent: %v", err)
			}
		}
	})
}
