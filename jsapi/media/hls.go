package media

import (
	"context"
)

// hlsWriting hands what reaches hls() to the host's sink.
type hlsWriting struct {
	s     *stage
	lanes lanes
	spec  HLSSpec
	sink  HLSSink // nil until there are tracks
	over  bool

	placed placing
}

func (h *hlsWriting) take(ctx context.Context, o object) error {
	if o.place != nil {
		return h.takePlaced(ctx, o)
	}
	if !h.placed.taken { // it is set by this goroutine
		if err := h.unplaced(); err != nil {
			o.close()
			return err
		}
	}
	return h.lanes.gather(ctx, h, o)
}

func (h *hlsWriting) inputEnded(ctx context.Context, input int) error {
	return h.lanes.inputEnded(ctx, h, input)
}

func (h *hlsWriting) begin(ctx context.Context, all []*lane) error {
	if err := h.open(ctx); err != nil {
		return err
	}
	tracks := make([]HLSTrack, len(all))
	for i, n := range all {
		tracks[i] = HLSTrack{Track: n.to, Frames: n.frames}
	}
	if err := h.sink.Start(ctx, tracks); err != nil {
		return h.s.failure(codeHLS, false, err)
	}
	return nil
}

func (h *hlsWriting) write(ctx context.Context, n *lane, o object) error {
	var err error
	if o.frame != nil {
		err = h.sink.WriteFrame(ctx, n.to, o.frame, o.epoch, o.arrival)
	} else {
		err = h.sink.Write(ctx, n.packet(o.packet))
	}
	if err != nil {
		return h.s.failure(codeHLS, false, err)
	}
	return nil
}

func (h *hlsWriting) finish(ctx context.Context) error {
	if was, err := h.finishPlaced(ctx); was {
		return err
	}
	if err := h.lanes.flow(ctx, h, true); err != nil {
		return err
	}
	if h.sink == nil {
		return nil
	}
	h.over = true
	if err := h.sink.End(ctx); err != nil {
		return h.s.failure(codeHLS, false, err)
	}
	return nil
}

func (h *hlsWriting) close() {
	h.lanes.close()
	h.closePlaced()
	if h.sink != nil && !h.over {
		h.sink.Abort(context.Cause(h.s.ctx))
	}
}
