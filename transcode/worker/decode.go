package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// decodeLine decodes one source track, once, for all lines that want its
// frames.
type decodeLine struct {
	node        string
	options     wire.Decode
	live        bool
	deinterlace bool
	in          queue
	outs        []queue
	count       *counters
	sender      outlet

	decoder  *libav.Decoder
	filter   *libav.VideoFilter // deinterlaces; nil until an interlaced frame came
	track    *media.Track
	arrivals arrivals
	blocked  time.Duration
	failing  int // packets refused since the last frame

	fed           bool   // packets came since the last flush
	epoch         uint32 // of the newest packet
	discontinuity uint64 // of the newest cut
	held          []item // cuts that wait to see whether the source broke
}

// A decoder that refuses this many packets in a row is worth a line in the log.
const failingPackets = 100

func (d *decodeLine) run(ctx context.Context) error {
	defer d.close()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case it := <-d.in:
			if err := d.handle(ctx, it); err != nil {
				return err
			}
		}
	}
}

func (d *decodeLine) handle(ctx context.Context, it item) error {
	switch {
	case it.packet != nil:
		return d.packet(ctx, it)
	case it.frame != nil:
		return d.decoded(ctx, it)
	case it.cut != nil:
		return d.cut(ctx, it)
	case it.tick != nil && len(d.held) > 0:
		// Sound that does not come back with the rest of a source begins
		// anew all the same, as silence.
		if h := d.held[0].cut; media.Duration(it.tick.pts, it.tick.clock)-media.Duration(h.pts, h.clock) > quiet {
			if err := d.restart(ctx, newFlush(len(d.outs))); err != nil {
				return err
			}
		}
	case it.flush != nil:
		defer it.flush.countDown()
		return d.restart(ctx, it.flush)
	}
	return d.forward(ctx, it)
}

// cut passes a cut on. One that starts a discontinuity waits for the packet
// after it: if the source itself is continuous the decoder goes on, so that
// it can be primed; if it broke, what the decoder holds has to come out
// before.
func (d *decodeLine) cut(ctx context.Context, it item) error {
	broke := it.cut.discontinuity != d.discontinuity
	d.discontinuity = it.cut.discontinuity
	if len(d.held) > 0 || broke && d.fed {
		d.held = append(d.held, it)
		return nil
	}
	return d.forward(ctx, it)
}

func (d *decodeLine) packet(ctx context.Context, it item) error {
	switch {
	case d.fed && it.packet.Epoch != d.epoch:
		if err := d.restart(ctx, newFlush(len(d.outs))); err != nil {
			return err
		}
	case len(d.held) > 0 && it.discontinuity >= d.held[0].cut.discontinuity:
		if err := d.release(ctx); err != nil {
			return err
		}
	}
	d.fed, d.epoch = true, it.packet.Epoch
	return d.decode(ctx, it)
}

// decoded takes a frame that was decoded elsewhere.
func (d *decodeLine) decoded(ctx context.Context, it item) error {
	defer it.frame.Close()
	if err := d.release(ctx); err != nil {
		return err
	}
	d.fed, d.track = true, it.track
	d.arrivals.add(it.frame.Time(), it.arrival)
	return d.frame(ctx, it.frame)
}

// restart ends what came so far, for all lines.
func (d *decodeLine) restart(ctx context.Context, f *flush) error {
	if err := d.drain(ctx); err != nil {
		return err
	}
	if err := d.forward(ctx, item{flush: f}); err != nil {
		return err
	}
	d.fed = false
	return d.release(ctx)
}

func (d *decodeLine) release(ctx context.Context) error {
	for _, it := range d.held {
		if err := d.forward(ctx, it); err != nil {
			return err
		}
	}
	d.held = d.held[:0]
	return nil
}

