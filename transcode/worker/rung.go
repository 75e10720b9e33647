package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// rung makes one video rendition: it scales, drops frames where the rendition
// has fewer, and encodes, all on its own goroutine.
type rung struct {
	node    string // of the encoder
	picture wire.Picture
	encode  wire.Encode
	in      queue
	out     *output

	cuts, placed timeline // of frames going in, of packets coming out
	pace         pace
	filter       *libav.VideoFilter
	encoder      *libav.VideoEncoder
	track        *media.Track
	arrivals     arrivals

	rate    media.Rational // of the source, declared or measured
	waiting []item         // pictures that rate is measured by

	preset        string
	discontinuity uint64
	off           bool
	key           bool // the next picture must be an IDR picture
}

func (r *rung) run(ctx context.Context) error {
	defer r.close()
	r.preset = r.encode.Preset
	r.pace.rate = r.picture.FPS
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case it := <-r.in:
			if err := r.handle(it); err != nil {
				return fault(r.node, err)
			}
		}
	}
}

func (r *rung) handle(it item) error {
	switch {
	case it.frame != nil:
		return r.take(it)
	case it.cut != nil:
		r.cuts.add(*it.cut)
	case it.flush != nil:
		defer it.flush.countDown()
		if err := r.measured(); err != nil {
			return err
		}
		if err := r.finish(); err != nil {
			return err
		}
		r.cuts.reset()
		r.placed.reset()
	}
	return nil
}

// What the frame rate is measured over, where nobody declares it.
const (
	measuredFrames = 8
	measuredTime   = 500 * time.Millisecond
)

// take holds the first pictures back where rate control could not know how
// many will come.
func (r *rung) take(it item) error {
	if r.rate = r.encode.FrameRate; !r.rate.Known() {
		r.rate = it.track.FrameRate
	}
	if r.rate.Known() || r.encoder != nil {
		defer it.frame.Close()
		return r.frame(it)
	}
	r.waiting = append(r.waiting, it)
	span := media.Duration(it.frame.Time()-r.waiting[0].frame.Time(), it.track.ClockRate)
	if len(r.waiting) < measuredFrames && span < measuredTime {
		return nil
	}
	return r.measured()
}

