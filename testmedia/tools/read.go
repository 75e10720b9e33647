package tools

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// ReadOptions says what Read looks at.
type ReadOptions struct {
	// Input are ffmpeg's options for the input, such as
	// "-rtsp_transport", "udp".
	Input []string

	// Length is how much is read, counted in the source's time from its
	// first picture or sample; zero is to the end.
	Length time.Duration

	NoVideo, NoAudio bool

	// Video and Audio choose streams as ffmpeg's -map does: "0:v:0".
	Video, Audio string

	// Filter is put before the strip is read, such as "bwdif".
	Filter string

	// Each is called with every picture as it is decoded, from a goroutine of
	// Read's; false ends reading.
	Each func(Seen) bool
}

// soundRate is what all sound is converted to.
const soundRate = 48000

// errEnough ends reading when everything asked for has been read.
var errEnough = errors.New("enough was read")

// Read decodes a file or URL with ffmpeg, reads the strip of each picture, and
// finds the beeps. What had been read until an error is in the Recording.
func Read(ctx context.Context, input string, o ReadOptions) (*Recording, error) {
	ffmpeg, err := Lookup("ffmpeg")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, ffmpeg, o.args(input)...)
	cmd.WaitDelay = 5 * time.Second
	r := &reader{o: o, rec: &Recording{Rate: soundRate}, times: make(chan time.Duration, 1<<16)}
	r.stop = sync.OnceFunc(func() { cancel(errEnough) })
	r.pictures.done, r.samples.done = o.NoVideo, o.NoAudio
	cmd.Stderr = &r.log

	// ffmpeg writes pictures to 1, samples to 3, and the times of both to 4
	// and 5.
	readers := []func(io.Reader) error{r.readPictures, r.readSamples, r.readPictureTimes, r.readSampleTimes}
	failed := make([]error, len(readers))
	var wg sync.WaitGroup
	for i, read := range readers {
		in, out, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", input, err)
		}
		defer in.Close()
		defer out.Close()
		if i == 0 {
			cmd.Stdout = out
		} else {
			cmd.ExtraFiles = append(cmd.ExtraFiles, out)
		}
		wg.Go(func() {
			failed[i] = read(in)
			_, _ = io.Copy(io.Discard, in) // never block ffmpeg
		})
	}
	err = cmd.Start()
	if f, ok := cmd.Stdout.(*os.File); ok {
		f.Close()
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	wg.Wait()
	if err == nil {
		err = cmd.Wait()
	}
	r.rec.hear()
	if errors.Is(context.Cause(ctx), errEnough) {
		return r.rec, nil // it was killed, in the middle of a picture perhaps
	}
	if err != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err = errors.Join(err, errors.Join(failed...)); err != nil {
		return r.rec, fmt.Errorf("read %s: %w: %s", input, err, lastLines(r.log.String(), 4))
	}
	return r.rec, nil
}

