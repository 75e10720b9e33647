package testmedia

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Epoch is the wall-clock time that the first picture of every clip shows, and
// of the first sample of its sound: a picture's time in the clip is its
// stamp's distance from Epoch.
var Epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// Recipe says how a clip is made. Two clips of one recipe have the same
// content; a zero value means the default that the field names.
type Recipe struct {
	Name     string
	Duration time.Duration // 6 s
	Video    *VideoRecipe  // nil: audio only
	Audio    *AudioRecipe  // nil: video only

	// Container is "mp4", "mov", "mkv" or "ts"; by default mp4, or mov for
	// G.711. The first two keep time exactly, mkv rounds it to milliseconds.
	Container string
}

// VideoRecipe is the picture's part of a Recipe.
type VideoRecipe struct {
	Codec         string // "h264", "h265", "vp9" or "av1"
	Width, Height int    // as displayed upright, before rotation: 640x360
	Rate          Rate   // 25

	// Variable leaves out frames so that distances are one, two or three
	// frames of Rate. Frame numbers stay consecutive.
	Variable bool

	BFrames int // between two other frames; 0 none
	GOP     int // frames between keyframes: two seconds of Rate
	OpenGOP bool

	// Interlaced clips have two fields a frame, the top one first.
	Interlaced bool

	// Rotation is by how many degrees clockwise a player has to turn the
	// coded picture: 0, 90, 180 or 270. The strip is upright after that.
	Rotation int

	// SampleAspectNum and SampleAspectDen are the pixels' shape.
	SampleAspectNum, SampleAspectDen int

	BitDepth int     // 8 or 10
	Chroma   string  // "420", "422", "444"
	Bitrate  int     // bits/s, a suggestion to the encoder: 600 kbit/s
	Preset   string  // of x264 and x265: veryfast, ultrafast
	Detail   float64 // see PictureOptions
}

// AudioRecipe is the sound's part of a Recipe.
type AudioRecipe struct {
	Codec    string // "aac", "opus", "pcma", "pcmu", "mp2", "mp3", "ac3", "eac3" or "flac"
	Rate     int    // 48000, or 8000 for G.711
	Channels int    // 2, or 1 for G.711
	Bitrate  int    // bits/s: 64 kbit/s a channel

	Language string `json:",omitempty"` // ISO 639-2; unknown

	// Tones are further tracks, of the same rate and number of channels.
	Tones []ToneRecipe `json:",omitempty"`
}

// ToneRecipe is a track with nothing but a steady tone.
type ToneRecipe struct {
	Pitch    int    // Hz
	Codec    string // as that of the first track
	Language string
}

func (a *AudioRecipe) toneCodecs() []string {
	var list []string
	for _, t := range a.Tones {
		list = append(list, cmp.Or(t.Codec, a.Codec))
	}
	return list
}

// Frames is the number of pictures in the clip.
func (r Recipe) Frames() int {
	r = r.Complete()
	if r.Video == nil {
		return 0
	}
	return len(r.slots())
}

// PTS is when picture n of the clip is shown.
func (r Recipe) PTS(n int) time.Duration {
	r = r.Complete()
	return r.Video.Rate.Time(r.slots()[n])
}

// slots returns which frames of the rate carry pictures.
func (r Recipe) slots() []int64 {
	total := r.Video.Rate.Frame(r.Duration-1) + 1
	slots := make([]int64, 0, total)
	for n := range total {
		if !r.Video.Variable || n%5 != 1 && n%7 != 2 {
			slots = append(slots, n)
		}
	}
	return slots
}

// Size is the size of the picture as displayed with square pixels.
func (r Recipe) Size() (width, height int) {
	v := r.Complete().Video
	if v == nil {
		return 0, 0
	}
	return v.Width * v.SampleAspectNum / v.SampleAspectDen, v.Height
}

// Complete returns the recipe with its defaults filled in.
func (r Recipe) Complete() Recipe {
	r.Duration = cmp.Or(r.Duration, 6*time.Second)
	if r.Video != nil {
		v := *r.Video
		v.Width, v.Height = cmp.Or(v.Width, 640), cmp.Or(v.Height, 360)
		v.Rate = cmp.Or(v.Rate, PAL)
		v.GOP = cmp.Or(v.GOP, int(v.Rate.Frame(2*time.Second+v.Rate.Time(1)/2)))
		v.SampleAspectNum, v.SampleAspectDen = cmp.Or(v.SampleAspectNum, 1), cmp.Or(v.SampleAspectDen, 1)
		v.BitDepth = cmp.Or(v.BitDepth, 8)
		v.Chroma = cmp.Or(v.Chroma, "420")
		v.Bitrate = cmp.Or(v.Bitrate, 600_000)
		v.Preset = cmp.Or(v.Preset, map[string]string{"h265": "ultrafast"}[v.Codec], "veryfast")
		r.Video = &v
	}
	container := "mp4"
	if r.Audio != nil {
		a := *r.Audio
		rate, channels := 48000, 2
		if a.Codec == "pcma" || a.Codec == "pcmu" {
			rate, channels, container = 8000, 1, "mov"
		}
		a.Rate, a.Channels = cmp.Or(a.Rate, rate), cmp.Or(a.Channels, channels)
		a.Bitrate = cmp.Or(a.Bitrate, 64_000*a.Channels)
		r.Audio = &a
	}
	r.Container = cmp.Or(r.Container, container)
	return r
}

// check says what cannot be made.
func (r Recipe) check() error {
	if r.Video == nil && r.Audio == nil {
		return fmt.Errorf("recipe %q has neither video nor audio", r.Name)
	}
	if r.Duration < 0 || r.Duration > time.Hour {
		return fmt.Errorf("recipe %q lasts %v: not within an hour", r.Name, r.Duration)
	}
	if strings.ContainsAny(r.Name, `/\`) || r.Name == "" {
		return fmt.Errorf("recipe %q: the name is no file name", r.Name)
	}
	if v := r.Video; v != nil {
		if videoEncoders[v.Codec] == nil {
			return fmt.Errorf("recipe %q: unknown video codec %q", r.Name, v.Codec)
		}
		if v.Rotation%90 != 0 || v.Rotation < 0 || v.Rotation > 270 {
			return fmt.Errorf("recipe %q: rotation %d is not 0, 90, 180 or 270", r.Name, v.Rotation)
		}
		if v.Rotation != 0 && r.Container != "mp4" && r.Container != "mov" {
			return fmt.Errorf("recipe %q: %s files do not carry rotation here", r.Name, r.Container)
		}
		if !v.Rate.Valid() {
			return fmt.Errorf("recipe %q: %v is no frame rate", r.Name, v.Rate)
		}
		if v.Interlaced && v.Codec != "h264" {
			return fmt.Errorf("recipe %q: only h264 is made interlaced", r.Name)
		}
	}
	if a := r.Audio; a != nil {
		for _, codec := range append([]string{a.Codec}, a.toneCodecs()...) {
			if audioEncoders[codec] == "" {
				return fmt.Errorf("recipe %q: unknown audio codec %q", r.Name, codec)
			}
		}
	}
	return nil
}

// recipeVersion grows whenever the same recipe makes another clip.
const recipeVersion = 2

// fileName is unique for everything that decides the content.
func (r Recipe) fileName() (string, error) {
	b, err := json.Marshal(struct {
		Version int
		Recipe
	}{recipeVersion, r})
	if err != nil {
		return "", fmt.Errorf("name clip: %w", err)
	}
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%s-%s.%s", r.Name, hex.EncodeToString(sum[:6]), r.Container), nil
}
