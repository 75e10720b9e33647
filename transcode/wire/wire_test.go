package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

func sampleTrack() media.Track {
	return media.Track{
		ID: 1, Revision: 2, Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Config: []byte{1, 100, 0, 31}, Width: 1280, Height: 720,
		SampleAspect: media.Rational{Num: 1, Den: 1}, FrameRate: media.Rational{Num: 30000, Den: 1001},
	}
}

func sampleGraph() Graph {
	return Graph{
		Nodes: []Node{
			{ID: "in", Kind: NodeSource, Track: 0},
			{ID: "dec", Kind: NodeDecode, Decode: &Decode{Threads: 1, LowLatency: true}},
			{ID: "pic", Kind: NodePicture, Picture: &Picture{Width: 640, Height: 360}},
			{ID: "enc", Kind: NodeEncode, Encode: &Encode{Codec: media.H264, Bitrate: 700_000, Preset: "veryfast"}},
			{ID: "out", Kind: NodeOutput, Rendition: "360p"},
		},
		Links: []Link{{"in", "dec"}, {"dec", "pic"}, {"pic", "enc"}, {"enc", "out"}},
	}
}

func samplePacket(payload []byte) *Packet {
	return &Packet{Stream: 3, Revision: 1, Placed: media.Placed{
		Packet: &media.Packet{
			PTS: 1 << 40, DTS: 90000, Duration: 3003, Key: true,
			Payload: payload, Arrival: 12 * time.Second, Epoch: 7,
		},
		Segment: 1_764_000_001, Discontinuity: 1_764_000_000,
	}}
}

func sampleScriptJob() *ScriptJob {
	low := true
	return &ScriptJob{
		Name: "cam/front", Script: "/etc/millrace/front.js", Tracks: []media.Track{sampleTrack()}, Live: true,
		Policy: `{"Mode":"auto"}`, HLS: HLS{Segment: 2_000_000_000, Container: "fmp4", LowLatency: &low},
		After: 7, Origin: 1_764_000_000_000_000_000, Env: map[string]string{"KEY": "value"},
	}
}

