package check

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/store"
)

// direct is a transport that hands requests to a handler in this process, so
// that it all runs on a virtual clock.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	r, w := io.Pipe()
	a := &answering{header: http.Header{}, body: w, began: make(chan int, 1)}
	stop := make(chan struct{})
	go func() {
		defer func() {
			if v := recover(); v != nil {
				a.WriteHeader(http.StatusOK)
				_ = w.CloseWithError(io.ErrUnexpectedEOF)
			}
			close(stop)
		}()
		d.handler.ServeHTTP(a, req)
		a.WriteHeader(http.StatusOK)
		_ = w.Close()
	}()
	select {
	case status := <-a.began:
		return &http.Response{StatusCode: status, Header: a.header, Body: r, Request: req, ProtoMajor: 1}, nil
	case <-req.Context().Done():
		_ = r.Close()
		return nil, req.Context().Err()
	}
}

type answering struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	began  chan int
}

func (a *answering) Header() http.Header { return a.header }

func (a *answering) WriteHeader(status int) { a.once.Do(func() { a.began <- status }) }

func (a *answering) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answering) Flush() {}

// avcConfig is x264's for 320x180, Constrained Baseline 3.0.
var avcConfig, _ = hex.DecodeString("0142c01effe100196742c01ed901419f9f011000000300100000030320f162e48001000568cb83cb20")

var (
	fixtureVideo = &media.Track{
		ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig,
		Width: 320, Height: 180, FrameRate: media.Rational{Num: 25, Den: 1},
	}
	fixtureAudio = &media.Track{
		ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Config: []byte{0x11, 0x90}, SampleRate: 48000, Channels: 2,
	}
)

// live is a good presentation in two renditions with sound, segments of a
// second and parts of 200 ms, that goes on until it is stopped.
func live(t *testing.T, lowLatency, subtitled bool, in packager.Container, prot *packager.Protection) (p *packager.Presentation, stop func()) {
	t.Helper()
	var subs []packager.Subtitles
	if subtitled {
		subs = []packager.Subtitles{{ID: "en", Language: "en", Default: true}, {ID: "de", Language: "de"}}
	}
	p, err := packager.New(packager.Config{
		Segment: time.Second, Part: 200 * time.Millisecond, Window: 24 * time.Second, LowLatency: lowLatency, Markers: true, Store: store.Memory{},
		Container: in, Protection: prot, Subtitles: subs,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetRenditions([]packager.Rendition{
		{Name: "720p", Kind: media.Video, Bitrate: 1_500_000, AverageBitrate: 1_000_000},
		{Name: "360p", Kind: media.Video, Bitrate: 1_500_000, AverageBitrate: 1_000_000},
		{Name: "audio", Kind: media.Audio, Bitrate: 160_000, AverageBitrate: 128_000},
	}); err != nil {
		t.Fatal(err)
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		feed(t, p, over)
	}()
	return p, sync.OnceFunc(func() {
		close(over)
		<-done
	})
}

// drawn is an access unit of 1000 bytes: a slice whose header can be read.
func drawn(key bool) []byte {
	b := append([]byte{0, 0, 3, 0xe4, 0x41}, bytes.Repeat([]byte{7}, 995)...)
	copy(b[5:], []byte{0x9a, 0, 0, 0x10})
	if key {
		copy(b[4:], []byte{0x65, 0x88, 0x84, 0xff, 0xff, 0xff})
	}
	return b
}

func feed(t *testing.T, p *packager.Presentation, stop <-chan struct{}) {
	start, sound := time.Now(), int64(0)
	for n := int64(0); ; n++ {
		at := time.Duration(n) * 40 * time.Millisecond
		timer := time.NewTimer(time.Until(start.Add(at)))
		select {
		case <-stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		segment := uint64(5000 + n/25)
		if n%75 == 50 {
			mark(t, p, n/75)
			_, _ = p.Caption(media.Cue{Subtitles: "en", Text: "Good evening.", Date: time.Now(), Duration: 1500 * time.Millisecond}) // where there are some
		}
		put := func(name string, pk media.Packet) {
			if err := p.Write(name, media.Placed{Packet: &pk, Segment: segment, Discontinuity: 7}); err != nil {
				t.Error(err)
			}
		}
		if n%25 == 0 {
			if err := p.Cut(media.Cut{Segment: segment, Discontinuity: 7, PTS: n * 3600, ClockRate: 90000, Wall: start.Add(at)}); err != nil {
				t.Error(err)
			}
		}
		for _, name := range []string{"720p", "360p"} {
			put(name, media.Packet{Track: fixtureVideo, PTS: n * 3600, DTS: n * 3600, Duration: 3600, Key: n%25 == 0, Payload: drawn(n%25 == 0)})
		}
		for ; sound*1024 < (n+1)*1920; sound++ {
			put("audio", media.Packet{Track: fixtureAudio, PTS: sound * 1024, DTS: sound * 1024, Duration: 1024, Key: true, Payload: make([]byte, 340)})
		}
	}
}

// mark marks the presentation for the nth time: with date ranges of every sort
// and with metadata.
func mark(t *testing.T, p *packager.Presentation, n int64) {
	put := func(m media.Marker) {
		m.Date = time.Now()
		if _, err := p.Mark(m); err != nil {
			t.Error(err)
		}
	}
	put(media.Marker{Kind: media.DateRange, ID: fmt.Sprint("range ", n), Class: "range", Duration: time.Second, Attributes: map[string]any{"X-N": float64(n)}})
	put(media.Marker{Kind: media.DateRange, ID: fmt.Sprint("song ", n), Class: "song", Duration: -1, EndOnNext: true})
	put(media.Marker{Kind: media.DateRange, ID: fmt.Sprint("break ", n), Duration: -1, Planned: time.Second, Out: []byte{0xfc}})
	if n > 0 {
		put(media.Marker{Kind: media.DateRangeEnd, ID: fmt.Sprint("break ", n-1), In: []byte{0xfc}})
	}
	put(media.Marker{Kind: media.Metadata, ID3: []byte("ID3\x04\x00\x00\x00\x00\x00\x00")})
}
