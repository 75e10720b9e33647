package media

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// encoder encodes video, audio, or both: each track by an encoder of its own.
type encoder struct {
	s            *stage
	video, audio *transcode.CoderOptions // nil: frames of the kind are refused
	tracks       map[encoded]*encoding
	restarted    uint32
}

type encoded struct {
	id   int
	kind media.Kind
}

type encoding struct {
	coder    transcode.FrameEncoder
	epoch    uint32
	arrival  map[int64]time.Duration // of frames whose packet has not come
	last     object
	from, to *media.Track // the coder's track, and as it is given on
}

func (e *encoder) take(ctx context.Context, o object) error {
	defer o.close()
	options := e.video
	if o.frame.Kind() == media.Audio {
		options = e.audio
	}
	if options == nil {
		return e.s.failure(codeLink, false, fmt.Errorf("it was given %s, and was told how to encode %s only: "+
			"pipe one of source.video and source.audio through it, or give encode({ video: {…}, audio: {…} })",
			o.what(), e.only()))
	}
	key := encoded{0, o.frame.Kind()}
	if o.track != nil {
		key.id = o.track.ID
	}
	t := e.tracks[key]
	if t != nil && t.epoch != o.epoch {
		if err := e.encode(ctx, t, nil, false); err != nil {
			return err
		}
		t.coder.Close()
		t = nil
	}
	if t == nil {
		with := *options
		if with.ClockRate == 0 {
			with.ClockRate = o.frame.ClockRate()
		}
		if !with.FrameRate.Known() && o.track != nil {
			with.FrameRate = o.track.FrameRate
		}
		coder, err := e.s.m.opts.Engine.Encoder(with)
		if err != nil {
			return e.s.failure(codeEncode, false, err)
		}
		t = &encoding{coder: coder, epoch: o.epoch, arrival: map[int64]time.Duration{}}
		e.tracks[key] = t
	}
	t.remember(o)
	return e.encode(ctx, t, o.frame, o.force)
}

func (e *encoder) only() media.Kind {
	if e.video != nil {
		return media.Video
	}
	return media.Audio
}

func (e *encoder) encode(ctx context.Context, t *encoding, f transcode.Frame, key bool) error {
	var blocked error
	err := t.coder.Encode(f, key, func(p *media.Packet) error {
		p.Track = t.track(p.Track)
		p.Arrival = t.came(p.PTS)
		p.Epoch = t.epoch + e.restarted
		blocked = e.s.emit(ctx, object{packet: p})
		return blocked
	})
	if blocked != nil {
		return blocked
	}
	if err != nil {
		return e.s.failure(codeEncode, true, err)
	}
	return nil
}

func (e *encoder) finish(ctx context.Context) error {
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		ids := map[int]*encoding{}
		for k, t := range e.tracks {
			if k.kind == kind {
				ids[k.id] = t
			}
		}
		for _, id := range order(ids) {
			if err := e.encode(ctx, ids[id], nil, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// restart begins anew, with a keyframe and a discontinuity.
func (e *encoder) restart() {
	e.restarted++
	e.close()
}

func (e *encoder) close() {
	for _, t := range e.tracks {
		t.coder.Close()
	}
	clear(e.tracks)
}

// track is the coder's track with the number of the one it was made of.
func (t *encoding) track(of *media.Track) *media.Track {
	if of == t.from {
		return t.to
	}
	next := *of
	if t.last.track != nil {
		next.ID, next.Language = t.last.track.ID, t.last.track.Language
		next.Revision = t.last.track.Revision
	}
	if t.to != nil {
		next.Revision = t.to.Revision + 1
	}
	t.from, t.to = of, &next
	return t.to
}

func (t *encoding) remember(o object) {
	t.last = object{track: o.track, arrival: o.arrival}
	pts, ok := o.frame.PTS()
	if !ok {
		return
	}
	if len(t.arrival) >= 4*arrivals {
		clear(t.arrival)
	}
	t.arrival[pts] = o.arrival
}

// came is when what became a packet came.
func (t *encoding) came(pts int64) time.Duration {
	at, ok := t.arrival[pts]
	if !ok {
		return t.last.arrival
	}
	delete(t.arrival, pts)
	return at
}
