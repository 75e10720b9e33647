package stream

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// writer is the worker's end of the socket, for all goroutines.
type writer struct {
	level slog.Level

	mu sync.Mutex // held over I/O: it keeps messages whole
	w  *wire.Writer

	lines struct { // of the log, in this second
		sync.Mutex
		second  time.Time
		n, lost int
	}
}

// maxLines is how many lines a second go to the server's log.
const maxLines = 50

func (w *writer) send(m wire.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(m)
}

// log sends a line for the server's log, unless there are too many.
func (w *writer) log(level slog.Level, message string, attrs map[string]string) {
	if level < w.level {
		return
	}
	w.lines.Lock()
	now, lost := time.Now(), 0
	if now.Sub(w.lines.second) >= time.Second {
		lost = w.lines.lost
		w.lines.second, w.lines.n, w.lines.lost = now, 0, 0
	}
	w.lines.n++
	full := w.lines.n > maxLines
	if full {
		w.lines.lost++
	}
	w.lines.Unlock()
	if lost > 0 {
		_ = w.send(&wire.Log{
			Level: int(slog.LevelWarn), Message: "the script logs too much",
			Attrs: map[string]string{"lines": strconv.Itoa(lost)},
		})
	}
	if full {
		return
	}
	const most = 4 << 10
	if len(message) > most {
		message = message[:most]
	}
	// A line that cannot be sent is lost: so is the parent.
	_ = w.send(&wire.Log{Level: int(level), Message: message, Attrs: attrs})
}

// printer is stdout or stderr of the script: lines for the log.
type printer struct {
	w     *writer
	level slog.Level

	mu   sync.Mutex
	rest []byte
}

// Write implements io.Writer.
func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, b...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 && len(p.rest) < 4<<10 {
			return len(b), nil
		}
		if i < 0 {
			i = len(p.rest)
		}
		p.w.log(p.level, string(p.rest[:i]), map[string]string{"from": "script"})
		p.rest = p.rest[min(i+1, len(p.rest)):]
	}
}

// output sends what a sink makes.
type output struct {
	w     *writer
	hls   wire.HLS      // what the script asked for
	began time.Duration // see began

	mu      sync.Mutex
	streams map[string]*announced
	owners  *int // how many streams have been announced by this worker
}

// announced is what the parent knows of one rendition's track.
type announced struct {
	stream int
	given  *media.Track // as it came
	track  media.Track  // as it was announced
}

// Plan implements pipeline.SinkOutput.
func (o *output) Plan(plan *transcode.Plan, dependent bool) error {
	m := &wire.Renditions{Dependent: dependent, HLS: o.hls, Cost: plan.Cost()}
	for _, r := range plan.Renditions {
		m.Renditions = append(m.Renditions, wire.Rendition{
			Name: r.Name, Kind: r.Kind, Codec: r.Codec, Copy: r.Copy, Source: r.Source,
			Width: r.Width, Height: r.Height, FPS: r.FPS, SampleRate: r.SampleRate, Channels: r.Channels,
			Bitrate: max(r.Bitrate, r.MaxBitrate), AverageBitrate: r.Bitrate, Language: r.Language,
			Group: r.Group, Title: r.Title, Default: r.Default,
		})
	}
	return o.w.send(m)
}

// Cut implements pipeline.SinkOutput.
func (o *output) Cut(c media.Cut) error {
	return o.w.send(&wire.Cut{
		Segment: c.Segment, Discontinuity: c.Discontinuity, PTS: c.PTS, ClockRate: c.ClockRate, Wall: c.Wall.UnixNano(),
	})
}

// Write implements pipeline.SinkOutput.
func (o *output) Write(rendition string, p media.Placed) error {
	a, err := o.announce(rendition, p.Track)
	if err != nil {
		return err
	}
	sent := *p.Packet // the script may have it still
	sent.Arrival = max(sent.Arrival-o.began, 0)
	p.Packet = &sent
	return o.w.send(&wire.Packet{Stream: a.stream, Revision: a.track.Revision, Placed: p})
}

func (o *output) announce(rendition string, t *media.Track) (*announced, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.streams[rendition]
	if a == nil {
		a = &announced{stream: *o.owners}
		*o.owners++
		o.streams[rendition] = a
	}
	if a.given == t {
		return a, nil
	}
	first := a.given == nil
	same := !first && bytes.Equal(a.track.Config, t.Config) && a.track.SameParameters(t)
	a.given = t
	if same {
		return a, nil
	}
	revision := a.track.Revision
	if !first {
		revision++
	}
	a.track = *t
	a.track.ID, a.track.Revision = a.stream, revision
	return a, o.w.send(&wire.Track{Stream: a.stream, Rendition: rendition, Track: a.track})
}

// GivenUp implements pipeline.SinkOutput.
func (o *output) GivenUp(d transcode.Degradation) error {
	return o.w.send(&wire.GivenUp{Level: d.Level, Preset: d.Preset, Off: d.Off, FrameDivisor: d.FrameDivisor})
}

// Suspended implements pipeline.SinkOutput.
func (o *output) Suspended() error { return o.w.send(&wire.Suspended{}) }

// Handed implements pipeline.SinkOutput.
func (o *output) Handed() error { return o.w.send(&wire.Handed{}) }
