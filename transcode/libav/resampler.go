package libav

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
)

// Resampler turns decoded sound of any form, which may change in flight, into
// frames of one size, rate, number of channels and sample format. It counts
// samples and knows no time.
type Resampler struct {
	format     astiav.SampleFormat
	rate, size int
	layout     astiav.ChannelLayout

	convert   *astiav.SoftwareResampleContext
	fifo      *astiav.AudioFifo
	in        soundShape
	converted *Frame // scratch
	out       *Frame // scratch
}

type soundShape struct {
	rate, channels int
	format         astiav.SampleFormat
}

// NewResampler makes a resampler for what an encoder takes. The caller must
// Close it.
func NewResampler(e *AudioEncoder) (*Resampler, error) {
	l, err := layout(e.track.Channels)
	if err != nil {
		return nil, err
	}
	return newResampler(soundForm{e.format, e.track.SampleRate, l, e.FrameSize()})
}

func newResampler(to soundForm) (_ *Resampler, err error) {
	size := to.size
	if size <= 0 {
		size = 1024
	}
	r := &Resampler{format: to.format, rate: to.rate, layout: to.layout, size: size}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.converted, err = newFrame(); err != nil {
		return nil, err
	}
	if r.out, err = newFrame(); err != nil {
		return nil, err
	}
	if r.fifo = astiav.AllocAudioFifo(r.format, r.layout.Channels(), 4*size); r.fifo == nil {
		return nil, fmt.Errorf("allocate samples: %w", ErrMemory)
	}
	return r, nil
}

func (r *Resampler) shape(f *astiav.Frame) {
	f.SetSampleFormat(r.format)
	f.SetSampleRate(r.rate)
	f.SetChannelLayout(r.layout)
}

// Push converts one frame, which it only borrows, and returns the number of
// samples that came out. skip leaves out that many of them at the front.
func (r *Resampler) Push(f *Frame, skip int) (int, error) {
	s := soundShape{f.f.SampleRate(), f.f.ChannelLayout().Channels(), f.f.SampleFormat()}
	if r.convert != nil && s != r.in {
		if _, err := r.Flush(); err != nil {
			return 0, err
		}
	}
	if r.convert == nil {
		if r.convert = astiav.AllocSoftwareResampleContext(); r.convert == nil {
			return 0, fmt.Errorf("open resampler: %w", ErrMemory)
		}
		r.in = s
	}
	if !f.f.ChannelLayout().Valid() {
		// Raw formats name a number of channels and no arrangement.
		l, err := layout(s.channels)
		if err != nil {
			return 0, err
		}
		f.f.SetChannelLayout(l)
	}
	return r.run(f.f, skip)
}

// Flush puts out what the resampler still holds of its input and returns the
// number of samples.
func (r *Resampler) Flush() (int, error) {
	if r.convert == nil {
		return 0, nil
	}
	n, err := r.run(nil, 0)
	r.convert.Free()
	r.convert = nil
	return n, err
}

func (r *Resampler) run(in *astiav.Frame, skip int) (int, error) {
	out := r.converted.f
	out.Unref()
	r.shape(out)
	if err := r.convert.ConvertFrame(in, out); err != nil {
		return 0, fmt.Errorf("resample: %w", err)
	}
	n := out.NbSamples()
	if n == 0 {
		return 0, nil
	}
	if skip >= n {
		return n, nil
	}
	if skip > 0 {
		if err := skipSamples(out, skip); err != nil {
			return 0, err
		}
	}
	if err := r.write(out); err != nil {
		return 0, err
	}
	return n, nil
}

func (r *Resampler) write(f *astiav.Frame) error {
	if _, err := r.fifo.Write(f); err != nil {
		return fmt.Errorf("store samples: %w", err)
	}
	return nil
}

// Stretch makes the next distance samples that come out delta samples longer
// (or shorter), so gently that it is not heard.
func (r *Resampler) Stretch(delta, distance int) error {
	if r.convert == nil {
		return nil
	}
	if err := stretch(r.convert, delta, distance); err != nil {
		return fmt.Errorf("stretch sound: %w", err)
	}
	return nil
}

// Silence appends n samples of silence.
func (r *Resampler) Silence(n int) error {
	for n > 0 {
		f := r.converted.f
		f.Unref()
		r.shape(f)
		f.SetNbSamples(min(n, 8192))
		if err := f.AllocBuffer(0); err != nil {
			return fmt.Errorf("allocate silence: %w", err)
		}
		if err := f.SamplesFillSilence(); err != nil {
			return fmt.Errorf("make silence: %w", err)
		}
		if err := r.write(f); err != nil {
			return err
		}
		n -= f.NbSamples()
	}
	return nil
}

// Buffered is the number of samples that wait to be Read.
func (r *Resampler) Buffered() int { return r.fifo.Size() }

// Read hands the next frame to emit, with pts, and reports whether there was
// one. Only with rest is a frame shorter than the encoder's frame size.
func (r *Resampler) Read(pts int64, rest bool, emit func(*Frame) error) (int, error) {
	n := min(r.fifo.Size(), r.size)
	if n == 0 || n < r.size && !rest {
		return 0, nil
	}
	f := r.out.f
	f.Unref()
	r.shape(f)
	f.SetNbSamples(n)
	if err := f.AllocBuffer(0); err != nil {
		return 0, fmt.Errorf("allocate samples: %w", err)
	}
	got, err := r.fifo.Read(f)
	if err != nil {
		return 0, fmt.Errorf("read samples: %w", err)
	}
	if got != n {
		return 0, errors.New("read samples: fewer than announced")
	}
	f.SetPts(pts)
	defer f.Unref()
	return n, emit(r.out)
}

// Close frees the resampler. It may be called twice.
func (r *Resampler) Close() {
	if r.convert != nil {
		r.convert.Free()
		r.convert = nil
	}
	if r.fifo != nil {
		r.fifo.Free()
		r.fifo = nil
	}
	for _, f := range []*Frame{r.converted, r.out} {
		if f != nil {
			f.Close()
		}
	}
}

// Held is the number of samples, at the output's rate, that the resampler has
// taken in and not yet put out.
func (r *Resampler) Held() int64 {
	if r.convert == nil {
		return 0
	}
	return r.convert.Delay(int64(r.rate))
}