// MustRead is Read for tests; the time it may take is what is given.
func MustRead(t testing.TB, within time.Duration, input string, o ReadOptions) *Recording {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r, err := Read(ctx, input, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (o ReadOptions) args(input string) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-copyts"}
	args = append(args, o.Input...)
	args = append(args, "-i", input)
	var graphs, outputs []string
	if !o.NoVideo {
		filter := "format=gray,split[pictures][all];[all]scale=16:16[pictureTimes]"
		if o.Filter != "" {
			filter = o.Filter + "," + filter
		}
		graphs = append(graphs, "["+cmp.Or(o.Video, "0:v:0")+"]"+filter)
		outputs = append(outputs, "-map", "[pictures]", "-fps_mode", "passthrough", "-f", "yuv4mpegpipe", "pipe:1",
			"-map", "[pictureTimes]", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-flush_packets", "1", "-f", "framecrc", "pipe:4")
	}
	if !o.NoAudio {
		graphs = append(graphs, fmt.Sprintf("[%s]aresample=%d,aformat=sample_fmts=s16:channel_layouts=mono,asplit[samples][sampleTimes]",
			cmp.Or(o.Audio, "0:a:0"), soundRate))
		outputs = append(outputs, "-map", "[samples]", "-f", "s16le", "pipe:3",
			"-map", "[sampleTimes]", "-flush_packets", "1", "-f", "framecrc", "pipe:5")
	}
	return append(append(args, "-filter_complex", strings.Join(graphs, ";")), outputs...)
}

// reader holds what the goroutines of one Read share.
type reader struct {
	o   ReadOptions
	rec *Recording // each field is written by one of the goroutines
	log tail

	times chan time.Duration // of pictures

	mu                sync.Mutex
	pictures, samples goal
	stop              func()
}

// goal is how far one kind of media has come.
type goal struct {
	done   bool // nothing more is wanted, or will come
	wanted bool // done because enough has come
}

// reached notes that a goal is done, and stops ffmpeg once both are and one of
// them because enough has come; otherwise it ends by itself.
func (r *reader) reached(g *goal, enough bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g.done = true
	g.wanted = g.wanted || enough
	if r.pictures.done && r.samples.done && (r.pictures.wanted || r.samples.wanted) {
		r.stop()
	}
}

func (r *reader) readPictures(pipe io.Reader) error {
	defer r.reached(&r.pictures, false)
	return readY4M(pipe, func(w, h int) { r.rec.Width, r.rec.Height = w, h }, func(luma []byte) error {
		seen := Seen{Arrived: time.Now()}
		var err error
		if seen.Stamp, err = testmedia.DecodeLuma(luma, r.rec.Width, r.rec.Width, r.rec.Height); err == nil {
			seen.Readable = true
		}
		pts, ok := <-r.times
		if !ok {
			return errors.New("ffmpeg gave no time for a picture")
		}
		seen.PTS = pts
		if first := r.rec.Pictures; r.o.Length > 0 && len(first) > 0 && pts-first[0].PTS >= r.o.Length {
			r.reached(&r.pictures, true)
			return nil
		}
		r.rec.Pictures = append(r.rec.Pictures, seen)
		if r.o.Each != nil && !r.o.Each(seen) {
			r.reached(&r.pictures, true)
			r.reached(&r.samples, true)
		}
		return nil
	})
}

func (r *reader) readSamples(pipe io.Reader) error {
	defer r.reached(&r.samples, false)
	most := int(r.o.Length * soundRate / time.Second)
	in := bufio.NewReaderSize(pipe, 1<<16)
	var b [2]byte
	for {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return fmt.Errorf("read samples: %w", err)
		}
		if most > 0 && len(r.rec.PCM) >= most {
			r.reached(&r.samples, true)
			continue
		}
		r.rec.PCM = append(r.rec.PCM, int16(uint16(b[0])|uint16(b[1])<<8))
	}
}

func (r *reader) readPictureTimes(pipe io.Reader) error {
	defer close(r.times)
	return readFrameCRC(pipe, func(pts time.Duration, _ int) { r.times <- pts })
}

func (r *reader) readSampleTimes(pipe io.Reader) error {
	samples := 0
	return readFrameCRC(pipe, func(pts time.Duration, size int) {
		r.rec.sound = append(r.rec.sound, soundFrame{first: samples, pts: pts})
		samples += size / 2
	})
}

// readFrameCRC reads the lines of FFmpeg's framecrc format for one stream:
// stream, DTS, PTS, duration, size and checksum.
func readFrameCRC(r io.Reader, take func(pts time.Duration, size int)) error {
	lines := bufio.NewScanner(r)
	var num, den int64 = 1, 1
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			if base, ok := strings.CutPrefix(line, "#tb 0: "); ok {
				if _, err := fmt.Sscanf(base, "%d/%d", &num, &den); err != nil || den <= 0 {
					return fmt.Errorf("read time base %q: %w", line, err)
				}
			}
			continue
		}
		fields := strings.Split(line, ",")
		if len(fields) < 6 {
			continue // cut short when ffmpeg was stopped
		}
		pts, err := strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 64)
		if err != nil {
			return fmt.Errorf("read time of %q: %w", line, err)
		}
		size, err := strconv.Atoi(strings.TrimSpace(fields[4]))
		if err != nil {
			return fmt.Errorf("read size of %q: %w", line, err)
		}
		take(ticks(pts, num, den), size)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read times: %w", err)
	}
	return nil
}

// ticks converts to a duration without overflow, rounded down.
func ticks(n, num, den int64) time.Duration {
	n *= num
	return time.Duration(n/den)*time.Second + time.Duration(n%den)*time.Second/time.Duration(den)
}
