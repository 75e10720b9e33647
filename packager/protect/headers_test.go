package protect

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia/tools"
)

// traced is where slice headers end by ffmpeg's own reading: bits from the
// beginning of each slice's NAL unit, emulation prevention left out.
func traced(t *testing.T, clip string) (ends []int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tools.Find(t, "ffmpeg"), "-nostdin", "-i", clip, "-map", "0:v", "-c", "copy", "-frames:v", "60",
		"-bsf:v", "trace_headers", "-f", "null", "-")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	inside := false
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		_, text, ok := strings.Cut(lines.Text(), "] ")
		if !ok || !strings.HasPrefix(lines.Text(), "[trace_headers") {
			continue
		}
		words := strings.Fields(text)
		if strings.HasPrefix(text, "Slice Header") || strings.HasPrefix(text, "Slice Segment Header") {
			inside = true
			ends = append(ends, 0)
			continue
		}
		at, err := strconv.Atoi(words[0])
		if err != nil {
			inside = false
			continue
		}
		if inside && len(words) >= 4 {
			for i, w := range words {
				if w == "=" {
					ends[len(ends)-1] = at + len(words[i-1])
				}
			}
		}
	}
	return ends
}

// units splits a byte stream (Annex B).
func units(b []byte) (out [][]byte) {
	start := -1
	for i := 0; i+3 <= len(b); i++ {
		if b[i] == 0 && b[i+1] == 0 && b[i+2] == 1 {
			if start >= 0 {
				out = append(out, bytes.TrimRight(b[start:i], "\x00"))
			}
			start = i + 3
		}
	}
	return append(out, b[start:])
}

// Slice headers end where ffmpeg says that they do.
func TestSliceHeadersAgainstFFmpeg(t *testing.T) {
	for _, name := range []string{"h264-b", "h264-interlaced", "h264-4x3", "h265-b", "h265-10bit"} {
		t.Run(name, func(t *testing.T) {
			clip, _ := tools.Clip(t, name)
			ends := traced(t, clip)
			format := name[:4]
			raw, err := exec.CommandContext(t.Context(), tools.Find(t, "ffmpeg"), "-nostdin", "-v", "error", "-i", clip, "-map", "0:v", "-c", "copy",
				"-frames:v", "60", "-bsf:v", map[string]string{"h264": "h264_mp4toannexb", "h265": "hevc_mp4toannexb"}[format],
				"-f", map[string]string{"h264": "h264", "h265": "hevc"}[format], "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			n, slices := 0, slicesOf(t, format, units(raw))
			for _, s := range slices {
				if n == len(ends) {
					break
				}
				if want := (ends[n] + 7) / 8; s != want {
					t.Errorf("slice %d has %d bytes of headers, by ffmpeg %d (%d bits)", n, s, want, ends[n])
				}
				n++
			}
			if n < 60 || n != len(slices) {
				t.Errorf("%d headers are here, %d there", len(slices), len(ends))
			}
		})
	}
}

// slicesOf is how long the headers of slices are, without the bytes that
// prevent emulation.
func slicesOf(t *testing.T, format string, nalus [][]byte) (out []int) {
	t.Helper()
	four, five := sets(t, format, nalus)
	for _, nalu := range nalus {
		var kept int
		var err error
		if format == "h264" {
			if typ := nalu[0] & 31; typ != 1 && typ != 5 {
				continue
			}
			kept, err = four.clear(nalu)
		} else {
			if nalu[0]>>1&63 > 31 {
				continue
			}
			kept, err = five.clear(nalu)
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, kept-bytes.Count(nalu[:kept], []byte{0, 0, 3}))
	}
	return out
}

// sets reads the parameter sets that stand among the units.
func sets(t *testing.T, format string, nalus [][]byte) (*h264Slices, *h265Slices) {
	t.Helper()
	config := []byte{1, 0, 0, 0, 0xff}
	var lists [2][][]byte
	kinds := [2]byte{7, 8}
	if format == "h265" {
		kinds = [2]byte{33, 34}
	}
	for _, nalu := range nalus {
		typ := nalu[0] & 31
		if format == "h265" {
			typ = nalu[0] >> 1 & 63
		}
		for i, kind := range kinds {
			if typ == kind && len(lists[i]) == 0 {
				lists[i] = append(lists[i], nalu)
			}
		}
	}
	if format == "h265" {
		config = append(make([]byte, 22), 2)
	}
	for i, list := range lists {
		if format == "h265" {
			config = append(config, kinds[i], 0, 1)
		} else {
			config = append(config, 0xe0*byte(1-i)|1)
		}
		config = append(config, byte(len(list[0])>>8), byte(len(list[0])))
		config = append(config, list[0]...)
	}
	if format == "h265" {
		s, err := newH265(config)
		if err != nil {
			t.Fatal(err)
		}
		return nil, s
	}
	four, err := newH264(config)
	if err != nil {
		t.Fatal(err)
	}
	return four, nil
}