// measured lets the pictures go that were held back.
func (r *rung) measured() error {
	n := len(r.waiting)
	if n == 0 {
		return nil
	}
	first, last := r.waiting[0], r.waiting[n-1]
	if ticks := last.frame.Time() - first.frame.Time(); ticks > 0 {
		r.rate = media.Rational{Num: (n - 1) * first.track.ClockRate, Den: int(ticks)}
	}
	for len(r.waiting) > 0 {
		it := r.waiting[0]
		r.waiting = r.waiting[1:]
		err := r.frame(it)
		it.frame.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rung) frame(it item) error {
	pts := it.frame.Time()
	r.cuts.clock = it.track.ClockRate
	c, first, ok := r.cuts.at(pts)
	if !ok {
		return nil
	}
	r.track = it.track
	if first {
		if err := r.cut(c); err != nil {
			return err
		}
	}
	if r.off || !first && !r.pace.keep(pts) {
		r.out.count.dropped.Add(1)
		return nil
	}
	if r.filter == nil {
		filter, err := libav.NewVideoFilter(libav.Picture{
			Width: r.picture.Width, Height: r.picture.Height, ClockRate: it.track.ClockRate,
		})
		if err != nil {
			return err
		}
		r.filter = filter
	}
	r.filter.SetOrigin(libav.Origin{
		Width: it.track.Width, Height: it.track.Height,
		Aspect: it.track.SampleAspect, Rotation: it.track.Rotation,
	})
	r.arrivals.add(pts, it.arrival)
	defer stopwatch(&r.out.count.busy, time.Now())
	return r.filter.Filter(it.frame, r.shaped)
}

// cut starts a segment with the next picture, in the state that Tune wants.
func (r *rung) cut(c cut) error {
	preset, off, divisor := r.encode.Preset, false, 0
	if t := c.tune; t != nil {
		off, divisor = slices.Contains(t.Off, r.out.rendition), t.FrameDivisor
		if slower(preset, t.Preset) {
			preset = t.Preset
		}
	}
	if c.discontinuity == r.discontinuity {
		// Another preset brings other parameter sets, which may not change
		// within a sequence: it waits for a discontinuity.
		preset = r.preset
	}
	if off && !r.off || c.discontinuity != r.discontinuity {
		if err := r.finish(); err != nil {
			return err
		}
	}
	r.preset, r.off, r.discontinuity, r.pace.divisor = preset, off, c.discontinuity, divisor
	r.out.count.off.Store(off)
	r.out.count.preset.Store(&preset)
	r.pace.clock = r.track.ClockRate
	r.pace.start(c.pts)
	r.placed.clock = c.clock
	r.placed.add(c)
	r.key = true
	return nil
}

// shaped encodes a picture that has its size.
func (r *rung) shaped(f *libav.Frame) error {
	if r.encoder == nil {
		if err := r.open(f); err != nil {
			return err
		}
	}
	err := r.encoder.Encode(f, r.key, r.packet)
	if errors.Is(err, libav.ErrOrder) {
		r.out.count.dropped.Add(1)
		return nil
	}
	if err != nil {
		return err
	}
	r.key = false
	r.out.count.frames.Add(1)
	return nil
}

func (r *rung) open(first *libav.Frame) error {
	o := libav.VideoEncoderOptions{
		Codec: r.encode.Codec, Width: r.picture.Width, Height: r.picture.Height,
		ClockRate: r.track.ClockRate, FrameRate: r.rate,
		Bitrate: r.encode.Bitrate, MaxBitrate: r.encode.MaxBitrate, BufSize: r.encode.BufSize,
		Preset: r.preset, Profile: r.encode.Profile, Threads: r.encode.Threads,
		LowLatency: r.encode.LowLatency, NoCaptions: r.picture.FPS.Known() || r.pace.divisor > 1,
		Options: r.encode.Options,
	}
	if !o.FrameRate.Known() {
		o.FrameRate = media.Rational{Num: 30, Den: 1}
	}
	if o.Threads == 0 && o.LowLatency {
		// More threads delay by a frame each.
		o.Threads = 1
	}
	encoder, err := libav.OpenVideoEncoder(o, first)
	if err != nil {
		return err
	}
	r.encoder, r.key = encoder, true
	return nil
}

func (r *rung) packet(p *media.Packet) error {
	c, _, ok := r.placed.at(p.PTS)
	if !ok {
		return nil
	}
	return r.out.send(p, c, r.arrivals.take(p.PTS))
}

// finish puts out all that was taken in. The next picture opens a new encoder.
func (r *rung) finish() error {
	if r.filter != nil {
		if err := r.filter.Drain(r.shaped); err != nil {
			return err
		}
	}
	if r.encoder == nil {
		return nil
	}
	if err := r.encoder.Encode(nil, false, r.packet); err != nil {
		return err
	}
	r.encoder.Close()
	r.encoder = nil
	r.arrivals.reset()
	return nil
}

func (r *rung) close() {
	for _, it := range r.waiting {
		it.frame.Close()
	}
	if r.encoder != nil {
		r.encoder.Close()
	}
	if r.filter != nil {
		r.filter.Close()
	}
	r.in.discard()
}

// defaultPreset is what encodes in real time on ordinary machines.
const defaultPreset = "veryfast"

// presets are x264's, from the cheapest on.
var presets = []string{
	"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
}

// slower reports whether preset is slower than other; an unknown one is not.
func slower(preset, other string) bool {
	o := slices.Index(presets, other)
	return o >= 0 && slices.Index(presets, preset) > o
}
