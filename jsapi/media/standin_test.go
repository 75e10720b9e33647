package media_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// standIn is an engine without codecs, for the machinery of the graph: a
// packet becomes a frame of its payload and the other way round. Real media is
// tested with the real engine, where cgo may stand.
type standIn struct {
	open  atomic.Int64 // frames that nobody has closed
	quiet bool         // muxers write nothing
	input func(url string) (transcode.Input, error)
}

func (e *standIn) Open(_ context.Context, url string, _ transcode.InputOptions) (transcode.Input, error) {
	if e.input == nil {
		return nil, errors.New("no such file")
	}
	return e.input(url)
}

func (e *standIn) Decoder(t *media.Track, _ transcode.CoderOptions) (transcode.FrameDecoder, error) {
	return &standInDecoder{e, t}, nil
}

func (e *standIn) Filter(description string, _ []media.Kind) (transcode.FrameFilter, error) {
	if description == "wrong" {
		return nil, &transcode.OptionError{Kind: transcode.FilterOptions, Part: "wrong", Nearest: "null"}
	}
	f := standInFilter{outputs: []string{""}}
	if _, labels, several := strings.Cut(description, "split"); several {
		f.outputs = strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(labels))
	}
	return f, nil
}

func (e *standIn) Encoder(transcode.CoderOptions) (transcode.FrameEncoder, error) {
	return &standInEncoder{}, nil
}

func (e *standIn) Muxer(w io.Writer, _ []*media.Track, _ transcode.MuxerOptions) (transcode.PacketMuxer, error) {
	if e.quiet {
		w = io.Discard
	}
	return standInMuxer{w, e.quiet}, nil
}

func (e *standIn) Ladder(*transcode.Plan, uint64, transcode.Output) (transcode.LadderRun, error) {
	return nil, errors.New("no ladder")
}

func (e *standIn) Names(transcode.OptionKind) []string { return []string{"one"} }

func (e *standIn) Options(transcode.OptionKind, string) ([]transcode.Option, error) {
	return []transcode.Option{{Name: "crf", Type: "float", Min: 0, Max: 51}}, nil
}

func (e *standIn) Check(kind transcode.OptionKind, part string, options map[string]string) error {
	for name := range options {
		if name != "crf" {
			return &transcode.OptionError{Kind: kind, Part: part, Option: name, Nearest: "crf"}
		}
	}
	return nil
}

func (e *standIn) Picture(width, height int, _ string) (transcode.Frame, error) {
	return e.frame(&media.Track{Kind: media.Video, ClockRate: 90000}, make([]byte, width*height), 0), nil
}

func (e *standIn) Samples(_, _, samples int) (transcode.Frame, error) {
	return e.frame(&media.Track{Kind: media.Audio, ClockRate: 48000}, make([]byte, samples), 0), nil
}

func (e *standIn) frame(t *media.Track, data []byte, pts int64) *standInFrame {
	e.open.Add(1)
	return &standInFrame{e: e, t: t, data: data, pts: pts}
}

type standInDecoder struct {
	e *standIn
	t *media.Track
}

func (d *standInDecoder) Decode(p *media.Packet, emit func(transcode.Frame) error) error {
	if p == nil {
		return nil
	}
	if string(p.Payload) == "bad" {
		return errors.New("this is not a picture")
	}
	return emit(d.e.frame(d.t, append([]byte(nil), p.Payload...), p.PTS))
}

func (d *standInDecoder) Close() {}

// standInFilter passes frames on, to each of its outputs.
type standInFilter struct{ outputs []string }

func (s standInFilter) Push(_ int, f transcode.Frame, emit func(int, transcode.Frame) error) error {
	if f == nil {
		return nil
	}
	for i := range s.outputs[1:] {
		c, err := f.Clone()
		if err != nil {
			return err
		}
		if err := emit(i+1, c); err != nil {
			return err
		}
	}
	return emit(0, f)
}

func (s standInFilter) Outputs() []string                  { return s.outputs }
func (standInFilter) Command(string, string, string) error { return nil }
func (standInFilter) Close()                               {}

type standInEncoder struct{ track *media.Track }

func (c *standInEncoder) Encode(f transcode.Frame, key bool, emit func(*media.Packet) error) error {
	if f == nil {
		return nil
	}
	if c.track == nil {
		c.track = &media.Track{Kind: f.Kind(), Codec: "coded", ClockRate: f.ClockRate()}
	}
	data, _ := f.Plane(0)
	pts, _ := f.PTS()
	return emit(&media.Packet{Track: c.track, PTS: pts, DTS: pts, Key: key || f.Key(), Payload: append([]byte(nil), data...)})
}

