package clip

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

var avcConfig, _ = hex.DecodeString("0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b92010004" + "68cb83cb20")

var began = time.Date(2026, 1, 31, 20, 15, 0, 0, time.UTC)

// tracks are ten segments of two seconds at 25 frames a second, a keyframe each
// second, with pictures that are reordered by b frames, and sound. The stream
// has run for an hour.
func tracks(t *testing.T, b int32) []Track {
	t.Helper()
	section := func(track *media.Track) func() ([]byte, error) {
		init, err := fmp4.Init(track, fmp4.Bitrates{})
		return func() ([]byte, error) { return init, err }
	}
	video := Track{Video: true}
	picture := section(&media.Track{Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig, Width: 320, Height: 180})
	audio := Track{}
	sound := section(&media.Track{Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Config: []byte{0x11, 0x90}, SampleRate: 48000, Channels: 2})
	const hour = 3600
	for n := range 10 {
		var samples []fmp4.Sample
		for i := range 50 {
			samples = append(samples, fmp4.Sample{Duration: 3600, Offset: b * 3600, Key: i%25 == 0, Payload: fmt.Appendf(nil, "v%03d", n*50+i)})
		}
		base := uint64((hour+2*n)*90000) - uint64(b)*3600
		video.Segments = append(video.Segments, segment(began.Add(time.Duration(2*n)*time.Second), 2*time.Second, picture, base, 3600, samples))

		first := ((hour+2*n)*48000 + 1023) / 1024
		last := ((hour+2*n+2)*48000 + 1023) / 1024
		samples = nil
		for i := first; i < last; i++ {
			samples = append(samples, fmp4.Sample{Duration: 1024, Key: true, Payload: []byte("aaaa")})
		}
		at := began.Add(media.Duration(int64(first)*1024-hour*48000, 48000))
		audio.Segments = append(audio.Segments, segment(at, media.Duration(int64(last-first)*1024, 48000), sound, uint64(first*1024), 1024, samples))
	}
	return []Track{video, audio}
}

// segment is one of four fragments.
func segment(at time.Time, d time.Duration, section func() ([]byte, error), base uint64, each int, samples []fmp4.Sample) Segment {
	var b []byte
	for k := range 4 {
		part := samples[len(samples)*k/4 : len(samples)*(k+1)/4]
		b = fmp4.AppendFragment(b, uint32(k+1), base+uint64(len(samples)*k/4*each), part)
		for _, s := range part {
			b = append(b, s.Payload...)
		}
	}
	return Segment{Start: at, Duration: d, Init: "init", Section: section, Read: func() ([]byte, error) { return b, nil }}
}

// written reads a clip back.
func written(t *testing.T, c *Clip) (video, audio []fmp4.Fragment) {
	t.Helper()
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes of %d, %v", n, b.Len(), err)
	}
	all, err := fmp4.ReadFragments(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range all {
		if f.Sequence != uint32(i+1) {
			t.Errorf("fragment %d has the number %d", i, f.Sequence)
		}
		if f.TrackID == 1 {
			video = append(video, f)
		} else {
			audio = append(audio, f)
		}
	}
	return video, audio
}

func span1(fragments []fmp4.Fragment, rate int) (start, length time.Duration, samples int) {
	for i, f := range fragments {
		if i > 0 && f.Base != fragments[i-1].Base+fragments[i-1].Duration() {
			samples = -1 << 30 // a hole
		}
		samples += len(f.Samples)
		length += media.Duration(int64(f.Duration()), rate)
	}
	return media.Duration(int64(fragments[0].Base), rate), length, samples
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		from, to time.Duration
		b        int32
		first    int // frame
		frames   int
	}{
		{4 * time.Second, 8 * time.Second, 0, 100, 100},
		{4*time.Second + 900*time.Microsecond, 8 * time.Second, 0, 100, 100},
		{3*time.Second + 999400*time.Microsecond, 8 * time.Second, 0, 100, 100}, // by a date of a playlist
		{5 * time.Second, 8 * time.Second, 0, 125, 75},
		{5900 * time.Millisecond, 8 * time.Second, 0, 125, 75},
		{5 * time.Second, 5100 * time.Millisecond, 0, 125, 3},
		{5 * time.Second, 8 * time.Second, 2, 125, 75},
		{-time.Hour, time.Second, 0, 0, 25},
		{19 * time.Second, time.Hour, 0, 475, 25},
		{0, 20 * time.Second, 0, 0, 500},
	} {
		t.Run(fmt.Sprintf("%v-%v", c.from, c.to), func(t *testing.T) {
			clip, err := Cut(tracks(t, c.b), began.Add(c.from), began.Add(c.to))
			if err != nil {
				t.Fatal(err)
			}
			if want := began.Add(time.Duration(c.first) * 40 * time.Millisecond); !clip.Start.Equal(want) {
				t.Errorf("it starts at %v", clip.Start)
			}
			video, audio := written(t, clip)
			if first := video[0].Samples[0]; !first.Key || string(first.Payload) != fmt.Sprintf("v%03d", c.first) {
				t.Errorf("it begins with %q", first.Payload)
			}
			start, length, frames := span1(video, 90000)
			if start != 0 || frames != c.frames {
				t.Errorf("%d frames from %v", frames, start)
			}
			start, sound, frames := span1(audio, 48000)
			if start > 22*time.Millisecond || (start+sound-length).Abs() > 45*time.Millisecond || frames < 1 {
				t.Errorf("%v of sound from %v beside %v of pictures", sound, start, length)
			}
		})
	}
}

func TestCutRefuses(t *testing.T) {
	changed := tracks(t, 0)
	changed[0].Segments[5].Init = "other"
	for name, c := range map[string]struct {
		tracks   []Track
		from, to time.Duration
		want     error
	}{
		"before":    {tracks(t, 0), -time.Minute, -time.Second, ErrNothing},
		"after":     {tracks(t, 0), time.Minute, 2 * time.Minute, ErrNothing},
		"too long":  {tracks(t, 0), 0, MaxLength + 1, ErrTooLong},
		"a change":  {changed, 9 * time.Second, 11 * time.Second, ErrChanges},
		"no change": {changed, 2 * time.Second, 9 * time.Second, nil},
		"empty":     {[]Track{{Video: true}}, 0, time.Second, ErrNothing},
	} {
		if _, err := Cut(c.tracks, began.Add(c.from), began.Add(c.to)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestCutOfAGap lets time go on where segments are missing.
func TestCutOfAGap(t *testing.T) {
	all := tracks(t, 0)
	all[0].Segments = append(all[0].Segments[:3:3], all[0].Segments[5:]...)
	clip, err := Cut(all, began.Add(4*time.Second), began.Add(12*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	video, _ := written(t, clip)
	if last := video[len(video)-1]; media.Duration(int64(last.Base+last.Duration()), 90000) != 8*time.Second {
		t.Errorf("it ends at %v", media.Duration(int64(last.Base+last.Duration()), 90000))
	}
}
