package worker

import (
	"bytes"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// output sends the packets of one rendition.
type output struct {
	stream    int
	rendition string
	sender    outlet
	count     *outputCounters

	coded *media.Track // as the encoder describes it
	track media.Track  // as it was announced
}

// send places a packet and sends it, after its track where that is new.
func (o *output) send(p *media.Packet, c cut, arrival time.Duration) error {
	if o.coded != p.Track {
		if err := o.announce(p.Track); err != nil {
			return err
		}
	}
	p.Arrival = arrival
	// An encoder that holds pictures back starts that much before its first
	// one, which may be before the zero of the timeline.
	p.DTS = max(p.DTS, 0)
	o.count.bytes.Add(uint64(len(p.Payload)))
	return o.sender.send(&wire.Packet{
		Stream: o.stream, Revision: o.track.Revision,
		Placed: media.Placed{Packet: p, Segment: c.segment, Discontinuity: c.discontinuity},
	})
}

func (o *output) announce(t *media.Track) error {
	first := o.coded == nil
	same := !first && bytes.Equal(o.track.Config, t.Config) && o.track.SameParameters(t)
	o.coded = t
	if same {
		return nil
	}
	revision := o.track.Revision
	if !first {
		revision++
	}
	o.track = *t
	o.track.ID, o.track.Revision = o.stream, revision
	return o.sender.send(&wire.Track{Stream: o.stream, Rendition: o.rendition, Track: o.track})
}
