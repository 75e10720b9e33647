package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// rung is one step of the benchmark's ladder, as both sides make it.
type rung struct{ name, width, height, bitrate, maxrate, bufsize string }

var rungs = []rung{
	{"720p", "1280", "720", "2500k", "3000k", "5000k"},
	{"480p", "854", "480", "1200k", "1440k", "2400k"},
	{"360p", "640", "360", "700k", "840k", "1400k"},
}

// benchTranscode makes the same ladder from the same file with the same
// encoder settings, by Millrace and by the ffmpeg command line.
func benchTranscode(ctx context.Context, e *env) error {
	clip, err := benchClip(ctx)
	if err != nil {
		return err
	}
	contenders := []struct {
		name string
		run  func(out string) (usage, error)
	}{
		{"ffmpeg", func(out string) (usage, error) { return measure(ctx, "ffmpeg", ladderArgs(clip, out)...) }},
		{"millrace, three rungs encoded", func(out string) (usage, error) {
			return measure(ctx, e.millrace, "transcode", "--ladder", ladderFlag(), clip, out)
		}},
		{"millrace, auto (top rung copied)", func(out string) (usage, error) {
			return measure(ctx, e.millrace, "transcode", "--ladder", "auto", clip, out)
		}},
	}
	runs := make([][]usage, len(contenders))
	for n := range e.runs {
		for i, c := range contenders {
			out := filepath.Join(e.dir, fmt.Sprintf("transcode-%d-%d", n, i))
			u, err := c.run(out)
			if err != nil {
				return err
			}
			runs[i] = append(runs[i], u)
			if err := os.RemoveAll(out); err != nil {
				return err
			}
		}
	}
	var t table
	t.add("60 s of 720p30 to HLS", "wall", "CPU", "peak memory", "wall ratio", "CPU ratio", "memory ratio")
	peer := medians(runs[0])
	for i, c := range contenders {
		m := medians(runs[i])
		t.add(c.name, seconds(m.wall), seconds(m.cpu), mebibytes(m.memory),
			ratio(m.wall, peer.wall), ratio(m.cpu, peer.cpu), ratio(m.memory, peer.memory))
	}
	t.print()
	return nil
}

// ladderFlag is the ladder in the notation of `millrace transcode --ladder`.
func ladderFlag() string {
	var list []string
	for _, r := range rungs {
		list = append(list, fmt.Sprintf("{name: %s, height: %s, bitrate: %s}", r.name, r.height, r.bitrate))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// ladderArgs is the ffmpeg command line that makes the same.
func ladderArgs(clip, out string) []string {
	graph := "[0:v]split=" + strconv.Itoa(len(rungs))
	for i := range rungs {
		graph += fmt.Sprintf("[s%d]", i)
	}
	var maps, codecs []string
	streams := ""
	for i, r := range rungs {
		graph += fmt.Sprintf(";[s%d]scale=%s:%s[v%d]", i, r.width, r.height, i)
		maps = append(maps, "-map", fmt.Sprintf("[v%d]", i))
		codecs = append(codecs,
			fmt.Sprintf("-b:v:%d", i), r.bitrate, fmt.Sprintf("-maxrate:v:%d", i), r.maxrate, fmt.Sprintf("-bufsize:v:%d", i), r.bufsize)
		streams += fmt.Sprintf("v:%d,agroup:audio,name:%s ", i, r.name)
	}
	args := []string{"-v", "error", "-nostdin", "-i", clip, "-filter_complex", graph}
	args = append(args, maps...)
	args = append(args, "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0")
	args = append(args, codecs...)
	return append(args, "-c:a", "aac", "-b:a", "128k", "-ac", "2",
		"-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
		"-hls_segment_filename", filepath.Join(out, "%v", "%d.m4s"), "-master_pl_name", "index.m3u8",
		"-var_stream_map", streams+"a:0,agroup:audio,name:audio", filepath.Join(out, "%v", "index.m3u8"))
}
