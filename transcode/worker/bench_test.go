package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/libav"
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

func benchPlan(b *testing.B, tracks []*media.Track, live bool) *transcode.Plan {
	b.Helper()
	plan, err := transcode.NewPlan(tracks, transcode.Policy{
		Mode: transcode.Explicit, Live: live, LowLatency: live,
		Rungs: []transcode.Rung{{Height: 720, Bitrate: 2500000}, {Height: 480, Bitrate: 1200000}, {Height: 360, Bitrate: 700000}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range plan.Renditions {
		// AAC would be copied; here it is made, as the command makes it.
		if r := &plan.Renditions[i]; r.Kind == media.Audio && r.Copy {
			r.Copy, r.Codec, r.Bitrate, r.SampleRate, r.Channels = false, media.AAC, 128000, 48000, 2
		}
	}
	return plan
}

// tally is an Output that counts.
type tally struct {
	frames  atomic.Int64
	bytes   atomic.Int64
	mu      sync.Mutex
	latency []time.Duration
}

func (c *tally) Packet(rendition string, p media.Placed) {
	c.bytes.Add(int64(len(p.Payload)))
	if rendition == "720p" {
		c.frames.Add(1)
		c.mu.Lock()
		c.latency = append(c.latency, media.Now()-p.Arrival)
		c.mu.Unlock()
	}
}
func (c *tally) WorkerLost(error) {}
func (c *tally) Failed(error)     {}

// status reads a figure of a process in KiB.
func status(pid int, name string) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err == nil {
				return n
			}
		}
	}
	return 0
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFile makes the ladder of a file, demuxed in this process, through a
// worker process, beside the ffmpeg command making the same to HLS. CPU is of
// all processes, memory is the worker's (or ffmpeg's) peak.
func BenchmarkFile(b *testing.B) {
	path := benchClip(b, "20")
	b.Run("millrace", func(b *testing.B) {
		for b.Loop() {
			before := cpu(syscall.RUSAGE_SELF) + cpu(syscall.RUSAGE_CHILDREN)
			d, err := libav.OpenInput(b.Context(), path)
			if err != nil {
				b.Fatal(err)
			}
			out := &tally{}
			s, err := supervisor(b).Start(b.Context(), transcode.Job{Name: "bench", Plan: benchPlan(b, d.Tracks(), false), Output: out})
			if err != nil {
				b.Fatal(err)
			}
			frames := feedSession(b, d, s, nil)
			d.Close()
			if err := s.Drain(b.Context()); err != nil {
				b.Fatal(err)
			}
			memory := status(s.Stats().PID, "VmHWM")
			s.Close()
			if out.frames.Load() != frames {
				b.Errorf("%d frames of %d", out.frames.Load(), frames)
			}
			b.ReportMetric((cpu(syscall.RUSAGE_SELF) + cpu(syscall.RUSAGE_CHILDREN) - before).Seconds(), "cpu-s")
			b.ReportMetric(float64(memory)/1024, "MiB")
			b.ReportMetric(float64(out.bytes.Load())/1e6, "MB")
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
				"-b:v:0", "2500k", "-maxrate:v:0", "3000k", "-bufsize:v:0", "3000k",
				"-b:v:1", "1200k", "-maxrate:v:1", "1440k", "-bufsize:v:1", "1440k",
				"-b:v:2", "700k", "-maxrate:v:2", "840k", "-bufsize:v:2", "840k",
				"-c:a", "aac", "-b:a", "128k", "-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4",
				"-hls_playlist_type", "vod", "-var_stream_map", "v:0,agroup:a v:1,agroup:a v:2,agroup:a a:0,agroup:a",
				"-hls_segment_filename", filepath.Join(dir, "%v_%d.m4s"), filepath.Join(dir, "%v.m3u8"))
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			b.ReportMetric((cpu(syscall.RUSAGE_CHILDREN) - before).Seconds(), "cpu-s")
			b.ReportMetric(float64(size(b, dir))/1e6, "MB")
		}
	})
}

func size(b *testing.B, dir string) (bytes int64) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.m4s"))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		if s, err := os.Stat(f); err == nil {
			bytes += s.Size()
		}
	}
	return bytes
}

// feedSession gives a session what a demuxer reads, with a cut every two seconds, and
// returns the number of pictures. pace, where set, waits until a packet is due.
func feedSession(b *testing.B, d *libav.Demuxer, s *transcode.Session, pace func(*media.Packet)) (frames int64) {
	b.Helper()
	segment, next := uint64(1), int64(0)
	for {
		p, err := d.Read(b.Context())
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			b.Fatal(err)
		}
		if pace != nil {
			pace(p)
		}
		p.Arrival = media.Now()
		if p.Track.Kind == media.Video {
			frames++
			if p.PTS >= next {
				next = p.PTS + 2*int64(p.Track.ClockRate)
				segment++
				s.Cut(media.Cut{Segment: segment, Discontinuity: 1, PTS: p.PTS, ClockRate: p.Track.ClockRate})
			}
		}
		if err := s.Write(media.Placed{Packet: p, Segment: segment, Discontinuity: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLive makes the same ladder in real time, for latency, the worker's
// memory, and CPU as a share of a core.
func BenchmarkLive(b *testing.B) {
	path := clip(b, "live.mp4", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=10", "-f", "lavfi", "-i", "sine=1000:d=10",
		"-vf", "noise=alls=12:allf=t+u", "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-b:v", "5M", "-g", "60", "-c:a", "aac", "-ac", "2")
	for b.Loop() {
		d, err := libav.OpenInput(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		out := &tally{}
		s, err := supervisor(b).Start(b.Context(), transcode.Job{Name: "bench", Plan: benchPlan(b, d.Tracks(), true), Output: out})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		feedSession(b, d, s, func(p *media.Packet) {
			<-time.After(time.Until(start.Add(media.Duration(p.DTS, p.Track.ClockRate) - time.Second)))
		})
		d.Close()
		took := time.Since(start)
		memory, cpu := status(s.Stats().PID, "VmHWM"), s.Stats().CPU
		s.Close()
		slices.Sort(out.latency)
		b.ReportMetric(float64(out.latency[len(out.latency)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(out.latency[len(out.latency)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(cpu.Seconds()/took.Seconds(), "cores")
		b.ReportMetric(float64(memory)/1024, "MiB")
	}
}
