package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

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

	intake
	tracks wire.Tracks
}

// errBye ends a conversation in good order.
var errBye = errors.New("bye")

// serveStream answers until the parent says Bye or closes, both of which are
// no error.
func serveStream(ctx context.Context, conn net.Conn, r *wire.Reader, s *sender) error {
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
	st := &stream{conn: conn, reader: r, sender: s}
	if st.intake, err = newIntake(job, s); err != nil {
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
		if _, err := s.tracks.Resolve(m); err != nil {
			return protocol(err)
		}
		return s.packet(ctx, m.Placed)
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
	t.Track.ID = t.Stream
	if err := s.tracks.Announce(t); err != nil {
		return protocol(err)
	}
	s.announced(&t.Track)
	return nil
}

func (s *stream) drain(ctx context.Context) error {
	if err := s.intake.drain(ctx); err != nil {
		return err
	}
	if err := s.sender.send(s.chains.count.stats()); err != nil {
		return err
	}
	return s.sender.send(&wire.Drained{})
}