func (d *decodeLine) forward(ctx context.Context, it item) error {
	for _, q := range d.outs {
		if err := q.put(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

func (d *decodeLine) decode(ctx context.Context, it item) error {
	defer d.count.queued.Add(-int64(len(it.packet.Payload)))
	if d.track == nil || d.track != it.track && !d.track.SameParameters(it.track) {
		if err := d.open(ctx, it); err != nil {
			return err
		}
	}
	d.track = it.track
	if d.decoder == nil {
		d.count.errors.Add(1)
		return nil
	}
	d.arrivals.add(it.packet.PTS, it.packet.Arrival)
	return d.feed(ctx, it.packet)
}

func (d *decodeLine) open(ctx context.Context, it item) error {
	if err := d.drain(ctx); err != nil {
		return err
	}
	d.closeDecoder()
	o := libav.DecoderOptions{Threads: d.options.Threads}
	if o.Threads == 0 && (d.options.LowLatency || runtime.NumCPU() <= 4) {
		// Frame threads delay by a frame each, and on few cores the encoders
		// keep them all busy anyway.
		o.Threads = 1
	}
	if p := it.packet; !d.live && it.track.Kind == media.Video && p.PTS > p.DTS && it.track.FrameRate.Known() {
		ticks := int64(it.track.ClockRate) * int64(it.track.FrameRate.Den)
		o.Reorder = int(((p.PTS-p.DTS)*int64(it.track.FrameRate.Num) + ticks - 1) / ticks)
	}
	decoder, err := libav.OpenDecoder(it.track, o)
	d.decoder = decoder
	return d.judge(err)
}

// judge decides about a decoder that cannot be opened. Where the track only
// describes itself wrongly its next revision may be good, and the stream's
// other tracks are: it goes on without.
func (d *decodeLine) judge(err error) error {
	if err == nil || errors.Is(err, libav.ErrUnsupported) || errors.Is(err, libav.ErrMemory) {
		return fault(d.node, err)
	}
	d.sender.log(slog.LevelWarn, "decoder cannot be opened", map[string]string{"node": d.node, "error": err.Error()})
	return nil
}

// feed gives the decoder one packet, or nil to drain it.
func (d *decodeLine) feed(ctx context.Context, p *media.Packet) error {
	start := time.Now()
	d.blocked = 0
	err := d.decoder.Decode(p, func(f *libav.Frame) error { return d.frame(ctx, f) })
	d.count.busy.Add(int64(time.Since(start) - d.blocked))
	if !errors.Is(err, libav.ErrCorrupt) {
		return err
	}
	d.count.errors.Add(1)
	if d.failing++; d.failing == failingPackets {
		d.sender.log(slog.LevelWarn, "decoder refuses its input", map[string]string{
			"node": d.node, "packets": strconv.Itoa(d.failing), "error": err.Error(),
		})
	}
	return nil
}

func (d *decodeLine) frame(ctx context.Context, f *libav.Frame) error {
	d.count.frames.Add(1)
	d.failing = 0
	if _, ok := f.PTS(); !ok {
		return nil
	}
	if d.deinterlace && d.filter == nil && f.Interlaced() {
		filter, err := libav.NewVideoFilter(libav.Picture{Deinterlace: true, ClockRate: d.track.ClockRate})
		if err != nil {
			return fault(d.node, err)
		}
		d.filter = filter
	}
	if d.filter == nil {
		return d.emit(ctx, f)
	}
	if err := d.filter.Filter(f, func(f *libav.Frame) error { return d.emit(ctx, f) }); err != nil {
		return fmt.Errorf("deinterlace: %w", err)
	}
	return nil
}

func (d *decodeLine) emit(ctx context.Context, f *libav.Frame) error {
	arrival := d.arrivals.take(f.Time())
	start := time.Now()
	defer func() { d.blocked += time.Since(start) }()
	for _, q := range d.outs {
		c, err := f.Share()
		if err != nil {
			return fault(d.node, err)
		}
		if err := q.put(ctx, item{frame: c, track: d.track, arrival: arrival}); err != nil {
			c.Close()
			return err
		}
	}
	return nil
}

// drain puts out every frame and makes the decoder ready for the next key.
func (d *decodeLine) drain(ctx context.Context) error {
	if d.decoder == nil {
		return nil
	}
	if err := d.feed(ctx, nil); err != nil {
		return err
	}
	if d.filter != nil {
		if err := d.filter.Drain(func(f *libav.Frame) error { return d.emit(ctx, f) }); err != nil {
			return fault(d.node, err)
		}
	}
	d.decoder.Reset()
	d.arrivals.reset()
	return nil
}

func (d *decodeLine) closeDecoder() {
	if d.filter != nil {
		d.filter.Close()
		d.filter = nil
	}
	if d.decoder != nil {
		d.decoder.Close()
		d.decoder = nil
	}
}

func (d *decodeLine) close() {
	d.closeDecoder()
	d.in.discard()
}

// arrivals remembers when the packets arrived whose frames are still inside a
// coder. Coders reorder, and lose what they cannot read.
type arrivals struct{ at map[int64]time.Duration }

// More are never inside a coder: the rest is lost and is forgotten.
const mostArrivals = 512

func (a *arrivals) add(pts int64, at time.Duration) {
	if a.at == nil || len(a.at) >= mostArrivals {
		a.at = make(map[int64]time.Duration, 16)
	}
	a.at[pts] = at
}

func (a *arrivals) take(pts int64) time.Duration {
	at := a.at[pts]
	delete(a.at, pts)
	return at
}

func (a *arrivals) reset() { clear(a.at) }
