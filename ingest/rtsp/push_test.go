package rtsp

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// Push talks to a server that is not ours: ffmpeg waiting for a publisher. What
// it is sent are the packets that another ffmpeg published, with B-frames.
func TestPushToFFmpeg(t *testing.T) {
	gate := &fakeGate{}
	_, url := startServer(t, Config{}, gate)
	ffmpeg(t, camera("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-c:a", "aac",
		"-f", "rtsp", "-rtsp_transport", TCP, url+"/cam")...)
	s := waitState(t, gate, "cam", ingest.Live)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	target := "rtsp://127.0.0.1:" + strconv.Itoa(port) + "/x"
	out := filepath.Join(t.TempDir(), "frames")
	wait := ffmpeg(t, "-rtsp_flags", "listen", "-rtsp_transport", TCP, "-i", target,
		"-map", "0", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "framecrc", out)

	sub := s.Subscribe(media.SubscribeOptions{Backlog: true})
	defer sub.Close()
	var p *Pusher
	for deadline := time.Now().Add(10 * time.Second); p == nil; time.Sleep(50 * time.Millisecond) {
		if p, err = Push(t.Context(), PushConfig{URL: target}, s.Tracks()); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	sent := map[media.Kind]int{}
	for sent[media.Video] < 75 {
		pkt, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(pkt); err != nil {
			t.Fatal(err)
		}
		sent[pkt.Track.Kind]++
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	_ = wait()
	frames, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := checkFrames(t, string(frames), sent[media.Video]-2)
	if got[1] < sent[media.Audio]-2 {
		t.Errorf("sent %v, received %v", sent, got)
	}
}

// Packets that UDP loses or turns round: what is late is put back in order,
// pictures that miss a part are dropped and counted, the others are whole.
func TestLossOverUDP(t *testing.T) {
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
	_, url := startServer(t, Config{}, gate)
	c := newClip(t)
	p, err := Push(t.Context(), PushConfig{URL: url + "/cam", Transport: UDP}, []*media.Track{c.track})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s := gate.stream("cam")
	sub := s.Subscribe(media.SubscribeOptions{})
	defer sub.Close()
	sender := p.desc.senders[0]
	send := func(pkt *rtp.Packet) {
		if err := p.c.WritePacketRTP(sender.media, pkt); err != nil {
			t.Error(err)
		}
	}
	whole := map[int64][]byte{}
	var held *rtp.Packet
	seq, lost := 0, 0
	for n := range 250 { // the last ones whole: a gap holds up to 64 packets back
		pic := c.next(5000)
		whole[pic.PTS] = pic.Payload
		packets, err := sender.packetize(pic)
		if err != nil {
			t.Fatal(err)
		}
		for _, pkt := range packets {
			switch seq++; {
			case seq%101 == 50 && n < 200:
				lost++
				delete(whole, pic.PTS)
			case seq%17 == 8:
				held = pkt
				continue
			default:
				send(pkt)
			}
			if held != nil {
				send(held)
				held = nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	waitCount(t, func() bool { st := s.Stats(); return st.Packets+st.Damaged >= 250 })
	st := s.Stats()
	// a packet that is late when the library gives a gap up is lost too
	if st.Lost < uint64(lost) || st.Lost > uint64(lost)+4 || st.Damaged > st.Lost || st.Repairs.Jumped+st.Repairs.Breaks != 0 {
		t.Errorf("%d lost, %+v", lost, st)
	}
	first := int64(-1)
	for range st.Packets {
		got, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if first < 0 {
			first = got.PTS
		}
		if !bytes.Equal(got.Payload, whole[got.PTS-first]) {
			t.Errorf("picture at %d is not what was sent", got.PTS-first)
		}
	}
}
