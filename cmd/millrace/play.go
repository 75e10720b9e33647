package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// reel is one pass over an input; transcode.Demuxer is one.
type reel interface {
	Tracks() []*media.Track
	Next() (*media.Packet, error) // in DTS order over all tracks; io.EOF at the end
	Close()
}

// sink takes packets of the tracks that it was opened with.
type sink interface {
	Write(*media.Packet) error
}

// sendFault is trouble with the sink, as against the reel.
type sendFault struct{ error }

func (f sendFault) Unwrap() error { return f.error }

// player plays reels in real time: each packet leaves when its DTS is due. One
// that is late leaves at once, and those after it catch up.
type player struct {
	open func(context.Context) (reel, error) // the next reel
	loop bool
	show func(done time.Duration) // told how far it is; may be nil

	tracks []*media.Track
	start  time.Time     // when the zero of the timeline was
	from   time.Duration // where the first packet lies on the timeline
	end    time.Duration // where the newest ends
	shift  time.Duration // from the present reel's time to the timeline
}

// errOtherTracks means that the input changed between two passes.
var errOtherTracks = errors.New("the input has other tracks than before; it was changed while it played")

// run plays first, and once more for ever if loop says so.
func (p *player) run(ctx context.Context, first reel, out sink) error {
	p.tracks = first.Tracks()
	for r := first; ; {
		before := p.end
		err := p.once(ctx, r, out)
		r.Close()
		if err != nil || !p.loop {
			return err
		}
		if p.end <= before {
			return errors.New("there is nothing in it to play")
		}
		if r, err = p.open(ctx); err != nil {
			return err
		}
		if err := p.same(r.Tracks()); err != nil {
			r.Close()
			return err
		}
	}
}

// same reports tracks that do not continue those of the first reel.
func (p *player) same(tracks []*media.Track) error {
	if len(tracks) != len(p.tracks) {
		return errOtherTracks
	}
	for i, t := range tracks {
		if t.ID != p.tracks[i].ID || !t.SameParameters(p.tracks[i]) {
			return errOtherTracks
		}
	}
	return nil
}

// once plays one reel.
func (p *player) once(ctx context.Context, r reel, out sink) error {
	for begun := false; ; begun = true {
		packet, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !begun && !p.start.IsZero() {
			p.shift = p.end - media.Duration(packet.DTS, packet.Track.ClockRate)
		}
		packet = p.place(packet)
		due := media.Duration(packet.DTS, packet.Track.ClockRate)
		if err := p.wait(ctx, due); err != nil {
			return err
		}
		if err := out.Write(packet); err != nil {
			return sendFault{err}
		}
		if p.show != nil {
			p.show(due - p.from)
		}
	}
}

// place puts a packet on the timeline, which goes on over all passes, and
// remembers where it ends.
func (p *player) place(packet *media.Packet) *media.Packet {
	rate := packet.Track.ClockRate
	if p.shift != 0 {
		moved := *packet
		ticks := media.Ticks(p.shift, rate)
		moved.PTS += ticks
		moved.DTS += ticks
		packet = &moved
	}
	length := packet.Duration
	if length == 0 {
		length = int64(rate) / 50 // a guess that keeps passes apart
	}
	p.end = max(p.end, media.Duration(packet.PTS+length, rate))
	return packet
}

// wait until a time of the timeline. The first packet starts it.
func (p *player) wait(ctx context.Context, due time.Duration) error {
	if p.start.IsZero() {
		p.start, p.from = time.Now().Add(-due), due
	}
	d := time.Until(p.start.Add(due))
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
