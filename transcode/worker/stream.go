package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// statsInterval is how often a stream worker tells how it is doing.
const statsInterval = time.Second

// stream is a worker's life in the role of a stream: one goroutine reads,
// others work.
type stream struct {
	conn   net.Conn
	reader *wire.Reader
	sender *sender

	job     *wire.Job
	chains  *chains
	tracks  wire.Tracks
	sources map[int]*media.Track
	tune    *wire.Tune
	ticked  int64
}

// errBye ends a conversation in good order.
var errBye = errors.New("bye")

// serveStream answers until the parent says Bye or closes, both of which are
// no error.
func serveStream(ctx context.Context, conn net.Conn, r *wire.Reader, s *sender) error {
	st := &stream{
		conn: conn, reader: r, sender: s,
		sources: make(map[int]*media.Track),
	}
	m, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return protocol(err)
	}
	job, ok := m.(*wire.Job)
	if !ok {
		if _, bye := m.(*wire.Bye); bye {
			return s.send(&wire.Bye{})
		}
		return protocol(fmt.Errorf("message %d before the job", m.Type()))
	}
	st.job = job
	if st.chains, err = build(job, s); err != nil {
		return err
	}
	return st.work(ctx)
}

// work runs the lines, the reader and the statistics until one of them ends.
func (s *stream) work(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	spawn := func(f func(context.Context) error) {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := f(ctx); err != nil {
				cancel(err)
			}
		}()
	}
	for _, l := range s.chains.lines {
		spawn(l.run)
	}
	spawn(s.report)
	stop := context.AfterFunc(ctx, func() {
		// Ends the Read that the reader is in; what there is to say can still
		// be written.
		_ = s.conn.SetReadDeadline(time.Now())
	})
	defer stop()
	cancel(s.read(ctx))
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errBye) {
		return err
	}
	return s.sender.send(&wire.Bye{})
}

func (s *stream) report(ctx context.Context) error {
	t := time.NewTicker(statsInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.sender.send(s.chains.count.stats()); err != nil {
				return err
			}
		}
	}
}

// read takes in messages until there are no more or ctx ends.
func (s *stream) read(ctx context.Context) error {
	for {
		m, err := s.reader.Read()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.EOF):
			return errBye
		case err != nil:
			return protocol(err)
		}
		if err := s.take(ctx, m); err != nil {
			return err
		}
	}
}

func (s *stream) take(ctx context.Context, m wire.Message) error {
	switch m := m.(type) {
	case *wire.Track:
		return s.announce(m)
	case *wire.Tune:
		s.tune = m
	case *wire.Cut:
		return s.cut(ctx, *m)
	case *wire.Packet:
		return s.packet(ctx, m)
	case *wire.Drain:
		return s.drain(ctx)
	case *wire.Bye:
		return errBye
	default:
		return protocol(fmt.Errorf("message %d to a stream worker", m.Type()))
	}
	return nil
}

func (s *stream) announce(t *wire.Track) error {
	if err := s.tracks.Announce(t); err != nil {
		return protocol(err)
	}
	s.sources[t.Stream] = &t.Track
	return nil
}

func (s *stream) cut(ctx context.Context, c wire.Cut) error {
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
func (s *stream) put(ctx context.Context, id int, it item) error {
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

func (s *stream) packet(ctx context.Context, p *wire.Packet) error {
	if _, err := s.tracks.Resolve(p); err != nil {
		return protocol(err)
	}
	count := s.chains.count
	count.packets.Add(1)
	for _, f := range s.chains.sources[p.Stream] {
		if f.copy != nil {
			if p.Discontinuity < s.job.From {
				continue
			}
			copied := *p.Placed.Packet
			c := cut{segment: p.Segment, discontinuity: p.Discontinuity}
			if err := f.copy.send(&copied, c, p.Arrival); err != nil {
				return err
			}
			continue
		}
		count.queued.Add(int64(len(p.Payload)))
		if err := f.in.put(ctx, item{packet: p.Placed.Packet, discontinuity: p.Discontinuity, track: p.Track}); err != nil {
			return err
		}
	}
	if p.Track.Kind == media.Video {
		return s.tick(ctx, p.Track, p.DTS)
	}
	return nil
}

// tick tells sound how far video is, four times a second.
func (s *stream) tick(ctx context.Context, t *media.Track, dts int64) error {
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
func (s *stream) flush(ctx context.Context, f *flush) error {
	for _, id := range s.chains.tracks() {
		if err := s.put(ctx, id, item{flush: f}); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) drain(ctx context.Context) error {
	f := newFlush(len(s.chains.lines))
	if err := s.flush(ctx, f); err != nil {
		return err
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := s.sender.send(s.chains.count.stats()); err != nil {
		return err
	}
	return s.sender.send(&wire.Drained{})
}
