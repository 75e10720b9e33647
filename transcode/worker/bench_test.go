package worker

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// benchClip is 720p30 with movement and grain, and sound. MILLRACE_BENCH_CLIP
// names another.
func benchClip(b *testing.B, seconds string) string {
	if path := os.Getenv("MILLRACE_BENCH_CLIP"); path != "" {
		return path
	}
	return clip(b, "bench.mp4", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d="+seconds, "-f", "lavfi", "-i", "sine=1000:d="+seconds,
		"-vf", "noise=alls=12:allf=t+u", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "5M", "-g", "60", "-c:a", "aac", "-ac", "2")
}

var benchRungs = []struct{ width, height, bitrate int }{{1280, 720, 2500000}, {854, 480, 1200000}, {640, 360, 700000}}

func benchGraph(live bool, tracks []*media.Track) wire.Graph {
	var rungs []wire.Picture
	for _, r := range benchRungs {
		rungs = append(rungs, wire.Picture{Width: r.width, Height: r.height})
	}
	g := ladder(live, tracks, rungs...)
	i := 0
	for _, n := range g.Nodes {
		if n.Kind == wire.NodeEncode && n.Encode.Codec == media.H264 {
			bits := benchRungs[i].bitrate
			n.Encode.Bitrate, n.Encode.MaxBitrate, n.Encode.BufSize = bits, bits*3/2, bits*2
			i++
		}
	}
	return g
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFile makes the ladder of a file, demuxed in this process, through a
// worker, beside the ffmpeg command making the same to HLS.
func BenchmarkFile(b *testing.B) {
	path := benchClip(b, "20")
	b.Run("millrace", func(b *testing.B) {
		for b.Loop() {
			before := cpu(syscall.RUSAGE_SELF)
			d, err := libav.OpenInput(b.Context(), path)
			if err != nil {
				b.Fatal(err)
			}
			tracks := d.Tracks()
			p := startWorker(b, wire.RoleStream)
			p.send(&wire.Job{Name: "bench", Graph: benchGraph(false, tracks)})
			c := &cutter{every: 2 * int64(tracks[0].ClockRate)}
			frames := 0
			for {
				pk, err := d.Read(b.Context())
				if err != nil {
					break
				}
				if pk.Track.Kind == media.Video {
					frames++
				}
				c.place(p, pk)
			}
			d.Close()
			p.drain()
			p.bye()
			for name, out := range p.outputs {
				if name != "audio" && len(out) != frames {
					b.Errorf("%s: %d frames of %d", name, len(out), frames)
				}
			}
			b.ReportMetric((cpu(syscall.RUSAGE_SELF)-before).Seconds()/float64(1), "cpu-s")
			b.ReportMetric(float64(peak(b))/(1<<20), "MiB")
		}
	})
	b.Run("ffmpeg", func(b *testing.B) {
		for b.Loop() {
			before := cpu(syscall.RUSAGE_CHILDREN)
			dir := b.TempDir()
			cmd := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-i", path, "-filter_complex",
				"[0:v]split=3[a][b][c];[a]scale=1280:720[v0];[b]scale=854:480[v1];[c]scale=640:360[v2]",
				"-map", "[v0]", "-map", "[v1]", "-map", "[v2]", "-map", "0:a",
				"-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0",
				"-b:v:0", "2500k", "-maxrate:v:0", "3750k", "-bufsize:v:0", "5000k",
				"-b:v:1", "1200k", "-maxrate:v:1", "1800k", "-bufsize:v:1", "2400k",
				"-b:v:2", "700k", "-maxrate:v:2", "1050k", "-bufsize:v:2", "1400k",
				"-c:a", "aac", "-b:a", "128k", "-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4",
				"-hls_playlist_type", "vod", "-var_stream_map", "v:0,agroup:a v:1,agroup:a v:2,agroup:a a:0,agroup:a",
				"-hls_segment_filename", filepath.Join(dir, "%v_%d.m4s"), filepath.Join(dir, "%v.m3u8"))
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			b.ReportMetric((cpu(syscall.RUSAGE_CHILDREN) - before).Seconds(), "cpu-s")
			if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				b.ReportMetric(float64(u.Maxrss)/1024, "MiB")
			}
		}
	})
}

func peak(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Maxrss << 10
}
