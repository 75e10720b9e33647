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

	placed    timeline // of packets coming out
	grid      grid
	read      int64 // samples of the grid's row that were encoded
	started   bool  // the first cut is known
	start     int64 // its time
	encoder   *libav.AudioEncoder
	resampler *libav.Resampler
	arrival   time.Duration
	off       bool
}

// A live track that falls silent for longer than quiet gets silence up to
// lag behind video, so that its playlist goes on.
const (
	quiet = time.Second
	lag   = 500 * time.Millisecond
)

func (s *sound) run(ctx context.Context) error {
	defer s.close()
	s.grid.rate, s.placed.clock = s.shape.SampleRate, s.shape.SampleRate
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
	pts := media.Rescale(f.PTS(), t.ClockRate, s.shape.SampleRate)
	do := s.grid.place(pts, s.resampler.Held())
	if do.restart {
		if err := s.finish(); err != nil {
			return err
		}
		return s.frame(f, t)
	}
	if do.silence > 0 {
		if err := s.silence(do.silence); err != nil {
			return err
		}
	}
	if do.stretch != 0 {
		if err := s.resampler.Stretch(int(do.stretch), s.shape.SampleRate); err != nil {
			return err
		}
	}
	n, err := s.resampler.Push(f, int(do.skip))
	if err != nil {
		return err
	}
	s.grid.count += max(int64(n)-do.skip, 0)
	return s.drainRow(false)
}

// silence lengthens the row. What the resampler holds comes first.
func (s *sound) silence(samples int64) error {
	n, err := s.resampler.Flush()
	if err != nil {
		return err
	}
	samples -= int64(n)
	s.grid.count += int64(n)
	for samples > 0 {
		n := min(samples, int64(s.shape.SampleRate))
		if err := s.resampler.Silence(int(n)); err != nil {
			return err
		}
		s.grid.count += n
		samples -= n
		if err := s.drainRow(false); err != nil {
			return err
		}
	}
	return nil
}

// tick keeps a live rendition going while no sound comes.
func (s *sound) tick(t tick) error {
	if !s.live || !s.started {
		return nil
	}
	rate := s.shape.SampleRate
	now := media.Rescale(t.pts, t.clock, rate)
	next := s.start
	if s.grid.begun {
		next = s.grid.next()
	}
	if now-next < media.Ticks(quiet, rate) {
		return nil
	}
	until := now - media.Ticks(lag, rate)
	if now-next > int64(rate)*longestGap {
		if err := s.finish(); err != nil {
			return err
		}
		next = until
	}
	if s.encoder == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	if !s.grid.begun {
		s.grid.begin(next)
	}
	return s.silence(until - next)
}

// drainRow encodes what is there in whole frames, with rest also the last one.
func (s *sound) drainRow(rest bool) error {
	for {
		n, err := s.resampler.Read(s.grid.base+s.read, rest, func(f *libav.Frame) error {
			s.out.count.frames.Add(1)
			return s.encoder.Encode(f, s.packet)
		})
		if n == 0 || err != nil {
			return err
		}
		s.read += int64(n)
	}
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
	s.resampler, err = libav.NewResampler(encoder)
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
	if s.grid.begun {
		if _, err := s.resampler.Flush(); err != nil {
			return err
		}
		if err := s.drainRow(true); err != nil {
			return err
		}
		if err := s.encoder.Encode(nil, s.packet); err != nil {
			return err
		}
	}
	s.release()
	s.grid = grid{rate: s.shape.SampleRate}
	s.read = 0
	return nil
}

func (s *sound) release() {
	if s.resampler != nil {
		s.resampler.Close()
	}
	if s.encoder != nil {
		s.encoder.Close()
	}
	s.resampler, s.encoder = nil, nil
}

func (s *sound) close() {
	s.release()
	s.in.discard()
}
