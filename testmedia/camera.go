package testmedia

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// CameraOptions says what a camera sees and hears.
type CameraOptions struct {
	Picture PictureOptions
	Rate    Rate

	// Sound with a zero Rate means a camera without a microphone.
	Sound SoundOptions

	// Chunk is how much sound is delivered at a time; zero means 20 ms.
	Chunk time.Duration
}

// Viewer takes what a camera delivers. The two methods are called from one
// goroutine each; what they are given is theirs until they return. An error
// ends the camera.
type Viewer interface {
	Picture(Shot) error
	Sound(Chunk) error
}

// Shot is one picture of a camera.
type Shot struct {
	*Frame
	Stamp Stamp // drawn into the picture: when it was due, by the wall clock

	// Number counts in units of the camera's rate: the picture's time is
	// Number frames after the camera's start. A number is left out only when
	// the viewer was behind by more than the camera's patience.
	Number int64
}

// Chunk is a piece of sound of a camera.
type Chunk struct {
	PCM []int16 // interleaved

	// Number is that of the first sample, counted from the camera's start.
	// Sound has no holes.
	Number int64
}

// patience is how far a viewer may be behind before pictures are left out: a
// hiccup of the machine must not make a hole in the stream.
const patience = time.Second

// Camera delivers pictures and sound in real time, as a device does: a picture
// at the time it is due, sound when its last sample is due.
type Camera struct {
	o       CameraOptions
	picture *Picture
}

// NewCamera prepares a camera; Run starts it.
func NewCamera(o CameraOptions) (*Camera, error) {
	if !o.Rate.Valid() {
		return nil, fmt.Errorf("make camera: a frame rate of %v cannot be", o.Rate)
	}
	p, err := NewPicture(o.Picture)
	if err != nil {
		return nil, fmt.Errorf("make camera: %w", err)
	}
	if o.Chunk <= 0 {
		o.Chunk = 20 * time.Millisecond
	}
	if o.Sound != (SoundOptions{}) {
		if _, err := NewSound(o.Sound, time.Time{}); err != nil {
			return nil, fmt.Errorf("make camera: %w", err)
		}
		if o.Chunk*time.Duration(o.Sound.Rate) < time.Second {
			return nil, fmt.Errorf("make camera: a chunk of %v holds no sample", o.Chunk)
		}
	}
	return &Camera{o: o, picture: p}, nil
}

// Run delivers until ctx ends or the viewer returns an error, and returns that
// error or ctx's. It returns after the viewer's last call has returned. A
// Camera runs once at a time.
func (c *Camera) Run(ctx context.Context, v Viewer) error { return c.run(ctx, v, true) }

func (c *Camera) run(ctx context.Context, v Viewer, skip bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	var wg sync.WaitGroup
	wg.Go(func() { cancel(c.pictures(ctx, start, v, skip)) })
	if c.o.Sound.Rate > 0 {
		wg.Go(func() { cancel(c.sound(ctx, start, v)) })
	}
	wg.Wait()
	return context.Cause(ctx)
}

// pictures draws each picture when it is due. If skip says so, it goes on with
// the present after a delay of more than the patience.
func (c *Camera) pictures(ctx context.Context, start time.Time, v Viewer, skip bool) error {
	frame := c.picture.NewFrame()
	for n := int64(0); ; n++ {
		if now := time.Since(start); skip && now > c.o.Rate.Time(n)+patience {
			n = c.o.Rate.Frame(now)
		}
		due := start.Add(c.o.Rate.Time(n))
		if err := sleepUntil(ctx, due); err != nil {
			return err
		}
		s := NewStamp(uint64(n), due)
		c.picture.Draw(frame, s)
		if err := v.Picture(Shot{Frame: frame, Stamp: s, Number: n}); err != nil {
			return fmt.Errorf("deliver picture: %w", err)
		}
	}
}

func (c *Camera) sound(ctx context.Context, start time.Time, v Viewer) error {
	s, err := NewSound(c.o.Sound, start)
	if err != nil {
		return err
	}
	rate := Rate{c.o.Sound.Rate, 1}
	samples := rate.Frame(c.o.Chunk)
	pcm := make([]int16, int(samples)*c.o.Sound.Channels)
	for n := int64(0); ; n += samples {
		if err := sleepUntil(ctx, start.Add(rate.Time(n+samples))); err != nil {
			return err
		}
		s.Fill(pcm)
		if err := v.Sound(Chunk{PCM: pcm, Number: n}); err != nil {
			return fmt.Errorf("deliver sound: %w", err)
		}
	}
}

func sleepUntil(ctx context.Context, t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// WriteRaw runs the camera and writes I420 pictures to video and little-endian
// 16-bit samples to sound, for the ffmpeg command's rawvideo and s16le; sound
// may be nil. Such data carries no time, so no picture is left out: a reader
// that was slow gets them one upon the other. It ends as Run does, but a
// writer that blocks for ever has to be closed by the caller.
func (c *Camera) WriteRaw(ctx context.Context, video, sound io.Writer) error {
	return c.run(ctx, &rawWriter{video: video, sound: sound}, false)
}

type rawWriter struct {
	video, sound io.Writer
	bytes        []byte
}

func (w *rawWriter) Picture(s Shot) error { return writeAll(w.video, s.I420) }

func (w *rawWriter) Sound(c Chunk) error {
	if w.sound == nil {
		return nil
	}
	w.bytes = appendPCM(w.bytes[:0], c.PCM)
	return writeAll(w.sound, w.bytes)
}

func appendPCM(b []byte, pcm []int16) []byte {
	for _, v := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func writeAll(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write %d bytes: %w", len(b), err)
	}
	return nil
}
