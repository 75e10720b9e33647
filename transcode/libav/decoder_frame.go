package libav

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// FrameDecoder is a Decoder whose frames belong to who gets them, and which
// follows its track through its revisions.
type FrameDecoder struct {
	o       transcode.CoderOptions
	track   *media.Track
	decoder *Decoder
	refused int // packets since the last frame
}

// mostRefused packets in a row are no fault of a sender's any more.
const mostRefused = 100

// NewFrameDecoder opens a decoder for a track.
func NewFrameDecoder(t *media.Track, o transcode.CoderOptions) (*FrameDecoder, error) {
	d := &FrameDecoder{o: o}
	return d, d.open(t)
}

func (d *FrameDecoder) open(t *media.Track) error {
	name := d.o.Codec
	if name == "" || name == string(t.Codec) {
		name = usualDecoder(t)
	}
	if name != "" {
		if err := CheckOptions(transcode.DecoderOptions, name, d.o.Options); err != nil {
			return fmt.Errorf("open decoder: %w", err)
		}
	}
	o := DecoderOptions{Threads: d.o.Threads, Options: d.o.Options}
	if d.o.Codec != string(t.Codec) {
		o.Name = d.o.Codec
	}
	if o.Threads == 0 && d.o.LowLatency {
		o.Threads = 1
	}
	decoder, err := OpenDecoder(t, o)
	if err != nil {
		return err
	}
	d.track, d.decoder = t, decoder
	return nil
}

// usualDecoder is the name of the decoder that a track gets where none is
// named; empty where there is none, which opening tells.
func usualDecoder(t *media.Track) string {
	id, err := codecID(t)
	if err != nil {
		return ""
	}
	if found := astiav.FindDecoder(id); found != nil {
		return found.Name()
	}
	return ""
}

// Decode gives every frame that is ready to emit, who owns it. A nil packet
// drains. Single packets that cannot be decoded are left out.
func (d *FrameDecoder) Decode(p *media.Packet, emit func(transcode.Frame) error) error {
	if d.decoder == nil {
		return errors.New("decode: it is closed")
	}
	if p != nil && p.Track != nil && p.Track != d.track {
		if !p.Track.SameParameters(d.track) {
			if err := d.reopen(p.Track, emit); err != nil {
				return err
			}
		}
		d.track = p.Track
	}
	err := d.feed(p, emit)
	if p == nil && err == nil {
		d.decoder.Reset()
	}
	return err
}

// reopen puts out what the decoder holds and opens another for a new revision
// of the track.
func (d *FrameDecoder) reopen(t *media.Track, emit func(transcode.Frame) error) error {
	if err := d.feed(nil, emit); err != nil {
		return err
	}
	d.decoder.Close()
	d.decoder = nil
	return d.open(t)
}

func (d *FrameDecoder) feed(p *media.Packet, emit func(transcode.Frame) error) error {
	err := d.decoder.Decode(p, func(f *Frame) error {
		d.refused = 0
		own, err := f.take()
		if err != nil {
			return err
		}
		if err := own.upright(); err != nil {
			own.Close()
			return err
		}
		return emit(own)
	})
	if !errors.Is(err, ErrCorrupt) {
		return err
	}
	if d.refused++; d.refused >= mostRefused {
		return fmt.Errorf("%d packets in a row: %w", d.refused, err)
	}
	return nil
}

// Close frees the decoder. It may be called twice.
func (d *FrameDecoder) Close() {
	if d.decoder != nil {
		d.decoder.Close()
		d.decoder = nil
	}
}
