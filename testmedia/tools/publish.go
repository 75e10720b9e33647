package tools

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/testmedia"
)

// Publication says what is published, whereto, and how.
type Publication struct {
	Input string // a file, such as one that Clip returns
	URL   string // rtsp://, rtmp:// or srt://

	Transport string // of RTSP: "tcp", the default, or "udp"
	Loop      bool   // start again at the end, for ever
	Fast      bool   // as fast as it goes instead of in real time

	// Codecs are ffmpeg's output options in place of "-c copy".
	Codecs []string
	// Options are further output options of ffmpeg, Sink are properties of
	// GStreamer's rtspclientsink.
	Options, Sink []string
}

// PublishFFmpeg publishes with ffmpeg until the input or the test ends.
func PublishFFmpeg(t testing.TB, p Publication) *Process {
	t.Helper()
	return Start(t, Command{Path: Find(t, "ffmpeg"), Args: p.ffmpegArgs()})
}

func (p Publication) ffmpegArgs() []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"}
	if !p.Fast {
		args = append(args, "-re")
	}
	if p.Loop {
		args = append(args, "-stream_loop", "-1")
	}
	args = append(args, "-i", p.Input)
	if p.Codecs == nil {
		args = append(args, "-c", "copy")
	}
	args = append(args, p.Codecs...)
	args = append(args, p.Options...)
	scheme, _, _ := strings.Cut(p.URL, ":")
	switch scheme {
	case "rtsp":
		transport := p.Transport
		if transport == "" {
			transport = "tcp"
		}
		args = append(args, "-f", "rtsp", "-rtsp_transport", transport)
	case "rtmp":
		args = append(args, "-f", "flv")
	case "srt":
		args = append(args, "-f", "mpegts")
	}
	return append(args, p.URL)
}

// PublishGStreamer publishes an mp4 clip with GStreamer's rtspclientsink, in
// real time, until the clip or the test ends. The recipe says which tracks are
// in it; Loop, Fast, Codecs and Options are not looked at.
func PublishGStreamer(t testing.TB, p Publication, r testmedia.Recipe) *Process {
	t.Helper()
	launch := Find(t, "gst-launch-1.0")
	transport := p.Transport
	if transport == "" {
		transport = "tcp"
	}
	args := []string{"-e", "rtspclientsink", "name=out", "location=" + p.URL, "protocols=" + transport, "latency=200"}
	args = append(args, p.Sink...)
	args = append(args, "filesrc", "location="+p.Input, "!", "qtdemux", "name=in")
	if r.Video != nil {
		args = append(args, "in.video_0", "!", "queue", "!", map[string]string{"h264": "h264parse", "h265": "h265parse", "vp9": "vp9parse", "av1": "av1parse"}[r.Video.Codec], "!", "out.")
	}
	if r.Audio != nil {
		args = append(args, "in.audio_0", "!", "queue", "!")
		if parser := map[string]string{"aac": "aacparse", "opus": "opusparse", "mp2": "mpegaudioparse", "mp3": "mpegaudioparse"}[r.Audio.Codec]; parser != "" {
			args = append(args, parser, "!")
		}
		args = append(args, "out.")
	}
	return Start(t, Command{Path: launch, Args: args})
}

// RecordVLC plays a URL with VLC without a screen and writes what VLC decoded,
// pictures only, to a new file; Read looks into it. VLC stops by itself when
// the stream ends.
func RecordVLC(t testing.TB, url string, options ...string) (file string, p *Process) {
	t.Helper()
	dir := unprivilegedDir(t)
	file = filepath.Join(dir, "vlc.ts")
	args := append([]string{
		"-I", "dummy", "--no-media-library", "--no-audio", "--no-spu", "--play-and-exit",
		"--sout", "#transcode{vcodec=mp2v,vb=4000,acodec=none}:std{access=file,mux=ts,dst=" + file + "}",
	}, options...)
	return file, Start(t, Command{
		Path: Find(t, "cvlc"), Args: append(args, url, "vlc://quit"), Unprivileged: true, Dir: dir,
		Env: []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir},
	})
}
