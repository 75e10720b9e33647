package libav

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// FrameEncoder encodes frames with any encoder there is. It is opened by its
// first frame, whose size, rate and format it keeps: what the encoder does not
// take is converted, and what comes later in another form, too.
//
// Video's packets count in the frames' clock, audio's in samples. An encoder
// with B-frames or a lead-in puts its first packets before its first frame, at
// negative times where that is at zero.
type FrameEncoder struct {
	encoder
	o     transcode.CoderOptions
	found *astiav.Codec
	asked map[string]string // options of the coder
	form  frameForm         // what is asked for by name

	// Video.
	convert *pictureForm
	send    *Frame
	clock   int
	each    int64 // ticks from one picture to the next
	every   int64 // ticks from one keyframe to the next, where the encoder does not count
	key     int64 // time of the last keyframe
	last    int64
	fed     bool
	lasts   map[int64]int64 // of pictures inside the encoder, by time

	row *Row // audio
}

// frameForm is what the options ask for that are not the coder's own, by the
// names that FFmpeg's command line has for them.
type frameForm struct {
	pixels         astiav.PixelFormat
	samples        astiav.SampleFormat
	rate, channels int
}

// NewFrameEncoder finds an encoder and looks at the options.
func NewFrameEncoder(o transcode.CoderOptions) (*FrameEncoder, error) {
	found, err := findEncoder(o.Codec)
	if err != nil {
		return nil, fmt.Errorf("open encoder: %w", err)
	}
	if err := CheckOptions(transcode.EncoderOptions, found.Name(), o.Options); err != nil {
		return nil, fmt.Errorf("open encoder: %w", err)
	}
	e := &FrameEncoder{o: o, found: found}
	if e.asked, err = e.form.read(o.Options); err != nil {
		return nil, fmt.Errorf("open encoder: %w", err)
	}
	return e, nil
}

