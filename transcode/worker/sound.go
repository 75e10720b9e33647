package worker

import (
	"context"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// sound makes one audio rendition: it brings what comes in to one form, keeps
// it in step with its timestamps, and encodes, all on its own goroutine.
type sound struct {
	node   string // of the encoder
	shape  wire.Sound
	encode wire.Encode
	live   bool
	in     queue
	out    *output

	placed  timeline // of packets coming out
	row     *libav.Row
	started bool  // the first cut is known
	start   int64 // its time
	encoder *libav.AudioEncoder
	arrival time.Duration
	off     bool
}

// A live track that falls silent for longer than quiet gets silence up to
// lag behind video, so that its playlist goes on.
const (
	quiet = time.Second
	lag   = 500 * time.Millisecond
)

func (s *sound) run(ctx context.Context) error {
	defer s.close()
	s.placed.clock = s.shape.SampleRate
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case it := <-s.in:
			if err := s.handle(it); err != nil {
				return fault(s.node, err)
			}
		}
	}
}

func (s *sound) handle(it item) error {
	switch {
	case it.frame != nil:
		defer it.frame.Close()
		s.arrival = it.arrival
		defer stopwatch(&s.out.count.busy, time.Now())
		return s.frame(it.frame, it.track)
	case it.cut != nil:
		s.cut(*it.cut)
	case it.tick != nil:
		return s.tick(*it.tick)
	case it.flush != nil:
		defer it.flush.countDown()
		if err := s.finish(); err != nil {
			return err
		}
		s.placed.reset()
		s.started = false
	}
	return nil
}

func (s *sound) cut(c cut) {
	c = c.in(s.shape.SampleRate)
	s.placed.add(c)
	if !s.started {
		s.started, s.start = true, c.pts
	}
	s.off = c.tune != nil && slices.Contains(c.tune.Off, s.out.rendition)
	s.out.count.off.Store(s.off)
}

func (s *sound) frame(f *libav.Frame, t *media.Track) error {
	if s.encoder == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	pts := media.Rescale(f.Time(), t.ClockRate, s.shape.SampleRate)
	far, err := s.row.Push(f, pts, s.encoded)
	if err != nil || !far {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	return s.frame(f, t)
}

// encoded encodes one frame of the row.
func (s *sound) encoded(f *libav.Frame) error {
	s.out.count.frames.Add(1)
	return s.encoder.Encode(f, s.packet)
}

// tick keeps a live rendition going while no sound comes.
func (s *sound) tick(t tick) error {
	if !s.live || !s.started {
		return nil
	}
	rate := s.shape.SampleRate
	now := media.Rescale(t.pts, t.clock, rate)
	next, begun := s.start, false
	if s.row != nil {
		if at, ok := s.row.Begun(); ok {
			next, begun = at, true
		}
	}
	if now-next < media.Ticks(quiet, rate) {
		return nil
	}
	until := now - media.Ticks(lag, rate)
	if now-next > media.Ticks(libav.LongestGap, rate) {
		if err := s.finish(); err != nil {
			return err
		}
		next, begun = until, false
	}
	if s.encoder == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	if !begun {
		s.row.Begin(next)
	}
	return s.row.Silence(until-next, s.encoded)
}

func (s *sound) open() error {
	encoder, err := libav.OpenAudioEncoder(libav.AudioEncoderOptions{
		Codec: s.encode.Codec, SampleRate: s.shape.SampleRate, Channels: s.shape.Channels,
		Bitrate: s.encode.Bitrate, Options: s.encode.Options,
	})
	if err != nil {
		return err
	}
	s.encoder = encoder
	s.row, err = libav.NewRow(encoder)
	return err
}

func (s *sound) packet(p *media.Packet) error {
	c, _, ok := s.placed.at(p.PTS)
	if !ok || p.PTS < c.pts || p.PTS < 0 {
		// Sound from before the first cut, or the encoder's own lead-in.
		return nil
	}
	if s.off {
		s.out.count.dropped.Add(1)
		return nil
	}
	return s.out.send(p, c, s.arrival)
}

// finish puts out all that was taken in and begins a new row with what comes.
func (s *sound) finish() error {
	if s.encoder == nil {
		return nil
	}
	if _, begun := s.row.Begun(); begun {
		if err := s.row.Finish(s.encoded); err != nil {
			return err
		}
		if err := s.encoder.Encode(nil, s.packet); err != nil {
			return err
		}
	}
	s.release()
	return nil
}

func (s *sound) release() {
	if s.row != nil {
		s.row.Close()
	}
	if s.encoder != nil {
		s.encoder.Close()
	}
	s.row, s.encoder = nil, nil
}

func (s *sound) close() {
	s.release()
	s.in.discard()
}
