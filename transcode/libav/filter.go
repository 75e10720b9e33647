package libav

import (
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// Picture says what a VideoFilter makes of whatever comes in. The zero value
// changes nothing.
type Picture struct {
	// Width and Height, where set, are the exact size of every picture that
	// comes out: upright, with square samples, 8 bits, 4:2:0. A picture of
	// another display aspect is fitted in and padded.
	Width, Height int

	// FullRange asks for samples from 0 to 255, as JPEG has them, in place of
	// video's 16 to 235.
	FullRange bool

	// Deinterlace makes one progressive picture of each one that is flagged
	// as interlaced, and delays by one picture.
	Deinterlace bool

	// ClockRate of the frames' PTS.
	ClockRate int

	// Threads of the filters; 0 means one.
	Threads int
}

// Origin says what the source track knows about its pictures and the pictures
// themselves may not.
type Origin struct {
	Width, Height int            // for which Aspect holds
	Aspect        media.Rational // of a sample; unknown leaves it to the pictures
	Rotation      int            // degrees clockwise that make them upright
}

// describe writes the filters for pictures of shape s.
func (p Picture) describe(s shape, o Origin) string {
	var chain []string
	if p.Deinterlace {
		chain = append(chain, "bwdif=mode=send_frame:deint=interlaced")
	}
	if p.Width > 0 && p.Height > 0 {
		w, h := p.fit(s, o)
		// Turning comes after scaling, where pictures are small.
		scaled := [2]int{w, h}
		if o.Rotation%180 != 0 {
			scaled = [2]int{h, w}
		}
		colours, format := "limited", "yuv420p"
		if p.FullRange {
			colours, format = "full", "yuvj420p"
		}
		chain = append(chain, fmt.Sprintf("scale=w=%d:h=%d:out_range=%s", scaled[0], scaled[1], colours),
			"format=pix_fmts="+format)
		switch o.Rotation {
		case 90:
			chain = append(chain, "transpose=dir=clock")
		case 180:
			chain = append(chain, "hflip", "vflip")
		case 270:
			chain = append(chain, "transpose=dir=cclock")
		}
		if w != p.Width || h != p.Height {
			chain = append(chain, fmt.Sprintf("pad=w=%d:h=%d:x=(ow-iw)/2:y=(oh-ih)/2", p.Width, p.Height))
		}
		chain = append(chain, "setsar=sar=1")
	}
	if len(chain) == 0 {
		return "null"
	}
	return strings.Join(chain, ",")
}

// fit is the even size, upright, at which a picture of shape s fills what is
// wanted. Less than 2 % is not worth a black line.
func (p Picture) fit(s shape, o Origin) (w, h int) {
	aspect := o.sampleAspect(s)
	dw, dh := int64(s.width)*int64(aspect.Num), int64(s.height)*int64(aspect.Den)
	if o.Rotation%180 != 0 {
		dw, dh = dh, dw
	}
	ours, wanted := dw*int64(p.Height), dh*int64(p.Width)
	switch {
	case ours > wanted+wanted/50: // too wide
		return p.Width, even(int64(p.Width)*dh, dw)
	case wanted > ours+ours/50: // too high
		return even(int64(p.Height)*dw, dh), p.Height
	}
	return p.Width, p.Height
}

func even(num, den int64) int { return int(max((num+den)/(2*den)*2, 2)) }

func (o Origin) sampleAspect(s shape) media.Rational {
	if o.Aspect.Known() && o.Width == s.width && o.Height == s.height {
		return o.Aspect
	}
	if s.aspect.Num() > 0 && s.aspect.Den() > 0 {
		return media.Rational{Num: s.aspect.Num(), Den: s.aspect.Den()}
	}
	return media.Rational{Num: 1, Den: 1}
}

// shape is what a filter graph is built for; frames of another shape need
// another graph.
type shape struct {
	width, height int
	pixels        astiav.PixelFormat
	aspect        astiav.Rational
	space         astiav.ColorSpace
	colours       astiav.ColorRange
}

func shapeOf(f *astiav.Frame) shape {
	return shape{
		width: f.Width(), height: f.Height(), pixels: f.PixelFormat(), aspect: f.SampleAspectRatio(),
		space: f.ColorSpace(), colours: f.ColorRange(),
	}
}

// VideoFilter brings pictures into the form that an encoder was opened for.
// When the size, pixel format or aspect of its input changes it rebuilds its
// graph; what comes out keeps its form and its PTS.
type VideoFilter struct {
	want   Picture
	origin Origin
	shape  shape
	graph  *graph
	frame  *Frame
	stale  bool

	// ticks of the sink's clock in one tick of the source's: deinterlacers
	// count in half ticks.
	divide int64
}

// NewVideoFilter makes a filter, which the caller must Close.
func NewVideoFilter(p Picture) (*VideoFilter, error) {
	f, err := newFrame()
	if err != nil {
		return nil, err
	}
	return &VideoFilter{want: p, frame: f}, nil
}

// SetOrigin tells about the track that pictures come from, from the next one
// on.
func (v *VideoFilter) SetOrigin(o Origin) {
	if o != v.origin {
		v.origin, v.stale = o, true
	}
}

// fits reports whether f can pass as it is.
func (v *VideoFilter) fits(s shape) bool {
	if v.want.Deinterlace || v.want.FullRange {
		return false
	}
	if v.want.Width == 0 || v.want.Height == 0 {
		return true
	}
	square := v.origin.sampleAspect(s)
	return s.width == v.want.Width && s.height == v.want.Height && v.origin.Rotation == 0 &&
		square.Num == square.Den && s.pixels == astiav.PixelFormatYuv420P && s.colours != astiav.ColorRangeJpeg
}

// Filter takes one picture, which it only borrows, and hands what comes out
// to emit, which may use it until it returns.
func (v *VideoFilter) Filter(f *Frame, emit func(*Frame) error) error {
	s := shapeOf(f.f)
	if v.graph != nil && (s != v.shape || v.stale) {
		if err := v.Drain(emit); err != nil {
			return err
		}
	}
	v.stale = false
	if v.graph == nil {
		if v.fits(s) {
			return emit(f)
		}
		if err := v.build(s, f); err != nil {
			return fmt.Errorf("build filter: %w", err)
		}
	}
	if err := v.graph.push(0, f.f); err != nil {
		return fmt.Errorf("filter picture: %w", err)
	}
	return v.receive(emit)
}

// Drain hands out what the graph still holds and frees it; the next picture
// builds another.
func (v *VideoFilter) Drain(emit func(*Frame) error) error {
	if v.graph == nil {
		return nil
	}
	defer v.release()
	if err := v.graph.push(0, nil); err != nil {
		return fmt.Errorf("drain filter: %w", err)
	}
	return v.receive(emit)
}

func (v *VideoFilter) receive(emit func(*Frame) error) error {
	for {
		got, _, err := v.graph.pull(0, v.frame.f)
		if err != nil {
			return fmt.Errorf("filter picture: %w", err)
		}
		if !got {
			return nil
		}
		if v.divide > 1 {
			v.frame.f.SetPts(v.frame.f.Pts() / v.divide)
		}
		err = emit(v.frame)
		v.frame.f.Unref()
		if err != nil {
			return err
		}
	}
}

func (v *VideoFilter) build(s shape, like *Frame) error {
	in := input{like: like.f, clock: v.want.ClockRate}
	chain := v.want.describe(s, v.origin)
	g, err := newGraph(chain, []input{in}, max(v.want.Threads, 1))
	if err != nil {
		return fmt.Errorf("%s: %w", chain, err)
	}
	v.graph, v.shape = g, s
	v.divide = int64(g.clocks[0].den) / int64(g.clocks[0].num) / int64(v.want.ClockRate)
	return nil
}

func (v *VideoFilter) release() {
	if v.graph != nil {
		v.graph.free()
	}
	v.graph = nil
}

// Close frees the filter. It may be called twice.
func (v *VideoFilter) Close() {
	v.release()
	v.frame.Close()
}