// read takes what is not the coder's out of options.
func (f *frameForm) read(options map[string]string) (map[string]string, error) {
	f.pixels, f.samples = astiav.PixelFormatNone, astiav.SampleFormatNone
	rest := make(map[string]string)
	for k, v := range options {
		var err error
		switch k {
		case "pix_fmt":
			f.pixels = astiav.FindPixelFormatByName(v)
		case "sample_fmt":
			f.samples = sampleFormatNamed(v)
		case "ar":
			f.rate, err = strconv.Atoi(v)
		case "ac":
			f.channels, err = strconv.Atoi(v)
		default:
			rest[k] = v
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return rest, nil
}

// Encode codes one frame, which stays the caller's, as a keyframe where key is
// set, and hands the packets that are ready to emit. A nil frame drains; the
// next one opens the encoder anew.
func (e *FrameEncoder) Encode(frame transcode.Frame, key bool, emit func(*media.Packet) error) error {
	if frame == nil {
		return e.drain(emit)
	}
	f, err := FrameOf(frame)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	video := isVideo(e.found)
	if video != (f.Kind() == media.Video) {
		return fmt.Errorf("encode: %s for the encoder %s: %w", f.Kind(), e.found.Name(), ErrShape)
	}
	if video {
		return e.picture(f, key, emit)
	}
	return e.sound(f, emit)
}

func (e *FrameEncoder) picture(f *Frame, key bool, emit func(*media.Packet) error) error {
	if e.codec == nil {
		if err := e.openVideo(f); err != nil {
			e.encoder.Close()
			return fmt.Errorf("open encoder %s: %w", e.found.Name(), err)
		}
	}
	at := e.last + e.each
	if pts, ok := f.PTS(); ok {
		at = media.Rescale(pts, e.clockOf(f), e.clock)
	}
	if e.fed && at <= e.last {
		return fmt.Errorf("encode: PTS %d after %d: %w", at, e.last, ErrOrder)
	}
	key = key || !e.fed || e.every > 0 && at-e.key >= e.every
	if key {
		e.key = at
	}
	e.fed, e.last = true, at
	shaped, err := e.convert.shape(f)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	s := e.send.f
	s.Unref()
	if err := s.Ref(shaped.f); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	defer s.Unref()
	s.SetPts(at)
	// The decoder's own picture types would be obeyed too.
	s.SetPictureType(astiav.PictureTypeNone)
	if key {
		s.SetPictureType(astiav.PictureTypeI)
	}
	lasts := media.Rescale(duration(s), e.clockOf(f), e.clock)
	if lasts <= 0 {
		lasts = e.each
	}
	setDuration(s, lasts)
	if len(e.lasts) >= mostInside {
		clear(e.lasts)
	}
	e.lasts[at] = lasts
	return e.encode(s, e.timed(emit))
}

// mostInside is more pictures than any encoder holds back.
const mostInside = 1024

// timed tells packets how long they last, where the encoder forgets it.
func (e *FrameEncoder) timed(emit func(*media.Packet) error) func(*media.Packet) error {
	return func(p *media.Packet) error {
		if lasts, ok := e.lasts[p.PTS]; ok {
			delete(e.lasts, p.PTS)
			p.Duration = lasts
		}
		return emit(p)
	}
}

// clockOf is the clock that a frame's PTS counts in.
func (e *FrameEncoder) clockOf(f *Frame) int {
	if f.clock > 0 {
		return f.clock
	}
	return e.clock
}

func (e *FrameEncoder) sound(f *Frame, emit func(*media.Packet) error) error {
	if e.codec == nil {
		if err := e.openAudio(f); err != nil {
			e.encoder.Close()
			return fmt.Errorf("open encoder %s: %w", e.found.Name(), err)
		}
	}
	code := func(f *Frame) error { return e.encode(f.f, emit) }
	at := e.row.ticks(f)
	if next, begun := e.row.Begun(); begun && next-at > media.Ticks(LongestGap, e.row.grid.rate) {
		return fmt.Errorf("encode: sound at %d, after %d: %w", at, next, ErrOrder)
	}
	far, err := e.row.Push(f, at, code)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if !far {
		return nil
	}
	// Too much silence would be needed to get there.
	if err := e.drain(emit); err != nil {
		return err
	}
	return e.sound(f, emit)
}

func (e *FrameEncoder) drain(emit func(*media.Packet) error) error {
	if e.codec == nil {
		return nil
	}
	defer e.release()
	if e.row != nil {
		if err := e.row.Finish(func(f *Frame) error { return e.encode(f.f, emit) }); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
	}
	return e.encode(nil, e.timed(emit))
}

// release frees the coder; what it made keeps its Track.
func (e *FrameEncoder) release() {
	e.encoder.Close()
	if e.row != nil {
		e.row.Close()
		e.row = nil
	}
	if e.convert != nil {
		e.convert.close()
		e.convert = nil
	}
	if e.send != nil {
		e.send.Close()
		e.send = nil
	}
}

// Close frees the encoder with everything it still holds. It may be called
// twice.
func (e *FrameEncoder) Close() { e.release() }

// pictureForm brings pictures into one form.
type pictureForm struct {
	width, height int
	pixels        astiav.PixelFormat
	is            form
	graph         *graph
	out           *Frame
}

// shape returns f where it has the form, or else a picture that holds until
// the next call.
func (p *pictureForm) shape(f *Frame) (*Frame, error) {
	if f.Width() == p.width && f.Height() == p.height && f.f.PixelFormat() == p.pixels {
		return f, nil
	}
	if is := formOf(f); p.graph == nil || is != p.is {
		if err := checkSize(f.Width(), f.Height()); err != nil {
			return nil, err
		}
		p.free()
		levels := ""
		if strings.HasPrefix(p.pixels.Name(), "yuvj") {
			levels = ":out_range=full"
		}
		description := fmt.Sprintf("scale=w=%d:h=%d%s,format=pix_fmts=%s", p.width, p.height, levels, p.pixels.Name())
		g, err := newGraph(description, []input{{like: f.f, clock: max(f.clock, 1)}}, 1)
		if err != nil {
			return nil, err
		}
		p.graph, p.is = g, is
	}
	if p.out == nil {
		var err error
		if p.out, err = newFrame(); err != nil {
			return nil, err
		}
	}
	p.out.f.Unref()
	if err := p.graph.push(0, f.f); err != nil {
		return nil, err
	}
	got, _, err := p.graph.pull(0, p.out.f)
	if err == nil && !got {
		err = errors.New("no picture came of a picture")
	}
	return p.out, err
}

func (p *pictureForm) free() {
	if p.graph != nil {
		p.graph.free()
		p.graph = nil
	}
}

func (p *pictureForm) close() {
	p.free()
	if p.out != nil {
		p.out.Close()
		p.out = nil
	}
}
