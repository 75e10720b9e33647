package libav

/*
#include "muxer.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// Muxer writes a container. Its time starts at zero, with the first packet,
// unless the option avoid_negative_ts says otherwise.
type Muxer struct {
	name    string
	format  *astiav.FormatContext
	io      *astiav.IOContext
	scratch *astiav.Packet
	streams []muxed
	seeks   bool
	flushed time.Time // when all bytes were written the last time
	failed  error     // of the writer
}

// flushEvery is how long bytes may wait for more where they go to a stream,
// which somebody may be watching.
const flushEvery = 50 * time.Millisecond

// muxed is one track of a Muxer.
type muxed struct {
	track *media.Track
	base  *astiav.Stream
	last  int64
	begun bool
}

// ioBuffer is how much is gathered before it is written.
const ioBuffer = 64 << 10

// fragmenting are the containers that can only be written to what cannot seek
// in fragments.
var fragmenting = []string{"mp4", "mov", "ipod", "3gp", "3g2", "psp", "f4v"}

// NewMuxer begins a container of tracks, which have to have their Config. A
// name that does not exist is a *transcode.OptionError. Where w cannot seek,
// MP4 is written in fragments that begin at keyframes, unless movflags says
// otherwise.
func NewMuxer(w io.Writer, tracks []*media.Track, o transcode.MuxerOptions) (_ *Muxer, err error) {
	if err := CheckOptions(transcode.MuxOptions, o.Format, o.Options); err != nil {
		return nil, fmt.Errorf("open muxer: %w", err)
	}
	if len(tracks) == 0 {
		return nil, fmt.Errorf("open muxer %s: no tracks: %w", o.Format, ErrShape)
	}
	m := &Muxer{name: o.Format}
	defer func() {
		if err != nil {
			m.release()
			err = fmt.Errorf("open muxer %s: %w", o.Format, err)
		}
	}()
	if m.format, err = astiav.AllocOutputFormatContext(nil, o.Format, ""); err != nil {
		return nil, err
	}
	if m.scratch = astiav.AllocPacket(); m.scratch == nil {
		return nil, ErrMemory
	}
	for _, t := range tracks {
		if err := m.add(t); err != nil {
			return nil, fmt.Errorf("track %s: %w", t, err)
		}
	}
	if err := m.attach(w); err != nil {
		return nil, err
	}
	settings := map[string]string{"avoid_negative_ts": "make_zero"}
	if !m.seeks && slices.Contains(fragmenting, o.Format) {
		settings["movflags"] = "frag_keyframe+empty_moov+default_base_moof"
	}
	options, err := dictionary(merged(settings, o.Options))
	if err != nil {
		return nil, err
	}
	defer options.Free()
	words := listen()
	err = m.format.WriteHeader(options)
	said := words.stop()
	switch {
	case m.failed != nil:
		return nil, m.failed
	case err != nil && said != "":
		return nil, fmt.Errorf("%w (%s)", err, said)
	case err != nil:
		return nil, err
	}
	return m, nil
}

// attach makes w where FFmpeg writes to.
func (m *Muxer) attach(w io.Writer) (err error) {
	write := func(b []byte) (int, error) {
		if m.failed != nil {
			return 0, m.failed
		}
		n, err := w.Write(b)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		m.failed = err
		return n, err
	}
	var seek astiav.IOContextSeekFunc
	s, seeks := w.(io.WriteSeeker)
	if m.seeks = seeks; seeks {
		seek = func(offset int64, whence int) (int64, error) {
			const size = 0x10000
			if whence == size {
				return sizeOf(s)
			}
			return s.Seek(offset, whence)
		}
	}
	if m.io, err = astiav.AllocIOContext(ioBuffer, true, nil, seek, write); err != nil {
		return errors.Join(ErrMemory, err)
	}
	m.format.SetPb(m.io)
	return nil
}

// add makes a stream for a track.
func (m *Muxer) add(t *media.Track) error {
	id, err := codecID(t)
	if err != nil {
		return err
	}
	if t.ClockRate <= 0 {
		return fmt.Errorf("no clock rate: %w", ErrShape)
	}
	s := m.format.NewStream(nil)
	if s == nil {
		return ErrMemory
	}
	p := s.CodecParameters()
	p.SetCodecID(id)
	if x := extradata(t); len(x) > 0 {
		if err := p.SetExtraData(x); err != nil {
			return err
		}
	}
	switch t.Kind {
	case media.Video:
		p.SetMediaType(astiav.MediaTypeVideo)
		p.SetWidth(t.Width)
		p.SetHeight(t.Height)
		p.SetPixelFormat(pixelFormatOf(t))
		if t.SampleAspect.Known() {
			r := astiav.NewRational(t.SampleAspect.Num, t.SampleAspect.Den)
			p.SetSampleAspectRatio(r)
			s.SetSampleAspectRatio(r)
		}
		if t.FrameRate.Known() {
			s.SetAvgFrameRate(astiav.NewRational(t.FrameRate.Num, t.FrameRate.Den))
		}
	case media.Audio:
		p.SetMediaType(astiav.MediaTypeAudio)
		l, err := layout(t.Channels)
		if err != nil {
			return err
		}
		p.SetChannelLayout(l)
		p.SetSampleRate(t.SampleRate)
	}
	C.millraceMuxed(parametersPointer(p), C.int64_t(t.Bitrate))
	if t.Codec == media.H265 && slices.Contains(fragmenting, m.name) {
		// Its parameter sets are in the configuration only, which hev1, the
		// usual tag, does not promise and some players insist on.
		p.SetCodecTag(hvc1)
	}
	s.SetTimeBase(astiav.NewRational(1, t.ClockRate))
	m.streams = append(m.streams, muxed{track: t, base: s})
	return nil
}

const hvc1 = astiav.CodecTag('h' | 'v'<<8 | 'c'<<16 | '1'<<24)

// pixelFormatOf is what a track's pictures are like, as far as it tells; some
// containers want to know.
func pixelFormatOf(t *media.Track) astiav.PixelFormat {
	name := "yuv" + map[string]string{"": "420", "4:2:0": "420", "4:2:2": "422", "4:4:4": "444"}[t.Chroma] + "p"
	if t.BitDepth > 8 {
		name += fmt.Sprintf("%dle", t.BitDepth)
	}
	return astiav.FindPixelFormatByName(name)
}

// Write adds a packet. Those of one track come in DTS order; those of all may
// come in any order that keeps them near each other.
func (m *Muxer) Write(p *media.Packet) error {
	if m.format == nil {
		return fmt.Errorf("write %s: it is closed", m.name)
	}
	i := slices.IndexFunc(m.streams, func(s muxed) bool { return s.track == p.Track })
	if i < 0 {
		i = slices.IndexFunc(m.streams, func(s muxed) bool { return s.track.ID == p.Track.ID })
	}
	if i < 0 {
		return fmt.Errorf("write %s: no track %s was announced: %w", m.name, p.Track, ErrShape)
	}
	s := &m.streams[i]
	if s.track != p.Track {
		if !s.track.SameParameters(p.Track) {
			return fmt.Errorf("write %s: track %s became %s in the midst of it: %w", m.name, s.track, p.Track, ErrShape)
		}
		s.track = p.Track
	}
	if len(p.Payload) == 0 {
		return nil
	}
	base := s.base.TimeBase()
	pts, dts := scale(p.PTS, p.Track.ClockRate, base), scale(p.DTS, p.Track.ClockRate, base)
	// A coarse clock may tell two packets the same time.
	if s.begun && dts <= s.last {
		dts = s.last + 1
	}
	s.begun, s.last = true, dts
	lasts := scale(p.PTS+p.Duration, p.Track.ClockRate, base) - pts
	var key C.int
	if p.Key {
		key = 1
	}
	err := fault(C.millraceWrite(*(**C.AVFormatContext)(unsafe.Pointer(m.format)), packetPointer(m.scratch), C.int(i),
		(*C.uint8_t)(unsafe.SliceData(p.Payload)), C.int(len(p.Payload)),
		C.int64_t(max(pts, dts)), C.int64_t(dts), C.int64_t(lasts), key))
	if now := time.Now(); !m.seeks && now.Sub(m.flushed) >= flushEvery {
		m.io.Flush()
		m.flushed = now
	}
	if m.failed != nil {
		return fmt.Errorf("write %s: %w", m.name, m.failed)
	}
	if err != nil {
		return fmt.Errorf("write %s: track %s at %d: %w", m.name, p.Track, p.DTS, err)
	}
	return nil
}

// scale converts ticks of a clock into a container's.
func scale(ticks int64, rate int, base astiav.Rational) int64 {
	if base.Num() == 1 {
		return media.Rescale(ticks, rate, base.Den())
	}
	return media.Rescale(ticks, rate*base.Num(), base.Den())
}

// Close writes what is left, and the trailer, and frees the muxer. Only the
// first call does anything.
func (m *Muxer) Close() error {
	if m.format == nil {
		return nil
	}
	err := m.format.WriteTrailer()
	m.io.Flush()
	if m.failed != nil {
		err = m.failed
	}
	m.release()
	if err != nil {
		return fmt.Errorf("write %s: %w", m.name, err)
	}
	return nil
}

func (m *Muxer) release() {
	if m.format != nil {
		m.format.Free()
		m.format = nil
	}
	if m.io != nil {
		m.io.Free()
		m.io = nil
	}
	if m.scratch != nil {
		m.scratch.Free()
		m.scratch = nil
	}
}
