package pipeline

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// performer is a script worker without an engine: it does what the words in
// its script's file say.
//
//	copy   everything is copied      picture  the picture alone
//	part   asks for parts of 200 ms  throws   fails at the 100th packet
//	echo   says what it hears        mute     does not say that it gives way
//	dear   its ladder takes a core   tired    gives its ladder's rung up at the third cut
type performer struct {
	words string
	job   *wire.ScriptJob
	sink  *Sink
	clock SenderClock
	known wire.Tracks
	seen  int
	here  bool
	off   bool // of its picture

	mu      sync.Mutex
	out     *wire.Writer
	streams map[string]*wire.Track
	given   map[string]*media.Track
}

func fakeScript(conn net.Conn) int {
	p := &performer{out: wire.NewWriter(conn), here: true, streams: map[string]*wire.Track{}, given: map[string]*media.Track{}}
	if p.send(&wire.Hello{PID: os.Getpid()}) != nil {
		return wire.ExitInternal
	}
	in := wire.NewReader(conn, wire.FromParent)
	for {
		m, err := in.Read()
		if err == nil {
			err = p.take(m)
		}
		var said *wire.Error
		switch {
		case errors.Is(err, io.EOF):
			return wire.ExitDone
		case errors.As(err, &said):
			_ = p.send(said)
			return said.Class.ExitCode()
		case err != nil:
			return wire.ExitInternal
		}
	}
}

func (p *performer) send(m wire.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(m)
}

func (p *performer) take(m wire.Message) error {
	switch m := m.(type) {
	case *wire.ScriptJob:
		return p.begin(m)
	case *wire.Track:
		return p.known.Announce(m)
	case *wire.Packet:
		return p.packet(m)
	case *wire.Presence:
		p.here = m.Here
	case *wire.SenderClock:
		p.clock.Tell(m.Zero, m.Anew)
	case *wire.Handover:
		p.sink.Handover(m.PTS, m.ClockRate, m.Leave)
	case *wire.Script:
		if strings.Contains(p.words, "echo") {
			return p.send(m)
		}
	case *wire.Drain:
		if err := p.sink.End(); err != nil {
			return err
		}
		return p.send(&wire.Drained{})
	case *wire.Bye:
		return io.EOF
	}
	return nil
}

func (p *performer) begin(job *wire.ScriptJob) error {
	text, err := os.ReadFile(job.Script)
	if err != nil {
		return &wire.Error{Class: wire.ClassScript, Message: err.Error()}
	}
	p.job, p.words = job, string(text)
	if strings.Contains(p.words, "syntax") {
		return &wire.Error{Class: wire.ClassScript, Node: job.Script + ":1:1", Message: "this is no script"}
	}
	p.sink = NewSink(SinkConfig{
		Name: job.Name, Logger: slog.New(slog.DiscardHandler), Output: p,
		Policy: transcode.Policy{Mode: transcode.Passthrough, Segment: time.Duration(job.HLS.Segment), Live: true},
		After:  time.Duration(job.After), Standby: job.Standby,
		Date:   func(arrival time.Duration) time.Time { return time.Unix(0, job.Origin+int64(arrival)) },
		Sender: &p.clock,
	})
	var tracks []*media.Track
	for i := range job.Tracks {
		if p.wants(&job.Tracks[i]) {
			tracks = append(tracks, &job.Tracks[i])
		}
	}
	go p.look()
	return errors.Join(p.send(&wire.Files{Paths: []string{job.Script}}), p.sink.Start(tracks))
}

func (p *performer) wants(t *media.Track) bool {
	return t.Kind == media.Video || !strings.Contains(p.words, "picture")
}

func (p *performer) look() {
	for n := 0; ; n++ {
		time.Sleep(50 * time.Millisecond)
		if !strings.Contains(p.words, "mute") {
			_ = p.send(&wire.Stats{Position: "here"})
		}
		if !p.here && p.sink.Idle() > 100*time.Millisecond {
			_ = p.sink.Suspend()
		}
	}
}

func (p *performer) packet(m *wire.Packet) error {
	if _, err := p.known.Resolve(m); err != nil {
		return err
	}
	if p.seen++; strings.Contains(p.words, "throws") && p.seen == 100 {
		return &wire.Error{Class: wire.ClassScript, Node: p.job.Script + ":3:7", Message: "TypeError: it is nothing"}
	}
	if !p.wants(m.Track) {
		return nil
	}
	return p.sink.Write(m.Packet)
}

// Plan implements SinkOutput.
func (p *performer) Plan(plan *transcode.Plan, dependent bool) error {
	m := &wire.Renditions{Dependent: dependent}
	if strings.Contains(p.words, "part") {
		m.HLS.Part = int64(200 * time.Millisecond)
	}
	if strings.Contains(p.words, "dear") {
		m.Cost = 1
	}
	for _, r := range plan.Renditions {
		m.Renditions = append(m.Renditions, wire.Rendition{
			Name: r.Name, Kind: r.Kind, Codec: r.Codec, Copy: r.Copy && !strings.Contains(p.words, "tired"), Source: r.Source, Width: r.Width, Height: r.Height,
		})
	}
	return p.send(m)
}

// Cut implements SinkOutput.
func (p *performer) Cut(c media.Cut) error {
	if c.Segment == 3 && strings.Contains(p.words, "tired") {
		p.off = true
		if err := p.GivenUp(transcode.Degradation{Level: 4, Off: []string{"180p"}}); err != nil {
			return err
		}
	}
	return p.send(&wire.Cut{Segment: c.Segment, Discontinuity: c.Discontinuity, PTS: c.PTS, ClockRate: c.ClockRate, Wall: c.Wall.UnixNano()})
}

// Write implements SinkOutput.
func (p *performer) Write(rendition string, placed media.Placed) error {
	if p.off && rendition == "180p" {
		return nil
	}
	t := p.streams[rendition]
	if t == nil {
		t = &wire.Track{Stream: len(p.streams), Rendition: rendition, Track: *placed.Track}
		t.Track.ID = t.Stream
		p.streams[rendition] = t
	}
	if p.given[rendition] != placed.Track {
		if p.given[rendition] != nil {
			next := *t
			next.Track = *placed.Track
			next.Track.ID, next.Track.Revision = t.Stream, t.Track.Revision+1
			t = &next
			p.streams[rendition] = t
		} else {
			t.Track.Revision = 0
		}
		p.given[rendition] = placed.Track
		if err := p.send(t); err != nil {
			return err
		}
	}
	return p.send(&wire.Packet{Stream: t.Stream, Revision: t.Track.Revision, Placed: placed})
}

// GivenUp implements SinkOutput.
func (p *performer) GivenUp(d transcode.Degradation) error {
	return p.send(&wire.GivenUp{Level: d.Level, Preset: d.Preset, Off: d.Off, FrameDivisor: d.FrameDivisor})
}

// Suspended implements SinkOutput.
func (p *performer) Suspended() error { return p.send(&wire.Suspended{}) }

// Handed implements SinkOutput.
func (p *performer) Handed() error { return p.send(&wire.Handed{}) }
