package main

import (
	"context"
	"errors"
	"fmt"
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

// player plays reels in real time: each packet leaves when its DTS is due. One
// that is late leaves at once, and those after it catch up.
type player struct {
	open func(context.Context) (reel, error) // the next reel
	loop bool
	show func(done time.Duration) // told how far it is; may be nil

	start  time.Time     // when the zero of the timeline was
	offset time.Duration // where the present reel begins on the timeline
	tracks []*media.Track
}

// errOtherTracks means that the input changed between two passes.
var errOtherTracks = errors.New("the input has other tracks than before; it was changed while it played")

// run plays first, and once more for ever if loop says so.
func (p *player) run(ctx context.Context, first reel, out sink) error {
	p.tracks = first.Tracks()
	for r := first; ; {
		end, err := p.once(ctx, r, out)
		r.Close()
		if err != nil || !p.loop {
			return err
		}
		if end <= p.offset {
			return errors.New("there is nothing in it to play")
		}
		p.offset = end
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

// once plays one reel and returns where it ended on the timeline.
func (p *player) once(ctx context.Context, r reel, out sink) (end time.Duration, err error) {
	end = p.offset
	for {
		packet, err := r.Next()
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		rate := packet.Track.ClockRate
		due := p.offset + media.Duration(packet.DTS, rate)
		if err := p.wait(ctx, due); err != nil {
			return end, err
		}
		length := packet.Duration
		if length == 0 {
			length = int64(rate) / 50 // a guess that keeps passes apart
		}
		end = max(end, p.offset+media.Duration(packet.PTS+length, rate))
		if err := out.Write(p.place(packet)); err != nil {
			return end, fmt.Errorf("send: %w", err)
		}
		if p.show != nil {
			p.show(due)
		}
	}
}

// place puts a packet on the timeline, which goes on over all passes.
func (p *player) place(packet *media.Packet) *media.Packet {
	if p.offset == 0 {
		return packet
	}
	moved := *packet
	ticks := media.Ticks(p.offset, packet.Track.ClockRate)
	moved.PTS += ticks
	moved.DTS += ticks
	return &moved
}

// wait until a time of the timeline. The first packet starts it.
func (p *player) wait(ctx context.Context, due time.Duration) error {
	if p.start.IsZero() {
		p.start = time.Now().Add(-due)
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
