package libav

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// errNoPicture says that a packet did not give a picture.
var errNoPicture = errors.New("no picture in it")

// JPEG decodes one keyframe and returns it as a JPEG of the given width. The
// height follows the display aspect and the rotation of the track.
func JPEG(p *media.Packet, width int) ([]byte, error) {
	d, err := OpenDecoder(p.Track, DecoderOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var picture *Frame
	keep := func(f *Frame) (err error) {
		if picture == nil {
			picture, err = f.Share()
		}
		return err
	}
	// A decoder that waits for more gives its picture when it is drained.
	for _, p := range []*media.Packet{p, nil} {
		if err = d.Decode(p, keep); err != nil && !errors.Is(err, ErrCorrupt) {
			break
		}
	}
	if picture == nil {
		return nil, fmt.Errorf("decode picture: %w", errors.Join(errNoPicture, err))
	}
	defer picture.Close()
	return encodeJPEG(picture, originOf(p.Track), width)
}

func originOf(t *media.Track) Origin {
	return Origin{Width: t.Width, Height: t.Height, Aspect: t.SampleAspect, Rotation: t.Rotation}
}

func encodeJPEG(f *Frame, o Origin, width int) ([]byte, error) {
	s := shapeOf(f.f)
	aspect := o.sampleAspect(s)
	w, h := int64(s.width)*int64(aspect.Num), int64(s.height)*int64(aspect.Den)
	if o.Rotation%180 != 0 {
		w, h = h, w
	}
	if w <= 0 || h <= 0 {
		return nil, errNoPicture
	}
	width = even(int64(min(max(width, 16), 4096)), 1)
	height := min(even(int64(width)*h, w), 8192)
	v, err := NewVideoFilter(Picture{Width: width, Height: height, FullRange: true, ClockRate: 90000})
	if err != nil {
		return nil, err
	}
	defer v.Close()
	v.SetOrigin(o)
	f.f.SetPts(0)
	var jpeg []byte
	err = v.Filter(f, func(f *Frame) error {
		// 5 of 31
		jpeg, err = still(f, "mjpeg", map[string]string{"flags": "+qscale", "global_quality": "590"})
		return err
	})
	if err == nil && jpeg == nil {
		err = errNoPicture
	}
	if err != nil {
		return nil, fmt.Errorf("make JPEG: %w", err)
	}
	return jpeg, nil
}
