package tools

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// Cue is a picture of a storyboard: when it is shown, and where it is.
type Cue struct {
	From, To time.Duration
	Sheet    string // as the file names it
	Area     image.Rectangle
}

// Storyboard reads the WebVTT file of a storyboard.
func Storyboard(text string) ([]Cue, error) {
	head, rest, _ := strings.Cut(text, "\n\n")
	if head != "WEBVTT" {
		return nil, fmt.Errorf("read storyboard: it begins with %q", head)
	}
	var cues []Cue
	for block := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		var f, to [4]int
		var x, y, w, h int
		times, name, _ := strings.Cut(block, "\n")
		_, err := fmt.Sscanf(times, "%d:%d:%d.%d --> %d:%d:%d.%d", &f[0], &f[1], &f[2], &f[3], &to[0], &to[1], &to[2], &to[3])
		sheet, area, _ := strings.Cut(name, "#xywh=")
		if err == nil {
			_, err = fmt.Sscanf(area, "%d,%d,%d,%d", &x, &y, &w, &h)
		}
		if err != nil {
			return nil, fmt.Errorf("read storyboard: %q: %w", block, err)
		}
		at := func(p [4]int) time.Duration {
			return time.Duration(p[0])*time.Hour + time.Duration(p[1])*time.Minute + time.Duration(p[2])*time.Second + time.Duration(p[3])*time.Millisecond
		}
		cues = append(cues, Cue{From: at(f), To: at(to), Sheet: sheet, Area: image.Rect(x, y, x+w, y+h)})
	}
	return cues, nil
}

// Stamp reads what is burnt into the picture, of its sheet.
func (c Cue) Stamp(sheet []byte) (testmedia.Stamp, error) {
	img, err := jpeg.Decode(bytes.NewReader(sheet))
	if err != nil {
		return testmedia.Stamp{}, fmt.Errorf("read storyboard: %w", err)
	}
	return testmedia.DecodeStrip(img, c.Area)
}