func (c *standInEncoder) Close() {}

type standInMuxer struct {
	w     io.Writer
	quiet bool
}

func (m standInMuxer) Write(p *media.Packet) error {
	if m.quiet {
		return nil
	}
	_, err := fmt.Fprintf(m.w, "%d:%s:%d:%s\n", p.Track.ID, p.Track.Kind, p.PTS, p.Payload)
	return err
}

func (m standInMuxer) Close() error {
	_, err := io.WriteString(m.w, "end\n")
	return err
}

// standInFrame counts who shares its memory.
type standInFrame struct {
	e      *standIn
	t      *media.Track
	mu     sync.Mutex
	data   []byte
	pts    int64
	closed bool
}

func (f *standInFrame) Kind() media.Kind   { return f.t.Kind }
func (f *standInFrame) PTS() (int64, bool) { return f.pts, true }
func (f *standInFrame) SetPTS(pts int64)   { f.pts = pts }
func (f *standInFrame) ClockRate() int     { return f.t.ClockRate }
func (f *standInFrame) SetClockRate(r int) { f.t = &media.Track{Kind: f.t.Kind, ClockRate: r} }
func (f *standInFrame) Width() int         { return len(f.data) }
func (f *standInFrame) Height() int        { return 1 }
func (f *standInFrame) Format() string     { return "gray" }
func (f *standInFrame) Key() bool          { return true }
func (f *standInFrame) SampleRate() int    { return f.t.ClockRate }
func (f *standInFrame) Channels() int      { return 1 }
func (f *standInFrame) Samples() int       { return len(f.data) }
func (f *standInFrame) Planes() int        { return 1 }

func (f *standInFrame) Plane(int) ([]byte, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		panic("a plane of a closed frame")
	}
	return f.data, len(f.data)
}

func (f *standInFrame) Writable() error {
	f.data = append([]byte(nil), f.data...)
	return nil
}

func (f *standInFrame) Bytes() int64 { return int64(len(f.data)) }

func (f *standInFrame) Clone() (transcode.Frame, error) { return f.e.frame(f.t, f.data, f.pts), nil }

func (f *standInFrame) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		panic("a frame was closed twice")
	}
	f.closed = true
	f.e.open.Add(-1)
}

func (f *standInFrame) Scale(w, _ int, _ string) (transcode.Frame, error) {
	return f.e.frame(f.t, make([]byte, w), f.pts), nil
}

func (f *standInFrame) JPEG(int) ([]byte, error)              { return []byte("jpeg"), nil }
func (f *standInFrame) PNG() ([]byte, error)                  { return []byte("png"), nil }
func (f *standInFrame) Diff(transcode.Frame) (float64, error) { return 0.5, nil }
func (f *standInFrame) Histogram() ([]int, error)             { return make([]int, 256), nil }
func (f *standInFrame) Levels() (rms, peak []float64, err error) {
	return []float64{-20}, []float64{-3}, nil
}

// clip is a source of so many packets, of a video and an audio track in turn.
type clip struct {
	video, audio *media.Track
	n, most      int
	payload      func(n int) string
	pace         func(ctx context.Context, n int) error
	closed       atomic.Bool
}

func newClip(most int) *clip {
	return &clip{
		video: &media.Track{ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Width: 320, Height: 180},
		audio: &media.Track{ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, SampleRate: 48000, Channels: 2},
		most:  most, payload: func(n int) string { return fmt.Sprintf("p%d", n) },
	}
}

func (c *clip) Tracks() []*media.Track  { return []*media.Track{c.video, c.audio} }
func (c *clip) Duration() time.Duration { return time.Duration(c.most) * 20 * time.Millisecond }
func (c *clip) Close()                  { c.closed.Store(true) }

func (c *clip) Read(ctx context.Context) (*media.Packet, error) {
	if c.n == c.most {
		return nil, io.EOF
	}
	if c.pace != nil {
		if err := c.pace(ctx, c.n); err != nil {
			return nil, err
		}
	}
	n := c.n
	c.n++
	t := c.video
	if n%2 == 1 {
		t = c.audio
	}
	at := media.Ticks(time.Duration(n/2)*40*time.Millisecond, t.ClockRate)
	return &media.Packet{
		Track: t, PTS: at, DTS: at, Duration: media.Ticks(40*time.Millisecond, t.ClockRate),
		Key: t == c.audio || n%20 == 0, Payload: []byte(c.payload(n)), Arrival: time.Duration(n),
	}, nil
}
