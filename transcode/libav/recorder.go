package libav

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// RecorderOptions describes what a Recorder is given and what it makes of it.
type RecorderOptions struct {
	Width, Height int
	FrameRate     media.Rational
	GOP           int // pictures from one keyframe to the next
	Bitrate       int // bits/s; 0 chooses
	Preset        string

	// SampleRate of 0 is a recorder without sound.
	SampleRate, Channels int
	AudioBitrate         int // bits/s; 0 chooses
}

// Recorder encodes raw pictures and sound as a camera does: H.264 without delay
// and AAC. Picture and Sound may be called at the same time, each by one
// goroutine.
type Recorder struct {
	o         RecorderOptions
	video     *VideoEncoder
	audio     *AudioEncoder
	resampler *Resampler
	tracks    []*media.Track

	key        int64 // number of the last keyframe
	fed        bool
	base, read int64 // first sample and the number of samples encoded
	heard      bool
}

// recorderClock is video's.
const recorderClock = 90000

// OpenRecorder opens the encoders. The caller must Close it.
func OpenRecorder(o RecorderOptions) (_ *Recorder, err error) {
	if !o.FrameRate.Known() {
		return nil, fmt.Errorf("open recorder: frame rate of %s: %w", o.FrameRate, ErrShape)
	}
	if o.Bitrate == 0 {
		// A tenth of a bit a pixel suits a moving test picture.
		o.Bitrate = int(float64(o.Width*o.Height) * o.FrameRate.Float() / 10)
	}
	if o.GOP <= 0 {
		o.GOP = int(2*o.FrameRate.Float() + 0.5)
	}
	r := &Recorder{o: o}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	r.video, err = OpenVideoEncoder(VideoEncoderOptions{
		Codec: media.H264, Width: o.Width, Height: o.Height, ClockRate: recorderClock, FrameRate: o.FrameRate,
		Bitrate: o.Bitrate, MaxBitrate: o.Bitrate, BufSize: o.Bitrate, Preset: o.Preset, Threads: 1, LowLatency: true,
	}, nil)
	if err != nil {
		return nil, err
	}
	r.tracks = append(r.tracks, numbered(r.video.Track(), 0))
	if o.SampleRate == 0 {
		return r, nil
	}
	if o.AudioBitrate == 0 {
		o.AudioBitrate = 64000 * o.Channels
	}
	r.audio, err = OpenAudioEncoder(AudioEncoderOptions{
		Codec: media.AAC, SampleRate: o.SampleRate, Channels: o.Channels, Bitrate: o.AudioBitrate,
	})
	if err != nil {
		return nil, err
	}
	if r.resampler, err = NewResampler(r.audio); err != nil {
		return nil, err
	}
	r.tracks = append(r.tracks, numbered(r.audio.Track(), 1))
	return r, nil
}

func numbered(t *media.Track, id int) *media.Track {
	n := *t
	n.ID = id
	return &n
}

// Tracks are video and, where there is sound, audio.
func (r *Recorder) Tracks() []*media.Track { return r.tracks }

// Picture encodes picture number n, counted in the frame rate from zero on;
// numbers may be left out. See NewPicture for i420.
func (r *Recorder) Picture(i420 []byte, n int64, emit func(*media.Packet) error) error {
	pts := media.Rescale(n*int64(r.o.FrameRate.Den), r.o.FrameRate.Num, recorderClock)
	f, err := NewPicture(r.o.Width, r.o.Height, i420, pts)
	if err != nil {
		return err
	}
	defer f.Close()
	key := !r.fed || n-r.key >= int64(r.o.GOP)
	if key {
		r.fed, r.key = true, n
	}
	return r.video.Encode(f, key, func(p *media.Packet) error {
		p.Track = r.tracks[0]
		p.Duration = media.Rescale(int64(r.o.FrameRate.Den), r.o.FrameRate.Num, recorderClock)
		return emit(p)
	})
}

// Sound encodes samples, of which the first has number n, counted from zero
// on. There may be no holes. Packets come in whole frames and lie an encoder's
// delay before their samples, none before zero.
func (r *Recorder) Sound(pcm []int16, n int64, emit func(*media.Packet) error) error {
	if r.audio == nil {
		return nil
	}
	if !r.heard {
		r.heard, r.base = true, n
	}
	f, err := NewSamples(r.o.SampleRate, r.o.Channels, pcm, n)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := r.resampler.Push(f, 0); err != nil {
		return err
	}
	for {
		got, err := r.resampler.Read(r.base+r.read, false, func(f *Frame) error {
			return r.audio.Encode(f, func(p *media.Packet) error {
				if p.PTS < 0 {
					return nil
				}
				p.Track = r.tracks[1]
				return emit(p)
			})
		})
		if got == 0 || err != nil {
			return err
		}
		r.read += int64(got)
	}
}

// Close frees the encoders. It may be called twice.
func (r *Recorder) Close() {
	if r.video != nil {
		r.video.Close()
	}
	if r.resampler != nil {
		r.resampler.Close()
	}
	if r.audio != nil {
		r.audio.Close()
	}
}
