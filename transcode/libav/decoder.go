package libav

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// ErrCorrupt marks input that a decoder could not read. The decoder goes on
// with the next packet.
var ErrCorrupt = errors.New("corrupt input")

// DecoderOptions says how to decode. The zero value is right for files.
type DecoderOptions struct {
	// Threads is the number of threads; 0 leaves it to FFmpeg. More than one
	// decode whole pictures ahead, which costs a picture of delay each.
	Threads int

	// Reorder is how many pictures the source is known to hold back because
	// of B-frames. Streams whose headers do not tell would otherwise lose
	// their first pictures.
	Reorder int

	// Name is a decoder of FFmpeg's; empty takes the usual one.
	Name string

	// Options are the decoder's own, by FFmpeg's names. An unknown one is an
	// error.
	Options map[string]string
}

// Decoder turns the packets of one track into frames.
type Decoder struct {
	track   *media.Track
	codec   *astiav.CodecContext
	scratch *astiav.Packet
	frame   *Frame
}

// OpenDecoder starts a decoder for a track. The caller must Close it.
func OpenDecoder(t *media.Track, o DecoderOptions) (_ *Decoder, err error) {
	id, err := codecID(t)
	if err != nil {
		return nil, fmt.Errorf("open decoder: %w", err)
	}
	found := astiav.FindDecoder(id)
	if o.Name != "" {
		found = astiav.FindDecoderByName(o.Name)
	}
	if found == nil || found.ID() != id {
		return nil, fmt.Errorf("open decoder: %s %s: %w", t.Codec, o.Name, ErrUnsupported)
	}
	d := &Decoder{track: t, codec: astiav.AllocCodecContext(found), scratch: astiav.AllocPacket()}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if d.codec == nil || d.scratch == nil {
		return nil, fmt.Errorf("open decoder: %w", ErrMemory)
	}
	if d.frame, err = newFrame(); err != nil {
		return nil, fmt.Errorf("open decoder: %w", err)
	}
	c := d.codec
	setPacketTimeBase(c, t.ClockRate)
	if x := extradata(t); len(x) > 0 {
		if err := c.SetExtraData(x); err != nil {
			return nil, fmt.Errorf("open decoder: set configuration: %w", err)
		}
	}
	switch t.Kind {
	case media.Video:
		c.SetWidth(t.Width)
		c.SetHeight(t.Height)
		c.SetThreadCount(o.Threads)
		setReorder(c, min(max(o.Reorder, 0), 16))
	case media.Audio:
		c.SetSampleRate(t.SampleRate)
		if t.Channels > 0 {
			l, err := layout(t.Channels)
			if err != nil {
				return nil, fmt.Errorf("open decoder: %w", err)
			}
			c.SetChannelLayout(l)
		}
	}
	words := listen()
	err = openCodec(c, found, o.Options)
	said := words.stop()
	switch {
	case err != nil && said != "":
		return nil, fmt.Errorf("open decoder: %s: %w (%s)", t.Codec, err, said)
	case err != nil:
		return nil, fmt.Errorf("open decoder: %s: %w", t.Codec, err)
	}
	d.frame.clock, d.frame.rate = t.ClockRate, t.FrameRate
	return d, nil
}

// Track is the revision the decoder was opened for.
func (d *Decoder) Track() *media.Track { return d.track }

// Decode reads one packet and hands every frame that is ready to emit, which
// may use the frame until it returns. A nil packet drains the decoder; Reset
// makes it usable again. An error that Is ErrCorrupt is not fatal; an error of
// emit ends the call.
func (d *Decoder) Decode(p *media.Packet, emit func(*Frame) error) error {
	if p != nil && len(p.Payload) == 0 {
		return fmt.Errorf("decode: empty packet: %w", ErrCorrupt)
	}
	var corrupt error
	for {
		err := send(d.codec, d.scratch, p)
		full := errors.Is(err, astiav.ErrEagain)
		if err != nil && !full && !errors.Is(err, astiav.ErrEof) {
			corrupt = fmt.Errorf("decode: %w: %w", ErrCorrupt, err)
		}
		if err := d.receive(&corrupt, emit); err != nil {
			return err
		}
		if !full {
			return corrupt
		}
	}
}

func (d *Decoder) receive(corrupt *error, emit func(*Frame) error) error {
	// A decoder that answers errors without end must not hold us here.
	for faults := 0; faults < 16; {
		err := d.codec.ReceiveFrame(d.frame.f)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			*corrupt = fmt.Errorf("decode: %w: %w", ErrCorrupt, err)
			faults++
			continue
		}
		d.frame.f.SetPts(bestPTS(d.frame.f))
		err = emit(d.frame)
		d.frame.f.Unref()
		if err != nil {
			return err
		}
	}
	return nil
}

// Reset forgets everything the decoder holds, so that it can start anew at
// the next key.
func (d *Decoder) Reset() { flush(d.codec) }

// Close frees the decoder. It may be called twice.
func (d *Decoder) Close() {
	if d.codec != nil {
		d.codec.Free()
		d.codec = nil
	}
	if d.scratch != nil {
		d.scratch.Free()
		d.scratch = nil
	}
	if d.frame != nil {
		d.frame.Close()
	}
}
