package rtsp

import (
	"errors"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp9"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// pictures is the decoder of AV1 and VP9, by gortsplib's.
type pictures struct {
	r      *receiver
	begin  func() (func(*rtp.Packet) error, error) // a decoder without memory
	decode func(*rtp.Packet) error                 // delivers what is whole
	half   bool                                    // something is open
}

func (d *pictures) feed(p *rtp.Packet, lost bool) {
	if lost && d.half {
		// the library would deliver the rest as if nothing were missing
		d.restart()
		d.r.damaged()
	}
	err := d.decode(p)
	d.half = errors.Is(err, rtpav1.ErrMorePacketsNeeded) || errors.Is(err, rtpvp9.ErrMorePacketsNeeded)
	switch {
	case err == nil, d.half,
		errors.Is(err, rtpav1.ErrNonStartingPacketAndNoPrevious), errors.Is(err, rtpvp9.ErrNonStartingPacketAndNoPrevious):
	default:
		d.restart()
		d.r.fault(err)
	}
}

func (d *pictures) restart() {
	if decode, err := d.begin(); err == nil { // it did the first time
		d.decode = decode
	}
	d.half = false
}

// openPictures starts with a decoder made by begin.
func (r *receiver) openPictures(c media.Codec, begin func() (func(*rtp.Packet) error, error)) error {
	r.track = &media.Track{Kind: media.Video, Codec: c, ClockRate: r.format.ClockRate()}
	decode, err := begin()
	r.decode = &pictures{r: r, begin: begin, decode: decode}
	return err
}

func (r *receiver) openAV1(f *format.AV1) error {
	var newest []byte // sequence header
	return r.openPictures(media.AV1, func() (func(*rtp.Packet) error, error) {
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		return func(p *rtp.Packet) error {
			obus, err := d.Decode(p)
			if err != nil {
				return err
			}
			payload, sequence, key, err := codec.AV1Unit(obus)
			if err != nil {
				return err
			}
			if sequence != nil && string(sequence) != string(newest) {
				t := *r.track
				if err := codec.DescribeAV1(&t, sequence); err != nil {
					return err
				}
				newest = sequence
				r.revise(&t)
			}
			if payload != nil {
				r.write(p.Timestamp, 0, key, payload)
			}
			return nil
		}, nil
	})
}

func (r *receiver) openVP9(f *format.VP9) error {
	return r.openPictures(media.VP9, func() (func(*rtp.Packet) error, error) {
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		return func(p *rtp.Packet) error {
			frame, err := d.Decode(p)
			if err != nil || len(frame) == 0 {
				return err
			}
			key := codec.VP9Key(frame)
			if key {
				t := *r.track
				if err := codec.DescribeVP9(&t, frame); err != nil {
					return err
				}
				if !t.SameParameters(r.track) {
					r.revise(&t)
				}
			}
			r.write(p.Timestamp, 0, key, frame)
			return nil
		}, nil
	})
}
