package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/transcode"
)

type probeCmd struct {
	Input string `arg:"" help:"File or URL."`
	JSON  bool   `name:"json" help:"Write JSON."`
}

// Help is printed by millrace help probe.
func (probeCmd) Help() string {
	return `    millrace probe film.mp4
    millrace probe --json https://example.org/film.mp4 | jq '.streams[0].codec'
    millrace probe rtsp://camera/stream1`
}

// Run prints what is in the input.
func (p *probeCmd) Run(ctx context.Context, w *world) error {
	if err := checkInput(p.Input); err != nil {
		return err
	}
	ctx, stop := w.interruptible(ctx)
	defer stop()
	supervisor, err := w.supervisor()
	if err != nil {
		return err
	}
	info, err := supervisor.Probe(ctx, p.Input)
	if err != nil {
		return inputError(p.Input, err)
	}
	if p.JSON {
		e := json.NewEncoder(w.stdout)
		e.SetIndent("", "  ")
		err = e.Encode(info)
	} else {
		err = writeInfo(w.stdout, redacted(p.Input), info)
	}
	if err != nil {
		return err
	}
	return cutOff(p.Input, info)
}

// cutOff reports a file that is smaller than the media that it lists: its
// index came first, and the rest did not come.
func cutOff(input string, info *transcode.Info) error {
	bits := 0
	for _, s := range info.Streams {
		if s.Bitrate == 0 {
			return nil // the container has no index to tell by
		}
		bits += s.Bitrate
	}
	listed := int64(float64(bits) * info.Duration / 8)
	if info.Size == 0 || listed < info.Size+info.Size/50 {
		return nil
	}
	return fmt.Errorf("%s: it is cut off: %s are there of %s", redacted(input), size(info.Size), size(listed))
}

// writeInfo prints an Info for people.
func writeInfo(w io.Writer, name string, info *transcode.Info) error {
	head := []string{name, strings.SplitN(info.Container, ",", 2)[0]}
	if info.Duration > 0 {
		head = append(head, clock(seconds(info.Duration)))
	}
	if info.Bitrate > 0 {
		head = append(head, rate(info.Bitrate))
	}
	if info.Size > 0 {
		head = append(head, size(info.Size))
	}
	if _, err := fmt.Fprintln(w, strings.Join(head, "  ")); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range info.Streams {
		fmt.Fprintf(t, "  #%d\t%s\t%s\t%s\n", s.Index, s.Kind, s.Codec, strings.Join(details(s), "  "))
	}
	return t.Flush()
}

// details are what is worth knowing of one stream, most important first.
func details(s transcode.StreamInfo) []string {
	var d []string
	add := func(format string, args ...any) { d = append(d, fmt.Sprintf(format, args...)) }
	if s.Profile != "" {
		add("%s", s.Profile)
	}
	if s.Width > 0 {
		add("%dx%d", s.Width, s.Height)
	}
	if s.SampleAspect != "" {
		add("samples %s", s.SampleAspect)
	}
	if s.Rotation != 0 {
		add("rotated %d°", s.Rotation)
	}
	if s.FPS > 0 {
		add("%s fps", strconv.FormatFloat(float64(int(s.FPS*1000+0.5))/1000, 'f', -1, 64))
	}
	if s.Interlaced {
		add("interlaced")
	}
	if s.Chroma != "" && s.Chroma != "4:2:0" {
		add("%s", s.Chroma)
	}
	if s.BitDepth > 8 && s.Width > 0 {
		add("%d bit", s.BitDepth)
	}
	if s.BFrames {
		add("B-frames")
	}
	if s.SampleRate > 0 {
		add("%d Hz", s.SampleRate)
	}
	if s.Channels > 0 {
		add("%s", channels(s.Channels))
	}
	if s.Bitrate > 0 {
		add("%s", rate(s.Bitrate))
	}
	if s.Language != "" {
		add("(%s)", s.Language)
	}
	if !s.Usable && (s.Kind == "video" || s.Kind == "audio") {
		add("not usable here")
	}
	return d
}

func channels(n int) string {
	switch n {
	case 1:
		return "mono"
	case 2:
		return "stereo"
	}
	return fmt.Sprintf("%d channels", n)
}

func rate(bits int) string {
	if bits >= 1e6 {
		return fmt.Sprintf("%.1f Mbit/s", float64(bits)/1e6)
	}
	return fmt.Sprintf("%d kbit/s", (bits+500)/1000)
}

func size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// clock writes a duration as players do: 1:02:03.4, 0:07.5.
func clock(d time.Duration) string {
	d = d.Round(100 * time.Millisecond)
	h, m, s := d/time.Hour, d%time.Hour/time.Minute, (d % time.Minute).Seconds()
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%04.1f", h, m, s)
	}
	return fmt.Sprintf("%d:%04.1f", m, s)
}
