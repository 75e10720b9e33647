package worker

import (
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/transcode/wire"
)

// counters are what all goroutines of a stream worker count.
type counters struct {
	packets, frames, errors atomic.Uint64
	queued                  atomic.Int64
	busy                    atomic.Int64
	outputs                 []*outputCounters
}

type outputCounters struct {
	rendition              string
	frames, dropped, bytes atomic.Uint64
	busy                   atomic.Int64
	off                    atomic.Bool
	preset                 atomic.Pointer[string]
}

func (c *counters) stats() *wire.Stats {
	s := &wire.Stats{
		PacketsIn: c.packets.Load(), FramesIn: c.frames.Load(), DecodeErrors: c.errors.Load(),
		QueuedBytes: c.queued.Load(), DecodeBusy: c.busy.Load(),
	}
	for _, o := range c.outputs {
		out := wire.OutputStats{
			Rendition: o.rendition, Frames: o.frames.Load(), Dropped: o.dropped.Load(),
			Bytes: o.bytes.Load(), Busy: o.busy.Load(), Off: o.off.Load(),
		}
		if p := o.preset.Load(); p != nil {
			out.Preset = *p
		}
		s.Outputs = append(s.Outputs, out)
	}
	return s
}

// stopwatch adds the time since start to total and returns now.
func stopwatch(total *atomic.Int64, start time.Time) {
	total.Add(int64(time.Since(start)))
}
