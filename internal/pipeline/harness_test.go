package pipeline

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

var (
	avcConfig, _ = hex.DecodeString("0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b9201000468cb83cb20")
	aacConfig    = []byte{0x11, 0x90}
)

func h264(height int) *media.Track {
	return &media.Track{
		Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig,
		Width: height * 16 / 9, Height: height, FrameRate: media.Rational{Num: 25, Den: 1}, BitDepth: 8, Chroma: "4:2:0",
	}
}

func aac() *media.Track {
	return &media.Track{Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Config: aacConfig, SampleRate: 48000, Channels: 2}
}

func passthrough(path string, change ...func(*config.Stream)) config.Stream {
	set := config.DefaultStream()
	set.Path, set.Ladder = config.Pattern(path), config.Ladder{Mode: config.Passthrough}
	for _, f := range change {
		f(&set)
	}
	return set
}

func auto(path string, change ...func(*config.Stream)) config.Stream {
	return passthrough(path, append(change, func(s *config.Stream) { s.Ladder = config.Ladder{Mode: config.Auto} })...)
}

func hold(d time.Duration) func(*config.Stream) { return func(s *config.Stream) { s.Hold = d } }

// rig is a Manager under test. Media is sent at any speed: it arrives by its
// own time.
type rig struct {
	t testing.TB
	*Manager
	cfg *config.Config
}

// newRig starts a Manager whose workers behave as mode says.
func newRig(t testing.TB, mode string, change func(*config.Config, *Deps), streams ...config.Stream) *rig {
	t.Helper()
	cfg := config.Default()
	cfg.Streams = streams
	workers, err := transcode.NewSupervisor(transcode.Options{
		Command: []string{os.Args[0], "worker", mode}, Cores: -1, Pause: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{Transcoder: workers, Bus: NewBus(), Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(cfg, &deps)
	}
	r := &rig{t: t, Manager: NewManager(cfg, deps), cfg: cfg}
	t.Cleanup(func() {
		if err := r.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		r.Manager.wg.Wait()
	})
	return r
}

func request(path string) ingest.Request {
	return ingest.Request{Path: path, Protocol: "rtsp", Remote: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}}
}

// camera is a publisher: 25 pictures a second, and sound in frames of 1024.
type camera struct {
	t      testing.TB
	pub    *ingest.Publisher
	tracks []*media.Track
	begun  time.Duration // arrival of media time 0
	gop    time.Duration // between keyframes
	next   []time.Duration
	wall   time.Time // the sender's clock at media time 0, as its reports tell; zero: it sends none
}

func (r *rig) publish(path string, tracks ...*media.Track) *camera {
	r.t.Helper()
	pub, err := r.Publish(r.t.Context(), request(path), tracks)
	if err != nil {
		r.t.Fatal(err)
	}
	return &camera{
		t: r.t, pub: pub, tracks: tracks, begun: media.Now(), gop: 2 * time.Second,
		next: make([]time.Duration, len(tracks)),
	}
}

// begin publishes and waits until the stream is live.
func (r *rig) begin(path string, tracks ...*media.Track) *camera {
	r.t.Helper()
	c := r.publish(path, tracks...)
	c.send(time.Millisecond)
	r.until("life", func() bool { return r.state(path) == status.Live })
	return c
}

// send sends the tracks named (all, where none is) up to a media time.
func (c *camera) send(to time.Duration, only ...int) {
	c.t.Helper()
	if only == nil {
		for i := range c.tracks {
			only = append(only, i)
		}
	}
	for {
		first := only[0]
		for _, i := range only {
			if c.next[i] < c.next[first] {
				first = i
			}
		}
		if c.next[first] >= to {
			return
		}
		c.sample(first)
	}
}

// skip leaves a track out up to a media time.
func (c *camera) skip(track int, to time.Duration) {
	for c.next[track] < to {
		c.next[track] += c.step(track)
	}
}

func (c *camera) step(track int) time.Duration {
	if c.tracks[track].Kind == media.Video {
		return 40 * time.Millisecond
	}
	return 1024 * time.Second / time.Duration(c.tracks[track].ClockRate)
}

func (c *camera) sample(track int) {
	c.t.Helper()
	at, t := c.next[track], c.tracks[track]
	c.next[track] += c.step(track)
	s := ingest.Sample{PTS: media.Ticks(at, t.ClockRate), Key: true, Payload: []byte("payload"), Arrival: c.begun + at}
	if t.Kind == media.Video {
		s.Key = at%c.gop == 0
	} else {
		s.Duration = 1024
	}
	if !c.wall.IsZero() {
		s.NTP = c.wall.Add(at)
	}
	if err := c.pub.Write(track, s); err != nil {
		c.t.Fatalf("write track %d at %v: %v", track, at, err)
	}
}

// get fetches what follows the stream's path.
func (r *rig) get(urlPath string) (code int, body string) {
	play, ok := r.Playback(urlPath)
	if !ok {
		return http.StatusNotFound, ""
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/"+strings.TrimPrefix(urlPath, play.Path+"/"), nil)
	play.Handler.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

// listed is one segment as a playlist lists it.
type listed struct {
	discontinuity bool
	gap           bool
	length        time.Duration
	date          time.Time
	uri           string
}

// list reads a media playlist.
func (r *rig) list(urlPath string) (segments []listed, ended bool) {
	r.t.Helper()
	code, text := r.get(urlPath)
	if code != http.StatusOK {
		return nil, false
	}
	var s listed
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		tag, value, _ := strings.Cut(lines.Text(), ":")
		switch {
		case tag == "#EXT-X-DISCONTINUITY":
			s.discontinuity = true
		case tag == "#EXT-X-GAP":
			s.gap = true
		case tag == "#EXT-X-ENDLIST":
			ended = true
		case tag == "#EXT-X-PROGRAM-DATE-TIME":
			var err error
			if s.date, err = time.Parse(time.RFC3339Nano, value); err != nil {
				r.t.Fatal(err)
			}
		case tag == "#EXTINF":
			d, err := time.ParseDuration(strings.TrimSuffix(value, ",") + "s")
			if err != nil {
				r.t.Fatal(err)
			}
			s.length = d
		case tag != "" && tag[0] != '#':
			s.uri = tag
			segments = append(segments, s)
			s = listed{}
		}
	}
	return segments, ended
}

// shape tells a playlist in short: "2 2 | 1.5 gap(2)".
func shape(segments []listed) string {
	var b strings.Builder
	for i, s := range segments {
		switch {
		case s.discontinuity && i > 0:
			b.WriteString(" | ")
		case i > 0:
			b.WriteString(" ")
		}
		if s.gap {
			fmt.Fprintf(&b, "gap(%.3g)", s.length.Seconds())
		} else {
			fmt.Fprintf(&b, "%.3g", s.length.Seconds())
		}
	}
	return b.String()
}

func (r *rig) shape(urlPath string) string {
	segments, _ := r.list(urlPath)
	return shape(segments)
}

func (r *rig) state(path string) status.State {
	s, ok := r.Get(path)
	if !ok {
		return "gone"
	}
	return s.State
}

// until waits in real time.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("%s does not come", what)
		}
	}
}
