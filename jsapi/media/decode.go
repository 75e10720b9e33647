package media

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// decoder decodes whatever tracks reach it, each by a decoder of its own.
type decoder struct {
	s             *stage
	video, audio  transcode.CoderOptions
	tracks        map[int]*decoding
	discontinuity uint32 // added to the epoch, for each restart
}

type decoding struct {
	track   *media.Track
	coder   transcode.FrameDecoder
	epoch   uint32
	waiting bool // for a keyframe
	arrival []arrival
}

// arrival remembers when the packet of a frame came.
type arrival struct {
	pts int64
	at  int64
}

func (d *decoder) take(ctx context.Context, o object) error {
	p := o.packet
	t := d.tracks[p.Track.ID]
	if t != nil && (t.epoch != p.Epoch || t.track != p.Track && !t.track.SameParameters(p.Track)) {
		if err := d.drain(ctx, t); err != nil {
			return err
		}
		d.end(t)
		t = nil
	}
	if t == nil {
		options := d.video
		if p.Track.Kind == media.Audio {
			options = d.audio
		}
		coder, err := d.s.m.opts.Engine.Decoder(p.Track, options)
		if err != nil {
			return d.s.failure(codeDecode, false, err)
		}
		t = &decoding{track: p.Track, coder: coder, epoch: p.Epoch, waiting: true}
		d.tracks[p.Track.ID] = t
	}
	if t.waiting && !p.Key {
		return nil
	}
	t.track, t.waiting = p.Track, false
	t.remember(p)
	return d.decode(ctx, t, p)
}

func (d *decoder) decode(ctx context.Context, t *decoding, p *media.Packet) error {
	var blocked error
	err := t.coder.Decode(p, func(f transcode.Frame) error {
		blocked = d.s.emit(ctx, object{frame: f, track: t.track, epoch: t.epoch + d.discontinuity, arrival: t.came(f)})
		return blocked
	})
	if blocked != nil {
		return blocked
	}
	if err != nil {
		return d.s.failure(codeDecode, true, err)
	}
	return nil
}

func (d *decoder) drain(ctx context.Context, t *decoding) error { return d.decode(ctx, t, nil) }

func (d *decoder) finish(ctx context.Context) error {
	for _, id := range order(d.tracks) {
		if err := d.drain(ctx, d.tracks[id]); err != nil {
			return err
		}
	}
	return nil
}

// restart begins anew at the next keyframe, with a discontinuity.
func (d *decoder) restart() {
	d.discontinuity++
	d.close()
}

func (d *decoder) end(t *decoding) {
	t.coder.Close()
	delete(d.tracks, t.track.ID)
}

func (d *decoder) close() {
	for _, t := range d.tracks {
		t.coder.Close()
	}
	clear(d.tracks)
}

const arrivals = 64 // more than any codec reorders

func (t *decoding) remember(p *media.Packet) {
	if len(t.arrival) >= arrivals {
		t.arrival = append(t.arrival[:0], t.arrival[1:]...)
	}
	t.arrival = append(t.arrival, arrival{p.PTS, int64(p.Arrival)})
}

// came is when the packet of a frame came, or the newest one where it is not
// known.
func (t *decoding) came(f transcode.Frame) time.Duration {
	if len(t.arrival) == 0 {
		return 0
	}
	if pts, ok := f.PTS(); ok {
		for _, a := range t.arrival {
			if a.pts == pts {
				return time.Duration(a.at)
			}
		}
	}
	return time.Duration(t.arrival[len(t.arrival)-1].at)
}

// order is the keys of a map, smallest first, so that what comes of it is the
// same in every run.
func order[V any](of map[int]V) []int {
	return slices.Sorted(maps.Keys(of))
}
