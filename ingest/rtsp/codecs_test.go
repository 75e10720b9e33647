package rtsp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// Every codec from ffmpeg through the server and back into ffprobe.
func TestCodecs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	video, audio := camera()[:5], camera()[5:]
	video = append([]string{}, video...)
	for _, c := range []struct {
		name   string
		in     [][]string
		out    string
		video  media.Codec
		audio  media.Codec
		frame  int64 // audio ticks between frames
		step   int64
		probed string
	}{
		{"x264 defaults", [][]string{video}, "-c:v libx264 -preset medium -g 25", media.H264, "", 0, 3600, "h264"},
		{"x264 deep pyramid", [][]string{video}, "-c:v libx264 -preset veryfast -g 50 -bf 8 -b_strategy 0 -x264opts b-pyramid=normal", media.H264, "", 0, 3600, "h264"},
		{"x264 zero latency", [][]string{video}, "-c:v libx264 -preset ultrafast -tune zerolatency -g 25", media.H264, "", 0, 3600, "h264"},
		{"x265 defaults", [][]string{video}, "-c:v libx265 -preset ultrafast -g 25 -x265-params log-level=none:bframes=3", media.H265, "", 0, 3600, "hevc"},
		{"aac", [][]string{audio}, "-c:a aac", "", media.AAC, 1024, 0, "aac"},
		{"opus", [][]string{audio}, "-c:a libopus", "", media.Opus, 960, 0, "opus"},
		{"g711 a-law", [][]string{audio}, "-c:a pcm_alaw -ar 8000", "", media.PCMA, 0, 0, "pcm_alaw"},
		{"g711 mu-law", [][]string{audio}, "-c:a pcm_mulaw -ar 8000", "", media.PCMU, 0, 0, "pcm_mulaw"},
		{"mp2", [][]string{audio}, "-c:a mp2 -b:a 128k", "", media.MPEGAudio, 1152, 0, "mp2"},
		{"lpcm", [][]string{audio}, "-c:a pcm_s16be -ar 44100 -ac 2", "", media.LPCM, 0, 0, "pcm_s16be"},
		{"h264 and g711", [][]string{video, audio}, "-c:v libx264 -preset ultrafast -g 25 -c:a pcm_alaw -ar 8000", media.H264, media.PCMA, 0, 3600, "h264"},
	} {
		t.Run(c.name, func(t *testing.T) {
			gate := &fakeGate{}
			_, url := startServer(t, Config{}, gate)
			var args []string
			for _, in := range c.in {
				args = append(args, in...)
			}
			if len(c.in) == 1 && c.audio != "" {
				args = append([]string{"-re"}, args...)
			}
			args = append(args, strings.Fields(c.out)...)
			ffmpeg(t, append(args, "-f", "rtsp", "-rtsp_transport", TCP, url+"/cam")...)
			s := waitState(t, gate, "cam", ingest.Live)
			nv, na := 0, 0
			if c.video != "" {
				nv = 60
			}
			if c.audio != "" {
				na = 40
			}
			v, a := collect(t, s, nv, na)
			if nv > 0 {
				if v[0].Track.Codec != c.video || v[0].Track.Width != 320 || v[0].Track.FrameRate != (media.Rational{Num: 25, Den: 1}) {
					t.Errorf("track %+v", v[0].Track)
				}
				checkVideo(t, v, c.step)
			}
			if na > 0 {
				if a[0].Track.Codec != c.audio || a[0].Track.SampleRate == 0 {
					t.Errorf("track %+v", a[0].Track)
				}
				for i := range a[1:] {
					d := a[i+1].DTS - a[i].DTS
					if d != a[i].Duration || c.frame != 0 && d != c.frame {
						t.Errorf("frame %d: distance %d, duration %d", i, d, a[i].Duration)
					}
				}
			}
			st := s.Stats()
			if r := st.Repairs; r.Jumped+r.Backwards+r.PTSFirst+r.Rates+r.Breaks+r.Reorders != 0 || st.Damaged != 0 || st.Lost != 0 {
				t.Errorf("%+v", st)
			}
			p := ffprobe(t, "-rtsp_transport", TCP, "-show_streams", url+"/cam")
			if len(p.Streams) != len(c.in) || p.Streams[0].CodecName != c.probed {
				t.Errorf("read back: %+v", p.Streams)
			}
		})
	}
}

