package libav

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// ErrShape marks a frame whose size or format is not what the encoder was
// opened for. FFmpeg would read past its end without a word.
var ErrShape = errors.New("frame does not fit the encoder")

// encoder is what the two kinds of encoders share.
type encoder struct {
	codec   *astiav.CodecContext
	scratch *astiav.Packet
	track   *media.Track
	bits    *bitstream // where the encoder's form is not fMP4's
}

// open allocates the context, lets set fill it and opens it with options.
// Unknown options, which FFmpeg leaves over in silence, are an error.
func (e *encoder) open(name string, options map[string]string, set func(*astiav.CodecContext) error) error {
	words := listen()
	err := e.openTold(name, options, set)
	if said := words.stop(); err != nil && said != "" {
		return fmt.Errorf("%w (%s)", err, said)
	}
	return err
}

// openTold is open for those who listen to what FFmpeg says themselves.
func (e *encoder) openTold(name string, options map[string]string, set func(*astiav.CodecContext) error) error {
	found := astiav.FindEncoderByName(name)
	if found == nil {
		return fmt.Errorf("encoder %s: %w", name, ErrUnsupported)
	}
	e.codec, e.scratch = astiav.AllocCodecContext(found), astiav.AllocPacket()
	if e.codec == nil || e.scratch == nil {
		return ErrMemory
	}
	if err := set(e.codec); err != nil {
		return err
	}
	e.codec.SetFlags(e.codec.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	return openCodec(e.codec, found, options)
}

// openCodec opens a context with options. Unknown ones, which FFmpeg leaves
// over in silence, are an error.
func openCodec(c *astiav.CodecContext, found *astiav.Codec, options map[string]string) error {
	d, err := dictionary(options)
	if err != nil {
		return err
	}
	defer d.Free()
	if err := c.Open(found, d); err != nil {
		return err
	}
	if left := leftover(d); len(left) > 0 {
		return fmt.Errorf("coder %s has no option %s", found.Name(), strings.Join(left, ", "))
	}
	return nil
}

// dictionary makes FFmpeg's form of options. The caller must Free it.
func dictionary(options map[string]string) (*astiav.Dictionary, error) {
	d := astiav.NewDictionary()
	if d == nil {
		return nil, ErrMemory
	}
	for k, v := range options {
		if err := d.Set(k, v, 0); err != nil {
			d.Free()
			return nil, fmt.Errorf("option %s: %w", k, err)
		}
	}
	return d, nil
}

// leftover are the options that nobody knew.
func leftover(d *astiav.Dictionary) []string {
	var unknown []string
	all := astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)
	for entry := d.Get("", nil, all); entry != nil; entry = d.Get("", entry, all) {
		unknown = append(unknown, entry.Key())
	}
	return unknown
}

// Track describes what comes out. Its ID and Revision are zero.
func (e *encoder) Track() *media.Track { return e.track }

// encode sends one frame, nil to drain, and hands out what is ready.
func (e *encoder) encode(f *astiav.Frame, emit func(*media.Packet) error) error {
	for {
		err := e.codec.SendFrame(f)
		full := errors.Is(err, astiav.ErrEagain)
		if err != nil && !full && !errors.Is(err, astiav.ErrEof) {
			return fmt.Errorf("encode: %w", err)
		}
		if err := e.receive(emit); err != nil {
			return err
		}
		if !full {
			return nil
		}
	}
}

func (e *encoder) receive(emit func(*media.Packet) error) error {
	for {
		err := e.codec.ReceivePacket(e.scratch)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		p := &media.Packet{
			PTS:      e.scratch.Pts(),
			DTS:      e.scratch.Dts(),
			Duration: max(e.scratch.Duration(), 0),
			Key:      e.scratch.Flags().Has(astiav.PacketFlagKey),
		}
		if e.bits == nil {
			p.Payload = append([]byte(nil), payload(e.scratch)...)
		} else {
			p.Payload = e.bits.payload(payload(e.scratch), &p.Key)
			e.track = e.bits.track
		}
		p.Track = e.track
		e.scratch.Unref()
		if err := emit(p); err != nil {
			return err
		}
	}
}

// Close frees the encoder with everything it still holds. It may be called
// twice.
func (e *encoder) Close() {
	if e.codec != nil {
		e.codec.Free()
		e.codec = nil
	}
	if e.scratch != nil {
		e.scratch.Free()
		e.scratch = nil
	}
}
