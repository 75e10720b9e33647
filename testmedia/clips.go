package testmedia

import (
	"fmt"
	"slices"
	"time"
)

func aac() *AudioRecipe  { return &AudioRecipe{Codec: "aac"} }
func opus() *AudioRecipe { return &AudioRecipe{Codec: "opus"} }

// GermanPitch (Hz) is what is heard in the second language of
// h264-languages; the first one has the usual sound.
const GermanPitch = 3000

// Clips lists the ready recipes: what cameras, encoders and telephones send.
// Changing a copy makes another clip, so "the same, but longer" is a matter of
// Duration.
func Clips() []Recipe {
	return []Recipe{
		{Name: "h264", Video: &VideoRecipe{Codec: "h264"}, Audio: aac()},
		{Name: "h264-b", Video: &VideoRecipe{Codec: "h264", BFrames: 3}, Audio: aac()},
		{Name: "h264-23.976", Video: &VideoRecipe{Codec: "h264", Rate: Film}, Audio: aac()},
		{Name: "h264-29.97", Video: &VideoRecipe{Codec: "h264", Rate: NTSC, BFrames: 2}, Audio: aac()},
		{Name: "h264-30", Video: &VideoRecipe{Codec: "h264", Rate: FPS30}, Audio: aac()},
		{Name: "h264-50", Video: &VideoRecipe{Codec: "h264", Rate: FPS50}, Audio: aac()},
		{Name: "h264-59.94", Video: &VideoRecipe{Codec: "h264", Rate: NTSC60, BFrames: 2}, Audio: aac()},
		{Name: "h264-60", Video: &VideoRecipe{Codec: "h264", Rate: FPS60}, Audio: aac()},
		{Name: "h264-vfr", Video: &VideoRecipe{Codec: "h264", Rate: FPS30, Variable: true}, Audio: aac()},
		{Name: "h264-720p30", Video: &VideoRecipe{Codec: "h264", Width: 1280, Height: 720, Rate: FPS30, Bitrate: 2_500_000}, Audio: aac()},
		{Name: "h264-long-gop", Duration: 21 * time.Second, Video: &VideoRecipe{Codec: "h264", GOP: 250}, Audio: aac()},
		{Name: "h264-open-gop", Video: &VideoRecipe{Codec: "h264", BFrames: 3, OpenGOP: true}, Audio: aac()},
		{Name: "h264-portrait", Video: &VideoRecipe{Codec: "h264", Width: 360, Height: 640, Rate: FPS30, Rotation: 90}, Audio: aac()},
		{Name: "h264-upside-down", Video: &VideoRecipe{Codec: "h264", Rotation: 180}, Audio: aac()},
		{Name: "h264-4x3", Video: &VideoRecipe{Codec: "h264", Width: 352, Height: 288, SampleAspectNum: 12, SampleAspectDen: 11}, Audio: aac()},
		{Name: "h264-interlaced", Video: &VideoRecipe{Codec: "h264", Width: 720, Height: 576, SampleAspectNum: 16, SampleAspectDen: 15, Interlaced: true, Bitrate: 1_500_000}, Audio: aac()},
		{Name: "h264-10bit", Video: &VideoRecipe{Codec: "h264", BitDepth: 10}, Audio: aac()},
		{Name: "h264-422", Video: &VideoRecipe{Codec: "h264", Chroma: "422"}, Audio: aac()},
		{Name: "h264-silent", Video: &VideoRecipe{Codec: "h264"}},
		{Name: "h264-opus", Video: &VideoRecipe{Codec: "h264"}, Audio: opus()},
		{Name: "h264-pcma", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "pcma"}},
		{Name: "h264-pcmu", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "pcmu"}},
		{Name: "h264-mp2", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "mp2"}},
		{Name: "h264-mp3", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "mp3"}},
		{Name: "h264-ac3", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "ac3"}},
		{Name: "h264-eac3", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "eac3"}},
		{Name: "h264-flac", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "flac"}},
		{Name: "h264-languages", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{
			Codec: "aac", Language: "eng", Tones: []ToneRecipe{{Pitch: GermanPitch, Language: "ger"}},
		}},
		{Name: "h264-aac-mono", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "aac", Rate: 44100, Channels: 1}},
		{Name: "h264-aac-5.1", Video: &VideoRecipe{Codec: "h264"}, Audio: &AudioRecipe{Codec: "aac", Channels: 6}},
		{Name: "h265", Video: &VideoRecipe{Codec: "h265"}, Audio: aac()},
		{Name: "h265-b", Video: &VideoRecipe{Codec: "h265", Rate: FPS30, BFrames: 3}, Audio: aac()},
		{Name: "h265-10bit", Video: &VideoRecipe{Codec: "h265", BitDepth: 10}, Audio: aac()},
		{Name: "h265-portrait", Video: &VideoRecipe{Codec: "h265", Width: 360, Height: 640, Rotation: 90}, Audio: aac()},
		{Name: "h265-silent", Video: &VideoRecipe{Codec: "h265"}},
		{Name: "vp9", Video: &VideoRecipe{Codec: "vp9"}, Audio: opus()},
		{Name: "av1", Video: &VideoRecipe{Codec: "av1"}, Audio: opus()},
		{Name: "aac", Audio: aac()},
		{Name: "opus", Audio: opus()},
		{Name: "pcma", Audio: &AudioRecipe{Codec: "pcma"}},
		{Name: "pcmu", Audio: &AudioRecipe{Codec: "pcmu"}},
		{Name: "mp2", Audio: &AudioRecipe{Codec: "mp2"}},
		{Name: "mp3", Audio: &AudioRecipe{Codec: "mp3"}},
		BenchClip(),
	}
}

// BenchClip is what benchmarks transcode: one minute of 720p at 30 frames a
// second with fine moving texture, B-frames and AAC.
func BenchClip() Recipe {
	return Recipe{
		Name: "bench", Duration: time.Minute, Audio: aac(),
		Video: &VideoRecipe{Codec: "h264", Width: 1280, Height: 720, Rate: FPS30, BFrames: 3, Bitrate: 4_000_000, Detail: 0.6},
	}
}

// Clip returns one of Clips by its name.
func Clip(name string) (Recipe, error) {
	clips := Clips()
	i := slices.IndexFunc(clips, func(r Recipe) bool { return r.Name == name })
	if i < 0 {
		return Recipe{}, fmt.Errorf("find clip: there is none named %q", name)
	}
	return clips[i], nil
}
