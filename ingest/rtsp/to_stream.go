package rtsp

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// receiver makes Samples of one track's RTP packets. Its packets must come on
// one goroutine at a time.
type receiver struct {
	media  *description.Media
	format format.Format
	track  *media.Track
	clock  senderClock
	decode decoder

	pub   *ingest.Publisher
	index int // among the publisher's tracks
	note  func(error)

	begun bool
	next  uint16 // expected sequence number
	now   time.Duration
}

// decoder takes packets of one codec apart; lost says that packets before
// this one are missing.
type decoder interface {
	feed(p *rtp.Packet, lost bool)
}

// receivers makes one for each media of a session that can be used, and says
// what it found that cannot. At most one video and any number of audio tracks
// are taken. The error wraps ingest.ErrNoTracks and names the codecs.
func receivers(desc *description.Session, hints []mediaHint) (list []*receiver, unused []ingest.Unused, err error) {
	video := false
	for i, m := range desc.Medias {
		var hint mediaHint
		if i < len(hints) {
			hint = hints[i]
		}
		if m.IsBackChannel {
			continue // it flows towards the source
		}
		r, why := newReceiver(m, hint)
		if r != nil && r.track.Kind == media.Video {
			if video {
				why = []ingest.Unused{{Kind: "video", Codec: formatName(r.format), Reason: "a second video"}}
				r = nil
			}
			video = true
		}
		if r == nil {
			unused = append(unused, why...)
			continue
		}
		hint.apply(r.track)
		if rate := hint.clocks[r.format.PayloadType()]; rate > 0 && r.track.Codec == media.AAC {
			// gortsplib takes the core coder's rate; the wire may count in the
			// doubled one of HE-AAC
			r.clock.rate = rate
		}
		r.index = len(list)
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, unused, ingest.NoTracks(unused)
	}
	return list, unused, nil
}

// newReceiver takes the first format of a media that can be used, or says what
// is wrong with each.
func newReceiver(m *description.Media, hint mediaHint) (r *receiver, unused []ingest.Unused) {
	for i, f := range m.Formats {
		if safe, ok := f.(safeFormat); ok {
			f = safe.Format
		}
		m.Formats[i] = safeFormat{f}
		if hint.broken != nil {
			return nil, []ingest.Unused{{Kind: string(m.Type), Codec: string(m.Type), Reason: hint.broken.Error()}}
		}
		r := &receiver{media: m, format: f}
		err := r.open(hint.sets[f.PayloadType()])
		if err == nil {
			r.clock.rate = f.ClockRate()
			return r, nil
		}
		u := ingest.Unused{Kind: string(m.Type), Codec: formatName(f)}
		if err != errUnsupported { //nolint:errorlint // it is never wrapped
			u.Reason = err.Error()
		}
		unused = append(unused, u)
	}
	return nil, unused
}

// safeFormat keeps gortsplib from looking into RTP payloads: for H.265 it does
// so with an index that a crafted packet puts out of range, and what it wants
// to know, we do not ask it for.
type safeFormat struct{ format.Format }

// PTSEqualsDTS implements format.Format.
func (safeFormat) PTSEqualsDTS(*rtp.Packet) bool { return true }

// formatName is what to call a format in messages.
func formatName(f format.Format) string {
	if g, ok := f.(*format.Generic); ok {
		if g.RTPMa != "" {
			return g.RTPMa
		}
		return fmt.Sprintf("payload type %d", g.PayloadTyp)
	}
	return f.Codec()
}

// tracks are what the receivers announce.
func tracks(list []*receiver) []*media.Track {
	ts := make([]*media.Track, len(list))
	for i, r := range list {
		ts[i] = r.track
	}
	return ts
}

// packet is the callback for RTP.
func (r *receiver) packet(p *rtp.Packet) {
	lost := false
	if r.begun {
		switch gap := p.SequenceNumber - r.next; {
		case gap == 0:
		case gap < 1<<15:
			lost = true
			r.pub.Lost(uint64(gap))
		default: // the sequence went back: the sender began anew
			lost = true
		}
	}
	r.begun, r.next = true, p.SequenceNumber+1
	r.now = media.Now()
	r.decode.feed(p, lost)
}

// control is the callback for RTCP.
func (r *receiver) control(p rtcp.Packet) { r.clock.report(p) }

// write hands a sample on. ts is in the format's clock, duration in the
// track's.
func (r *receiver) write(ts uint32, duration int64, key bool, payload []byte) {
	// What ended the publisher is seen by its session.
	_ = r.pub.Write(r.index, ingest.Sample{
		PTS: int64(ts), Bits: 32, Rate: r.clock.rate, Duration: duration,
		Key: key, Payload: payload, NTP: r.clock.wall(ts), Arrival: r.now,
	})
}

// revise says that the track's parameters have become known or have changed.
func (r *receiver) revise(t *media.Track) {
	r.track = t
	if r.pub != nil {
		_ = r.pub.SetTrack(r.index, t)
	}
}

// damaged counts a unit that was dropped.
func (r *receiver) damaged() { r.pub.Damaged(1) }

// fault counts a packet that could not be parsed, and mentions it.
func (r *receiver) fault(err error) {
	r.pub.Damaged(1)
	if r.note != nil {
		r.note(fmt.Errorf("%s: %w", r.track.Codec, err))
	}
}
