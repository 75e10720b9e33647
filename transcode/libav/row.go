package libav

import (
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// Row makes of decoded sound one gapless row of frames as an encoder takes
// them, in step with the timestamps: gaps become silence, what overlaps is left
// out, drift is taken out by stretching.
type Row struct {
	grid      grid
	resampler *Resampler
	read      int64 // samples of the row that were handed out
}

// NewRow makes a row for an encoder. The caller must Close it.
func NewRow(e *AudioEncoder) (*Row, error) {
	r, err := NewResampler(e)
	if err != nil {
		return nil, err
	}
	return &Row{grid: grid{rate: r.rate}, resampler: r}, nil
}

// Begun reports whether the row has begun, and where its next sample lies.
func (r *Row) Begun() (next int64, begun bool) { return r.grid.next(), r.grid.begun }

// Begin begins the row at a time, without sound.
func (r *Row) Begin(pts int64) { r.grid.begin(pts) }

// Push appends one frame, which it only borrows, at pts in ticks of the row's
// sample rate, and hands whole frames to emit. It does nothing and reports far
// where pts lies so far ahead that another row has to begin there.
func (r *Row) Push(f *Frame, pts int64, emit func(*Frame) error) (far bool, err error) {
	do := r.grid.place(pts, r.resampler.Held())
	if do.restart {
		return true, nil
	}
	if do.silence > 0 {
		if err := r.Silence(do.silence, emit); err != nil {
			return false, err
		}
	}
	if do.stretch != 0 {
		if err := r.resampler.Stretch(int(do.stretch), r.grid.rate); err != nil {
			return false, err
		}
	}
	n, err := r.resampler.Push(f, int(do.skip))
	if err != nil {
		return false, err
	}
	r.grid.count += max(int64(n)-do.skip, 0)
	return false, r.handOut(false, emit)
}

// Silence lengthens the row. What the resampler holds comes first.
func (r *Row) Silence(samples int64, emit func(*Frame) error) error {
	n, err := r.resampler.Flush()
	if err != nil {
		return err
	}
	samples -= int64(n)
	r.grid.count += int64(n)
	for samples > 0 {
		n := min(samples, int64(r.grid.rate))
		if err := r.resampler.Silence(int(n)); err != nil {
			return err
		}
		r.grid.count += n
		samples -= n
		if err := r.handOut(false, emit); err != nil {
			return err
		}
	}
	return nil
}

// Finish hands out what is left, of which the last frame may be short.
func (r *Row) Finish(emit func(*Frame) error) error {
	if !r.grid.begun {
		return nil
	}
	if _, err := r.resampler.Flush(); err != nil {
		return err
	}
	return r.handOut(true, emit)
}

func (r *Row) handOut(rest bool, emit func(*Frame) error) error {
	for {
		n, err := r.resampler.Read(r.grid.base+r.read, rest, emit)
		if n == 0 || err != nil {
			return err
		}
		r.read += int64(n)
	}
}

// Close frees the row. It may be called twice.
func (r *Row) Close() { r.resampler.Close() }

// soundForm is what an encoder takes.
type soundForm struct {
	format astiav.SampleFormat
	rate   int
	layout astiav.ChannelLayout
	size   int // samples of a frame
}

func newRow(form soundForm) (*Row, error) {
	r, err := newResampler(form)
	if err != nil {
		return nil, fmt.Errorf("%d channels at %d Hz: %w", form.layout.Channels(), form.rate, err)
	}
	return &Row{grid: grid{rate: form.rate}, resampler: r}, nil
}

// ticks are samples of the row.
func (r *Row) ticks(f *Frame) int64 {
	pts, ok := f.PTS()
	if !ok {
		return r.grid.next() + r.resampler.Held()
	}
	return media.Rescale(pts, max(f.clock, 1), r.grid.rate)
}
