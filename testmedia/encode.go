package testmedia

import (
	"fmt"
	"strconv"
	"strings"
)

// videoEncoders give the ffmpeg options for a codec. One thread each: with
// several the result would differ from run to run.
var videoEncoders = map[string]func(*VideoRecipe) []string{
	"h264": func(v *VideoRecipe) []string {
		params := []string{"threads=1", "sliced-threads=0", "scenecut=0", "b-adapt=0", onOff("open-gop", v.OpenGOP)}
		args := []string{"-c:v", "libx264", "-preset", v.Preset, "-bf", strconv.Itoa(v.BFrames)}
		if v.Interlaced {
			params = append(params, "tff=1")
			args = append(args, "-flags", "+ilme+ildct")
		}
		return append(args, "-x264-params", strings.Join(params, ":"))
	},
	"h265": func(v *VideoRecipe) []string {
		return []string{"-c:v", "libx265", "-preset", v.Preset, "-tag:v", "hvc1", "-x265-params", strings.Join([]string{
			"log-level=error", "pools=none", "frame-threads=1", "scenecut=0", "b-adapt=0", "repeat-headers=1",
			"bframes=" + strconv.Itoa(v.BFrames), "keyint=" + strconv.Itoa(v.GOP), "min-keyint=" + strconv.Itoa(v.GOP), onOff("open-gop", v.OpenGOP),
		}, ":")}
	},
	"vp9": func(*VideoRecipe) []string {
		return []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"}
	},
	"av1": func(*VideoRecipe) []string {
		return []string{"-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1:scd=0"}
	},
}

var audioEncoders = map[string]string{
	"aac": "aac", "opus": "libopus", "pcma": "pcm_alaw", "pcmu": "pcm_mulaw", "mp2": "mp2", "mp3": "libmp3lame",
	"ac3": "ac3", "eac3": "eac3", "flac": "flac",
}

func onOff(name string, on bool) string {
	if on {
		return name + "=1"
	}
	return name + "=0"
}

// encodeArgs are ffmpeg's arguments for making out from the pictures at its
// standard input and the sound file.
func (r Recipe) encodeArgs(sound, out string) []string {
	args := []string{"-hide_banner", "-loglevel", "error", "-nostats", "-y"}
	if v := r.Video; v != nil {
		args = append(args, "-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", fmt.Sprintf("%dx%d", v.Width, v.Height),
			"-framerate", v.Rate.String(), "-thread_queue_size", "8", "-i", "pipe:0")
	}
	if strings.HasSuffix(sound, ".mp3") {
		args = append(args, "-i", sound)
	} else if r.Audio != nil {
		args = append(args, "-f", "s16le", "-ar", strconv.Itoa(r.Audio.Rate), "-ch_layout", channelLayout(r.Audio.Channels), "-i", sound)
	}
	if a := r.Audio; a != nil {
		for _, t := range a.Tones {
			args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:sample_rate=%d:duration=%f,aformat=channel_layouts=%s",
				t.Pitch, a.Rate, r.Duration.Seconds(), channelLayout(a.Channels)))
		}
	}
	var tags []string
	if v := r.Video; v != nil {
		args = append(args, "-map", "0:v", "-vf", v.filters(), "-pix_fmt", v.pixelFormat(), "-fps_mode", "passthrough",
			"-g", strconv.Itoa(v.GOP), "-keyint_min", strconv.Itoa(v.GOP), "-b:v", strconv.Itoa(v.Bitrate),
			"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
		args = append(args, videoEncoders[v.Codec](v)...)
	}
	if a := r.Audio; a != nil {
		input := 0
		if r.Video != nil {
			input = 1
		}
		args = append(args, "-map", fmt.Sprintf("%d:a", input))
		if strings.HasSuffix(sound, ".mp3") {
			args = append(args, "-c:a", "copy")
		} else {
			args = append(args, "-c:a", audioEncoders[a.Codec], "-b:a", strconv.Itoa(a.Bitrate))
		}
		for i, codec := range a.toneCodecs() {
			n := strconv.Itoa(i + 1)
			args = append(args, "-map", fmt.Sprintf("%d:a", input+i+1), "-c:a:"+n, audioEncoders[codec])
			tags = append(tags, "-metadata:s:a:"+n, "language="+a.Tones[i].Language)
		}
		if a.Language != "" {
			tags = append(tags, "-metadata:s:a:0", "language="+a.Language)
		}
	}
	args = append(args, "-map_metadata", "-1")
	args = append(args, tags...)
	args = append(args, "-fflags", "+bitexact", "-flags:a", "+bitexact")
	if r.Container == "mp4" || r.Container == "mov" {
		args = append(args, "-movflags", "+faststart")
	}
	return append(args, out)
}

// rotateArgs mark the picture as turned, in the file and, for H.264, in the
// bitstream too, where it survives protocols.
func (r Recipe) rotateArgs(in, out string) []string {
	back := strconv.Itoa(360 - r.Video.Rotation) // FFmpeg and H.264 count the other way round
	args := []string{
		"-hide_banner", "-loglevel", "error", "-nostats", "-y", "-display_rotation", back,
		"-i", in, "-map", "0", "-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags", "+faststart",
	}
	if r.Video.Codec == "h264" {
		args = append(args, "-bsf:v", "h264_metadata=display_orientation=insert:rotate="+back)
	}
	return append(args, out)
}

func (v *VideoRecipe) filters() string {
	var f []string
	if v.Variable {
		f = append(f, `select=not(eq(mod(n\,5)\,1)+eq(mod(n\,7)\,2))`)
	}
	num, den := v.SampleAspectNum, v.SampleAspectDen
	switch v.Rotation {
	case 90: // the player will turn it clockwise
		f = append(f, "transpose=cclock")
		num, den = den, num
	case 180:
		f = append(f, "hflip", "vflip")
	case 270:
		f = append(f, "transpose=clock")
		num, den = den, num
	}
	if v.Interlaced {
		f = append(f, "setfield=tff")
	}
	return strings.Join(append(f, fmt.Sprintf("setsar=%d/%d", num, den)), ",")
}

func (v *VideoRecipe) pixelFormat() string {
	f := "yuv" + v.Chroma + "p"
	if v.BitDepth > 8 {
		f += strconv.Itoa(v.BitDepth) + "le"
	}
	return f
}

func channelLayout(n int) string {
	switch n {
	case 1:
		return "mono"
	case 2:
		return "stereo"
	case 6:
		return "5.1"
	}
	return strconv.Itoa(n) + "c"
}
