package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// serveInput answers probes, and demuxes one input to its end.
func serveInput(ctx context.Context, r *wire.Reader, s *sender) error {
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return protocol(err)
		}
		switch m := m.(type) {
		case *wire.Probe:
			err = probe(ctx, m.URL, s)
		case *wire.Open:
			return input(ctx, m.URL, r, s)
		case *wire.Bye:
			return s.send(&wire.Bye{})
		default:
			return protocol(fmt.Errorf("message %d to an input worker", m.Type()))
		}
		if err != nil {
			return err
		}
	}
}

func probe(ctx context.Context, url string, s *sender) error {
	d, err := libav.OpenInput(ctx, url)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.send(&wire.Probed{Info: info(url, d)})
}

// input sends everything that is in an input. The socket's own buffer is what
// holds it back when the parent is slower.
func input(ctx context.Context, url string, r *wire.Reader, s *sender) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parted := make(chan error, 1)
	go func() { // ends with the socket, which the parent closes after Bye
		_, err := r.Read()
		cancel()
		parted <- err
	}()
	left := func(err error) error {
		select {
		case gone := <-parted:
			switch {
			case gone == nil:
				return s.send(&wire.Bye{})
			case errors.Is(gone, io.EOF):
				return nil
			}
			return protocol(gone)
		default:
			return err
		}
	}
	d, err := libav.OpenInput(ctx, url)
	if err != nil {
		return left(err)
	}
	defer d.Close()
	if err := s.send(&wire.Opened{Info: info(url, d)}); err != nil {
		return left(err)
	}
	announced := make(map[int]*media.Track)
	announce := func(t *media.Track) error {
		if announced[t.ID] == t {
			return nil
		}
		announced[t.ID] = t
		return s.send(&wire.Track{Stream: t.ID, Track: *t})
	}
	for _, t := range d.Tracks() {
		if err := announce(t); err != nil {
			return left(err)
		}
	}
	for {
		p, err := d.Read(ctx)
		if errors.Is(err, io.EOF) {
			return left(s.send(&wire.Bye{}))
		}
		if err != nil {
			return left(err)
		}
		if err := announce(p.Track); err != nil {
			return left(err)
		}
		err = s.send(&wire.Packet{Stream: p.Track.ID, Revision: p.Track.Revision, Placed: media.Placed{Packet: p}})
		if err != nil {
			return left(err)
		}
	}
}

// info tells what an input is in the words of the wire.
func info(url string, d *libav.Demuxer) wire.Info {
	in := d.Info()
	out := wire.Info{
		Container: in.Container, Duration: in.Duration.Seconds(), Bitrate: in.Bitrate, Streams: []wire.StreamInfo{},
	}
	if f, err := os.Stat(url); err == nil {
		out.Size = f.Size()
	}
	for i, s := range in.Streams {
		si := wire.StreamInfo{
			Index: i, Kind: s.Kind, Codec: s.Codec, Profile: s.Profile, Level: s.Level, Bitrate: s.Bitrate,
			Duration: s.Duration.Seconds(), Language: s.Language, BFrames: s.BFrames,
		}
		if t := s.Track; t != nil {
			describe(&si, t)
		}
		out.Streams = append(out.Streams, si)
	}
	return out
}

func describe(si *wire.StreamInfo, t *media.Track) {
	si.Usable, si.Track = true, t.ID
	si.Width, si.Height, si.Rotation = t.Width, t.Height, t.Rotation
	si.Interlaced, si.BitDepth, si.Chroma = t.Interlaced, t.BitDepth, t.Chroma
	si.SampleRate, si.Channels = t.SampleRate, t.Channels
	if a := t.SampleAspect; a.Known() && a.Num != a.Den {
		si.SampleAspect = fmt.Sprintf("%d:%d", a.Num, a.Den)
	}
	if t.FrameRate.Known() {
		si.FrameRate, si.FPS = t.FrameRate.String(), t.FrameRate.Float()
	}
}
