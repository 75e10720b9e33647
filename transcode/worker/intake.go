package worker

import (
	"context"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// intake gives the lines of a graph what comes in. It belongs to one
// goroutine.
type intake struct {
	job     *wire.Job
	chains  *chains
	sources map[int]*media.Track
	tune    *wire.Tune
	ticked  int64
}

func newIntake(job *wire.Job, out outlet) (intake, error) {
	c, err := build(job, out)
	return intake{job: job, chains: c, sources: make(map[int]*media.Track)}, err
}

// announced takes note of a source track.
func (s *intake) announced(t *media.Track) { s.sources[t.ID] = t }

// cut tells all lines where a segment starts.
func (s *intake) cut(ctx context.Context, c wire.Cut) error {
	if c.Discontinuity < s.job.From {
		return nil
	}
	mine := cut{segment: c.Segment, discontinuity: c.Discontinuity, pts: c.PTS, clock: c.ClockRate, tune: s.tune}
	for _, id := range s.chains.tracks() {
		if err := s.put(ctx, id, item{cut: &mine}); err != nil {
			return err
		}
	}
	return nil
}

// put gives an item to all decode lines of a track.
func (s *intake) put(ctx context.Context, id int, it item) error {
	for _, f := range s.chains.sources[id] {
		if f.in == nil {
			continue
		}
		if err := f.in.put(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// packet gives the lines a source packet, whose Track is known.
func (s *intake) packet(ctx context.Context, p media.Placed) error {
	id := p.Track.ID
	count := s.chains.count
	count.packets.Add(1)
	for _, f := range s.chains.sources[id] {
		if f.copy != nil {
			if p.Discontinuity < s.job.From {
				continue
			}
			copied := *p.Packet
			c := cut{segment: p.Segment, discontinuity: p.Discontinuity}
			if err := f.copy.send(&copied, c, p.Arrival); err != nil {
				return err
			}
			continue
		}
		count.queued.Add(int64(len(p.Payload)))
		if err := f.in.put(ctx, item{packet: p.Packet, discontinuity: p.Discontinuity, track: p.Track}); err != nil {
			return err
		}
	}
	if p.Track.Kind == media.Video {
		return s.tick(ctx, p.Track, p.DTS)
	}
	return nil
}

// frame gives the lines a frame in place of a packet, and takes it over.
func (s *intake) frame(ctx context.Context, t *media.Track, f *libav.Frame, arrival time.Duration) error {
	defer f.Close()
	for _, to := range s.chains.sources[t.ID] {
		if to.in == nil {
			continue
		}
		own, err := f.Share()
		if err != nil {
			return err
		}
		if err := to.in.put(ctx, item{frame: own, track: t, arrival: arrival}); err != nil {
			own.Close()
			return err
		}
	}
	if t.Kind == media.Video {
		return s.tick(ctx, t, f.Time())
	}
	return nil
}

// tick tells sound how far video is, four times a second.
func (s *intake) tick(ctx context.Context, t *media.Track, dts int64) error {
	quarter := int64(t.ClockRate) / 4
	if !s.job.Live || dts >= s.ticked && dts-s.ticked < quarter {
		return nil
	}
	s.ticked = dts
	for _, id := range s.chains.tracks() {
		if a := s.sources[id]; a != nil && a.Kind != media.Audio {
			continue
		}
		if err := s.put(ctx, id, item{tick: &tick{pts: dts, clock: t.ClockRate}}); err != nil {
			return err
		}
	}
	return nil
}

// flush makes every line put out what it holds.
func (s *intake) flush(ctx context.Context, f *flush) error {
	for _, id := range s.chains.tracks() {
		if err := s.put(ctx, id, item{flush: f}); err != nil {
			return err
		}
	}
	return nil
}

// drain makes every line put out what it holds, and waits until that is done.
func (s *intake) drain(ctx context.Context) error {
	f := newFlush(len(s.chains.lines))
	if err := s.flush(ctx, f); err != nil {
		return err
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