// Parameter sets only in band: the SDP has none, the track waits for them.
// ffmpeg leaves them out of the SDP when the encoder has no global header.
func TestSetsInBand(t *testing.T) {
	gate := &fakeGate{}
	_, url := startServer(t, Config{}, gate)
	c := newClip(t)
	var sdp strings.Builder
	for line := range strings.Lines(cameraSDP) {
		if strings.HasPrefix(line, "m=audio") {
			break
		}
		if !strings.Contains(line, "fmtp") {
			sdp.WriteString(line)
		}
	}
	w := dial(t, url)
	if res := w.announce(url+"/cam", sdp.String()); !strings.HasPrefix(res, "RTSP/1.0 200") {
		t.Fatal(res)
	}
	res := w.ask("SETUP "+url+"/cam/streamid=0 RTSP/1.0", "CSeq: 2", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record")
	_, session, _ := strings.Cut(res, "Session: ")
	session, _, _ = strings.Cut(session, "\r\n")
	if res := w.ask("RECORD "+url+"/cam RTSP/1.0", "CSeq: 3", "Session: "+session); !strings.HasPrefix(res, "RTSP/1.0 200") {
		t.Fatal(res)
	}
	sender, err := newSender(c.track, 96)
	if err != nil {
		t.Fatal(err)
	}
	send := func(p *media.Packet) {
		t.Helper()
		packets, err := sender.packetize(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range packets {
			b, err := r.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.c.Write(append([]byte{'$', 0, byte(len(b) >> 8), byte(len(b))}, b...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := gate.stream("cam")
	c.n = 20 // in the middle of a group
	for range 5 {
		send(c.next(500))
	}
	waitCount(t, func() bool { return s.Stats().Waiting == 5 })
	if s.State() != ingest.Gathering || len(s.Tracks()) != 0 {
		t.Errorf("%v with %v", s.State(), s.Tracks())
	}
	send(c.next(500)) // a keyframe, with its sets
	waitState(t, gate, "cam", ingest.Live)
	tr := s.Tracks()[0]
	if tr.Width != 640 || tr.Revision != 0 {
		t.Errorf("track %+v", tr)
	}
	// and now others, in flight
	sets := sender.sets
	sender.sets = [][]byte{unhex(t, "6742c00cd901419f9f011000000300100000030320f142a480"), sets[1]}
	changed := s.Changed()
	for range 25 {
		send(c.next(500))
	}
	<-changed
	if tr := s.Tracks()[0]; tr.Width != 320 || tr.Revision != 1 || tr.ID != 0 {
		t.Errorf("track %+v", tr)
	}
}

func TestPull(t *testing.T) {
	for _, c := range []struct{ name, transport, cred string }{
		{"tcp", TCP, ""}, {"udp", UDP, ""}, {"auto", "", "cam:p%40ss@"},
	} {
		t.Run(c.name, func(t *testing.T) {
			gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
			if c.cred != "" {
				gate.check = func(r ingest.Request) error {
					if r.Verify == nil || !r.Verify("cam", "p@ss") {
						return ingest.ErrUnauthorized
					}
					return nil
				}
			}
			_, url := startServer(t, Config{}, gate)
			url = strings.Replace(url, "://", "://"+c.cred, 1) + "/cam"
			clip := newClip(t)
			ctx, cancel := context.WithCancel(context.Background())
			sink := ingest.NewStream("copy", ingest.StreamOptions{Hold: -1})
			defer sink.Close(nil)
			sub := sink.Subscribe(media.SubscribeOptions{})
			defer sub.Close()
			var logged strings.Builder
			done := make(chan error)
			go func() {
				done <- Pull(ctx, PullConfig{
					URL: url, Transport: c.transport, Retry: ingest.Retry{Backoff: 20 * time.Millisecond, Max: 50 * time.Millisecond},
					ReadTimeout: 500 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
				}, sink)
			}()
			// not there yet, there, gone, there again, silent, there again
			for round := range 3 {
				p, err := Push(ctx, PushConfig{URL: url}, []*media.Track{clip.track})
				if err != nil {
					t.Fatal(err)
				}
				clip.n = 0
				epoch := -1
				for epoch < round {
					if err := p.Write(clip.next(1000)); err != nil {
						t.Fatal(err)
					}
					short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
					if pkt, err := sub.Next(short); err == nil {
						epoch = int(pkt.Epoch)
					}
					stop()
				}
				if sink.State() != ingest.Live {
					t.Errorf("state %v", sink.State())
				}
				if round == 1 { // silence is noticed
					for sink.State() == ingest.Live {
						time.Sleep(10 * time.Millisecond)
					}
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				for sink.State() == ingest.Live {
					time.Sleep(10 * time.Millisecond)
				}
				if sink.Reason() == nil {
					t.Error("no reason")
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Errorf("pull ended with %v", err)
			}
			if text := logged.String(); strings.Contains(text, "p@ss") || strings.Contains(text, "p%40ss") || !strings.Contains(text, "source connected") {
				t.Errorf("log: %s", text)
			}
		})
	}
}

// A source whose stream has ended is left, and a URL that is none is refused
// without being repeated.
func TestPullEnds(t *testing.T) {
	sink := ingest.NewStream("x", ingest.StreamOptions{})
	for _, bad := range []string{"http://user:secret@host/x", "rtsp://user:secret@ho st/x", "rtsp:///x", "secret"} {
		if err := Pull(t.Context(), PullConfig{URL: bad}, sink); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
	_, url := startServer(t, Config{}, gate)
	c := newClip(t)
	p := push(t, url+"/cam", c)
	defer p.Close()
	_ = p.Write(c.next(100))
	waitState(t, gate, "cam", ingest.Live)
	sink.Close(nil)
	if err := Pull(t.Context(), PullConfig{URL: url + "/cam"}, sink); !errors.Is(err, ingest.ErrEnded) {
		t.Errorf("%v", err)
	}
}

// ffmpeg cannot send AC-3 over RTP; we can, and take it.
func TestAC3(t *testing.T) {
	bin, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg")
	}
	const frame = 768 // bytes, at 192 kbit/s and 48 kHz
	out, err := exec.CommandContext(t.Context(), bin, "-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "1",
		"-ac", "2", "-c:a", "ac3", "-b:a", "192k", "-f", "ac3", "-").Output()
	if err != nil || len(out) < 20*frame {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
	_, url := startServer(t, Config{}, gate)
	track := &media.Track{Kind: media.Audio, Codec: media.AC3, ClockRate: 48000, SampleRate: 48000, Channels: 2}
	p, err := Push(t.Context(), PushConfig{URL: url + "/a"}, []*media.Track{track})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	sub := gate.stream("a").Subscribe(media.SubscribeOptions{})
	defer sub.Close()
	for i := range 20 {
		if err := p.Write(&media.Packet{Track: track, PTS: int64(i) * 1536, Key: true, Payload: out[i*frame : (i+1)*frame]}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		got, err := sub.Next(ctx)
		cancel()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !bytes.Equal(got.Payload, out[i*frame:(i+1)*frame]) || got.Duration != 1536 || got.PTS != 48000+int64(i)*1536 {
			t.Errorf("frame %d: %d bytes at %d", i, len(got.Payload), got.PTS)
		}
	}
}
