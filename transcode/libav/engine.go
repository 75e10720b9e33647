package libav

import (
	"context"
	"io"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// Engine is libav as transcode.Engine has it, without ladders, which
// transcode/worker adds.
type Engine struct{}

// Open opens a file or URL.
func (Engine) Open(ctx context.Context, url string, o transcode.InputOptions) (transcode.Input, error) {
	d, err := OpenInputWith(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Decoder decodes the packets of one track.
func (Engine) Decoder(t *media.Track, o transcode.CoderOptions) (transcode.FrameDecoder, error) {
	d, err := NewFrameDecoder(t, o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Filter runs a filter graph.
func (Engine) Filter(description string, kinds []media.Kind) (transcode.FrameFilter, error) {
	f, err := NewFrameFilter(description, kinds)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Encoder encodes frames.
func (Engine) Encoder(o transcode.CoderOptions) (transcode.FrameEncoder, error) {
	e, err := NewFrameEncoder(o)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Muxer writes a container.
func (Engine) Muxer(w io.Writer, tracks []*media.Track, o transcode.MuxerOptions) (transcode.PacketMuxer, error) {
	m, err := NewMuxer(w, tracks, o)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Picture makes a black picture.
func (Engine) Picture(width, height int, format string) (transcode.Frame, error) {
	f, err := BlackPicture(width, height, format)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Samples makes silence.
func (Engine) Samples(rate, channels, samples int) (transcode.Frame, error) {
	f, err := Silence(rate, channels, samples)
	if err != nil {
		return nil, err
	}
	return f, nil
}
