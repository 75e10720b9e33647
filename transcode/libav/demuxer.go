package libav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// Demuxer reads the packets of a file, a URL or a reader, on one timeline that
// starts at zero or later. Tracks are the video and audio streams that can be
// decoded; cover pictures, subtitles and data are left out.
type Demuxer struct {
	format      *astiav.FormatContext
	interrupter *astiav.IOInterrupter
	io          *astiav.IOContext
	scratch     *astiav.Packet
	name        string

	streams []*stream // by FFmpeg's index; nil where it is not used
	tracks  []*media.Track
	order   *interleaver
	breaks  breaks
	ended   error
	started bool // a packet was read
}

// headStart is where on its timeline an input begins: an encoder with B-frames
// needs room before its first picture, since no time may be negative.
const headStart = time.Second

// OpenInput opens a file's path or a URL. ctx bounds the opening only. An error
// Is ErrInput where the input is to blame.
func OpenInput(ctx context.Context, input string) (*Demuxer, error) {
	return OpenInputWith(ctx, input, transcode.InputOptions{})
}

// OpenInputWith is OpenInput with a format and options by FFmpeg's names, of
// the demuxer or the protocol. Those that do not exist are a
// *transcode.OptionError.
func OpenInputWith(ctx context.Context, input string, o transcode.InputOptions) (*Demuxer, error) {
	name := redacted(input)
	if err := CheckOptions(transcode.DemuxOptions, o.Format, o.Options); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	settings := network(input)
	if !strings.Contains(input, "://") {
		// A path may look like a protocol, and a playlist in a file must not
		// reach out into the network.
		input, settings = "file:"+input, map[string]string{"protocol_whitelist": "file,crypto,data"}
	}
	d := &Demuxer{name: name}
	if err := d.open(ctx, input, o, settings); err != nil {
		d.Close()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return d, nil
}

// redacted is an input's name for errors, without what may be secret in a URL:
// the password and the query.
func redacted(input string) string {
	if !strings.Contains(input, "://") {
		return input
	}
	u, err := url.Parse(input)
	if err != nil {
		scheme, _, _ := strings.Cut(input, "://")
		return scheme + "://…"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// OpenReader opens what r brings, which must be a container that can be read
// from front to back unless r is an io.Seeker. hint names the format, or is
// empty to let FFmpeg find out.
func OpenReader(ctx context.Context, r io.Reader, hint string) (*Demuxer, error) {
	d := &Demuxer{name: "input"}
	err := d.attach(r)
	if err == nil {
		err = d.open(ctx, "", transcode.InputOptions{Format: hint}, nil)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("open %s: %w", d.name, err)
	}
	return d, nil
}

func (d *Demuxer) open(ctx context.Context, input string, o transcode.InputOptions, settings map[string]string) error {
	var demuxer *astiav.InputFormat
	if o.Format != "" {
		if demuxer = astiav.FindInputFormat(o.Format); demuxer == nil {
			return fmt.Errorf("format %s: %w", o.Format, ErrUnsupported)
		}
	}
	options, err := dictionary(merged(settings, o.Options))
	if err != nil {
		return err
	}
	defer options.Free()
	if d.scratch = astiav.AllocPacket(); d.scratch == nil {
		return ErrMemory
	}
	format := astiav.AllocFormatContext()
	if format == nil {
		return ErrMemory
	}
	d.interrupter = astiav.NewIOInterrupter()
	format.SetIOInterrupter(d.interrupter)
	stop := context.AfterFunc(ctx, d.interrupter.Interrupt)
	defer stop()
	if d.io != nil {
		format.SetPb(d.io)
	}
	format.SetFlags(format.Flags().Add(astiav.FormatContextFlagGenPts))
	if err := format.OpenInput(input, demuxer, options); err != nil {
		return d.blame(ctx, err)
	}
	d.format = format
	for _, unknown := range leftover(options) {
		if _, asked := o.Options[unknown]; asked {
			return d.unknown(unknown, o.Options[unknown])
		}
	}
	if d.interrupter.Interrupted() {
		return d.blame(ctx, astiav.ErrExit)
	}
	if err := format.FindStreamInfo(nil); err != nil {
		return d.blame(ctx, err)
	}
	if d.interrupter.Interrupted() {
		return d.blame(ctx, astiav.ErrExit)
	}
	if err := d.findTracks(); err != nil {
		return err
	}
	return d.findSets(ctx)
}

// network are the options of an input that comes over one: a peer that says
// nothing for long is gone. Those a protocol does not know it leaves alone.
func network(input string) map[string]string {
	const silence = "15000000" // microseconds
	o := map[string]string{"rw_timeout": silence}
	if strings.HasPrefix(input, "rtsp") {
		o["timeout"], o["rtsp_flags"] = silence, "prefer_tcp"
	}
	return o
}

// merged is what holds of both, the latter first.
func merged(base, over map[string]string) map[string]string {
	all := maps.Clone(base)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, over)
	return all
}

// unknown blames an option that neither demuxer nor protocol took.
func (d *Demuxer) unknown(option, value string) error {
	name := ""
	if f := d.format.InputFormat(); f != nil {
		name = f.Name()
	}
	return &transcode.OptionError{Kind: transcode.DemuxOptions, Part: name, Option: option, Value: value}
}

// blame tells an interruption of ours from a fault of the input.
func (d *Demuxer) blame(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrInput, err)
}

func (d *Demuxer) findTracks() error {
	if f := d.format.InputFormat(); f != nil {
		d.breaks.spliced = f.Name() == "mpegts"
	}
	for _, s := range d.format.Streams() {
		var found *stream
		if usable(s) {
			found = newStream(d.format, s, len(d.tracks), &d.breaks)
			if found != nil {
				d.tracks = append(d.tracks, found.track)
			}
		}
		if found == nil {
			s.SetDiscard(astiav.DiscardAll)
		}
		d.streams = append(d.streams, found)
	}
	if len(d.tracks) == 0 {
		return fmt.Errorf("%w: no video or audio in it", ErrInput)
	}
	d.order = newInterleaver(len(d.tracks))
	return nil
}

// findSets reads ahead until every track has the configuration that some
// containers carry in their packets only.
func (d *Demuxer) findSets(ctx context.Context) error {
	missing := func() bool {
		for _, s := range d.streams {
			if s != nil && s.track.Config == nil && (s.sets != nil || s.adts) {
				return true
			}
		}
		return false
	}
	for reads := 0; missing() && d.ended == nil && reads < mostWaiting; reads++ {
		if err := d.fill(ctx); err != nil {
			d.ended = err
		}
	}
	if d.ended != nil && !errors.Is(d.ended, io.EOF) {
		return d.ended
	}
	for _, s := range d.streams {
		if s != nil {
			d.tracks[s.track.ID] = s.track
		}
	}
	return nil
}

// usable reports whether a stream can be a track.
func usable(s *astiav.Stream) bool {
	p := s.CodecParameters()
	if s.DispositionFlags().Has(astiav.DispositionFlagAttachedPic) {
		return false
	}
	if t := p.MediaType(); t != astiav.MediaTypeVideo && t != astiav.MediaTypeAudio {
		return false
	}
	return astiav.FindDecoder(p.CodecID()) != nil
}

// Duration is how long the input says it is, 0 where it does not.
func (d *Demuxer) Duration() time.Duration { return d.Info().Duration }

// Tracks are the tracks, whose ID is their place in the list. A packet's own
// Track may be a newer revision.
func (d *Demuxer) Tracks() []*media.Track { return d.tracks }

// Read returns the next packet, in the order of DTS over all tracks, and
// io.EOF after the last. A broken input ends like a whole one, with what could
// be read of it; only one that breaks before its first packet is an error.
func (d *Demuxer) Read(ctx context.Context) (*media.Packet, error) {
	for {
		if p := d.order.next(d.ended != nil); p != nil {
			return p, nil
		}
		if d.ended != nil {
			return nil, d.ended
		}
		if err := d.fill(ctx); err != nil {
			d.ended = err
		}
	}
}

// fill reads one packet of the container.
func (d *Demuxer) fill(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, d.interrupter.Interrupt)
	defer stop()
	for {
		err := d.format.ReadFrame(d.scratch)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, astiav.ErrEagain):
			continue
		case errors.Is(err, astiav.ErrEof):
			return io.EOF
		case err != nil:
			if d.started {
				return io.EOF
			}
			return fmt.Errorf("read %s: %w", d.name, d.blame(ctx, err))
		}
		break
	}
	defer d.scratch.Unref()
	i := d.scratch.StreamIndex()
	if i < 0 || i >= len(d.streams) || d.streams[i] == nil {
		return nil
	}
	s := d.streams[i]
	p := s.packet(d.scratch)
	if p == nil {
		return nil
	}
	d.started = true
	d.order.add(s.track.ID, p)
	return nil
}

// Close frees the demuxer and closes the input. It may be called twice.
func (d *Demuxer) Close() {
	if d.format != nil {
		d.format.CloseInput()
		d.format = nil
	}
	if d.io != nil {
		d.io.Free()
		d.io = nil
	}
	if d.scratch != nil {
		d.scratch.Free()
		d.scratch = nil
	}
	// FFmpeg asks it until the input is closed.
	if d.interrupter != nil {
		d.interrupter.Free()
		d.interrupter = nil
	}
}