// samples has one message of every type and direction.
func samples() map[Direction][]Message {
	return map[Direction][]Message{
		FromLifeline: {&Config{Role: RoleStream, Name: "cam/front", LogLevel: -4}},
		FromParent: {
			&Job{Name: "cam/front", Graph: sampleGraph(), Live: true, From: 9},
			&Tune{Preset: "ultrafast", Off: []string{"720p"}, FrameDivisor: 2},
			&Cut{Segment: 5, Discontinuity: 4, PTS: 180000, ClockRate: 90000},
			&Track{Stream: 1, Track: sampleTrack()},
			samplePacket([]byte("access unit")),
			samplePacket([]byte{}),
			&Drain{}, &Bye{},
			&Open{URL: "clip.mp4"}, &Probe{URL: "rtsp://camera/1"},
			&Thumbnail{ID: 8, Width: 320, Track: sampleTrack(), Payload: []byte("key")},
			sampleScriptJob(),
			&Presence{Here: true}, &Handover{PTS: 180000, ClockRate: 90000, Leave: true},
			&Script{Topic: "text", Sizes: []int{2, 3}, Body: []byte("{}abc")},
			&SenderClock{Zero: 1_764_000_000_000_000_000, Anew: true},
		},
		FromWorker: {
			&Hello{PID: 42, FFmpeg: "7.1.5"},
			&Track{Stream: 3, Rendition: "360p", Track: sampleTrack()},
			samplePacket(bytes.Repeat([]byte("x"), 100_000)),
			&Stats{PacketsIn: 1, FramesIn: 2, Outputs: []OutputStats{{Rendition: "360p", Frames: 3, Off: true}}},
			&Log{Level: 4, Message: "slow", Attrs: map[string]string{"node": "dec"}},
			&Drained{}, &Bye{},
			&Error{Class: ClassInput, Node: "dec", Message: "no picture"},
			&Opened{Info: Info{Container: "mpegts", Streams: []StreamInfo{{Kind: "video", Codec: media.H264, Usable: true}}}},
			&Probed{Info: Info{Container: "mpegts", Duration: 1.5}},
			&Image{ID: 8, JPEG: []byte{0xff, 0xd8}}, &Image{ID: 9, Error: "no picture", JPEG: []byte{}},
			&Cut{Segment: 1, Discontinuity: 1, PTS: 180000, ClockRate: 90000, Wall: 1_764_000_000_000_000_000},
			&Renditions{
				Renditions: []Rendition{{Name: "720p", Kind: media.Video, Codec: media.H264, Copy: true, Width: 1280, Height: 720}},
				HLS:        HLS{Part: 200_000_000}, Cost: 0.5,
			},
			&GivenUp{Level: 3, Preset: "ultrafast", Off: []string{"720p"}, FrameDivisor: 2},
			&Suspended{}, &Handed{}, &Files{Paths: []string{"/etc/millrace/front.js"}},
			&Script{Topic: "level", Sizes: []int{3}, Body: []byte("0.5")},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	for direction, messages := range samples() {
		var b bytes.Buffer
		w := NewWriter(&b)
		for _, m := range messages {
			if err := w.Write(m); err != nil {
				t.Fatal(err)
			}
		}
		r := NewReader(&b, direction)
		for _, want := range messages {
			got, err := r.Read()
			if err != nil {
				t.Fatalf("%T: %v", want, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("read %+v, wrote %+v", got, want)
			}
		}
		if _, err := r.Read(); err != io.EOF { //nolint:errorlint // bare by contract
			t.Errorf("at the end: %v", err)
		}
	}
}

func TestEveryTypeHasASample(t *testing.T) {
	covered := make(map[Direction]map[Type]bool)
	for d, messages := range samples() {
		covered[d] = make(map[Type]bool)
		for _, m := range messages {
			covered[d][m.Type()] = true
		}
	}
	for _, d := range []Direction{FromParent, FromWorker, FromLifeline} {
		for i := range 256 {
			m, _ := known(d, Type(i))
			if m != nil && m.Type() != Type(i) {
				t.Errorf("type %d makes a message of type %d", i, m.Type())
			}
			if (m != nil) != covered[d][Type(i)] {
				t.Errorf("direction %d, type %d: known %t, sample %t", d, i, m != nil, covered[d][Type(i)])
			}
		}
	}
}

func TestPaddedPayload(t *testing.T) {
	var b bytes.Buffer
	payload := bytes.Repeat([]byte{0xff}, 1000)
	if err := NewWriter(&b).Write(samplePacket(payload)); err != nil {
		t.Fatal(err)
	}
	m, err := NewPaddedReader(&b, FromParent).Read()
	if err != nil {
		t.Fatal(err)
	}
	p := m.(*Packet).Payload
	if !bytes.Equal(p, payload) {
		t.Fatal("payload differs")
	}
	if !bytes.Equal(p[:len(p)+Padding][len(p):], make([]byte, Padding)) {
		t.Fatal("the tail is not zero")
	}
}

// frame makes a raw frame, for bodies that Writer would never write.
func frame(t Type, body string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return string(append(head, byte(t))) + body
}

func TestRefused(t *testing.T) {
	start := string(preamble())
	pkt := func(change func(b []byte)) string {
		b := appendPacketHeader(nil, samplePacket(nil))
		change(b)
		return frame(TypePacket, string(b))
	}
	for _, c := range []struct {
		name, input string
		direction   Direction
		want        string // part of the error
	}{
		{"nothing", "", FromParent, "EOF"},
		{"half a preamble", "MRW", FromParent, "EOF"},
		{"another protocol", "GET / HTTP/1.1\r\n", FromParent, "not this protocol"},
		{"another version", "MRWP\x00\x63\x00\x00", FromParent, "version 99"},
		{"reserved bits", "MRWP\x00\x01\x00\x01", FromParent, "not this protocol"},
		{"unknown type", start + frame(200, "{}"), FromWorker, "unknown type 200"},
		{"type zero", start + frame(0, "{}"), FromParent, "unknown type 0"},
		{"wrong direction", start + frame(TypeJob, "{}"), FromWorker, "unknown type"},
		{"hello from the parent", start + frame(TypeHello, "{}"), FromParent, "unknown type"},
		{"packet on the lifeline", start + frame(TypePacket, ""), FromLifeline, "unknown type"},
		{"huge", start + "\xff\xff\xff\xff" + string(rune(TypePacket)), FromParent, "at most"},
		{"huge log", start + "\x00\x02\x00\x00" + string(rune(TypeLog)), FromWorker, "at most"},
		{"half a body", start + frame(TypeCut, "{}")[:6], FromParent, "unexpected EOF"},
		{"no JSON", start + frame(TypeCut, "nope"), FromParent, "decode"},
		{"empty JSON", start + frame(TypeCut, ""), FromParent, "EOF"},
		{"unknown field", start + frame(TypeCut, `{"clockRate":1,"x":1}`), FromParent, "unknown field"},
		{"two values", start + frame(TypeCut, `{"clockRate":1} {}`), FromParent, "more than one"},
		{"cut without a clock", start + frame(TypeCut, `{}`), FromParent, "clock"},
		{"short packet", start + frame(TypePacket, "short"), FromParent, "packet of 5 bytes"},
		{"packet flags", start + pkt(func(b []byte) { b[12] = 1 }), FromParent, "flags"},
		{"packet stream", start + pkt(func(b []byte) { b[0] = 0xff }), FromParent, "stream"},
		{"negative PTS", start + pkt(func(b []byte) { b[16] = 0x80 }), FromParent, "negative"},
		{"thumbnail text past its end", start + frame(TypeThumbnail, "\x00\x00\x00\xff{}"), FromParent, "of text"},
		{"thumbnail without a track", start + frame(TypeThumbnail, "\x00\x00\x00\x02{}"), FromParent, "kind"},
		{"track turned a little", start + frame(TypeTrack, `{"track":{"Kind":1,"Codec":"h264","ClockRate":90000,"Rotation":7}}`), FromParent, "7 degrees"},
		{"track of endless size", start + frame(TypeTrack, `{"track":{"Kind":1,"Codec":"h264","ClockRate":90000,"Width":99999999}}`), FromParent, "99999999"},
		{"job without a graph", start + frame(TypeJob, `{"graph":{"nodes":[],"links":[]}}`), FromParent, "no nodes"},
		{"script without a path", start + frame(TypeScriptJob, `{"script":"front.js"}`), FromParent, "absolute"},
		{"script with a broken track", start + frame(TypeScriptJob, `{"script":"/a","tracks":[{"Kind":9}]}`), FromParent, "kind 9"},
		{"script with an absurd window", start + frame(TypeScriptJob, `{"script":"/a","hls":{"window":-1}}`), FromParent, "hls"},
		{"no renditions", start + frame(TypeRenditions, `{"renditions":[],"hls":{}}`), FromWorker, "0 renditions"},
		{"nameless rendition", start + frame(TypeRenditions, `{"renditions":[{"kind":1}],"hls":{}}`), FromWorker, "name"},
		{"handover without a clock", start + frame(TypeHandover, `{}`), FromParent, "clock"},
		{"message without a topic", start + frame(TypeScript, "\x00\x00\x00\x02{}"), FromParent, "topic"},
		{"message whose parts are not there", start + frame(TypeScript, "\x00\x00\x00\x1b"+`{"topic":"a","sizes":[2,9]}`+"{}"), FromParent, "parts"},
		{"unknown role", start + frame(TypeConfig, `{"role":"king"}`), FromLifeline, "king"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewReader(strings.NewReader(c.input), c.direction).Read()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestWriterRefuses(t *testing.T) {
	w := NewWriter(io.Discard)
	for _, m := range []Message{
		samplePacket(make([]byte, MaxPayload+1)),
		&Packet{Stream: -1, Placed: media.Placed{Packet: &media.Packet{}}},
		&Error{Message: strings.Repeat("x", maxControl)},
		&Script{Topic: "t", Sizes: []int{MaxMessage + 1}, Body: make([]byte, MaxMessage+1)},
		&Script{Topic: "t", Sizes: []int{1}, Body: []byte("{}")},
	} {
		if err := w.Write(m); err == nil {
			t.Errorf("%T was written", m)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no") }

func TestWriterTellsFailure(t *testing.T) {
	if err := NewWriter(failing{}).Write(&Bye{}); err == nil {
		t.Fatal("no error")
	}
}

func FuzzReader(f *testing.F) {
	for direction, messages := range samples() {
		var b bytes.Buffer
		w := NewWriter(&b)
		for _, m := range messages {
			if p, ok := m.(*Packet); ok && len(p.Payload) > 100 {
				continue
			}
			if err := w.Write(m); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(uint8(direction), b.Bytes())
		f.Add(uint8(direction), b.Bytes()[:b.Len()/2])
	}
	f.Fuzz(func(t *testing.T, d uint8, input []byte) {
		direction := Direction(d % 3)
		r := NewPaddedReader(bytes.NewReader(input), direction)
		var read []Message
		var again bytes.Buffer
		w := NewWriter(&again)
		for {
			m, err := r.Read()
			if err != nil {
				break
			}
			read = append(read, m)
			if err := w.Write(m); err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
		}
		// What was read survives another trip unchanged.
		r = NewPaddedReader(&again, direction)
		for _, want := range read {
			got, err := r.Read()
			if err != nil {
				t.Fatalf("%T: %v", want, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("read %+v, then %+v", want, got)
			}
		}
	})
}
