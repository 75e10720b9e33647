package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Seconds is a time as ffprobe prints it, parsed exactly.
type Seconds time.Duration

// UnmarshalJSON reads "1.234567".
func (s *Seconds) UnmarshalJSON(b []byte) error {
	whole, part, _ := strings.Cut(strings.Trim(string(b), `"`), ".")
	negative := strings.HasPrefix(whole, "-")
	w, err := strconv.ParseInt(strings.TrimPrefix(whole, "-"), 10, 64)
	if err != nil {
		return fmt.Errorf("read time %s: %w", b, err)
	}
	part = (part + "000000000")[:9]
	nanos, err := strconv.ParseInt(part, 10, 64)
	if err != nil {
		return fmt.Errorf("read time %s: %w", b, err)
	}
	d := time.Duration(w)*time.Second + time.Duration(nanos)
	if negative {
		d = -d
	}
	*s = Seconds(d)
	return nil
}

// Probed is what ffprobe says about a file or URL.
type Probed struct {
	Format struct {
		Name     string  `json:"format_name"`
		Start    Seconds `json:"start_time"`
		Duration Seconds `json:"duration"`
	} `json:"format"`
	Streams []ProbedStream `json:"streams"`
	Packets []ProbedPacket `json:"packets"` // with -show_packets
	Frames  []ProbedFrame  `json:"frames"`  // with -show_frames
}

// ProbedStream is one of the streams.
type ProbedStream struct {
	Index        int     `json:"index"`
	Kind         string  `json:"codec_type"`
	Codec        string  `json:"codec_name"`
	Profile      string  `json:"profile"`
	Level        int     `json:"level"`
	Tag          string  `json:"codec_tag_string"`
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	PixelFormat  string  `json:"pix_fmt"`
	SampleAspect string  `json:"sample_aspect_ratio"`
	FieldOrder   string  `json:"field_order"`
	ReorderDepth int     `json:"has_b_frames"`
	Rate         string  `json:"r_frame_rate"`
	AverageRate  string  `json:"avg_frame_rate"`
	TimeBase     string  `json:"time_base"`
	StartPTS     int64   `json:"start_pts"`
	Start        Seconds `json:"start_time"`
	Duration     Seconds `json:"duration"`
	SampleRate   string  `json:"sample_rate"`
	Channels     int     `json:"channels"`
	SideData     []struct {
		Type     string `json:"side_data_type"`
		Rotation int    `json:"rotation"`
	} `json:"side_data_list"`
}

// ProbedPacket is one coded packet.
type ProbedPacket struct {
	Stream   int     `json:"stream_index"`
	Kind     string  `json:"codec_type"`
	PTS      int64   `json:"pts"`
	DTS      int64   `json:"dts"`
	PTSTime  Seconds `json:"pts_time"`
	DTSTime  Seconds `json:"dts_time"`
	Duration int64   `json:"duration"`
	Size     int     `json:"size,string"`
	Flags    string  `json:"flags"`
}

// Key reports whether the packet is a keyframe.
func (p ProbedPacket) Key() bool { return strings.HasPrefix(p.Flags, "K") }

// ProbedFrame is one decoded frame.
type ProbedFrame struct {
	Stream      int     `json:"stream_index"`
	Kind        string  `json:"media_type"`
	Key         int     `json:"key_frame"`
	PTS         int64   `json:"pts"`
	PTSTime     Seconds `json:"pts_time"`
	PictureType string  `json:"pict_type"`
	Interlaced  int     `json:"interlaced_frame"`
	Samples     int     `json:"nb_samples"`
}

// Find returns the first stream of a kind, "video" or "audio", nil for none.
func (p *Probed) Find(kind string) *ProbedStream {
	for i := range p.Streams {
		if p.Streams[i].Kind == kind {
			return &p.Streams[i]
		}
	}
	return nil
}

// Probe asks ffprobe about a file or URL. Options such as "-show_packets" and
// "-rtsp_transport", "udp" go before it.
func Probe(ctx context.Context, input string, options ...string) (*Probed, error) {
	ffprobe, err := Lookup("ffprobe")
	if err != nil {
		return nil, err
	}
	args := append([]string{"-v", "error", "-of", "json", "-show_format", "-show_streams"}, options...)
	cmd := exec.CommandContext(ctx, ffprobe, append(args, input)...)
	cmd.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("probe %s: %w: %s", input, err, lastLines(complaint.String(), 3))
	}
	var p Probed
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		return nil, fmt.Errorf("probe %s: %w", input, err)
	}
	return &p, nil
}

// MustProbe is Probe for tests, with half a minute of time.
func MustProbe(t testing.TB, input string, options ...string) *Probed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p, err := Probe(ctx, input, options...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
