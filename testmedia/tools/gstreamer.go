package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// ReadGStreamer decodes the pictures of a URL (rtsp://, http:// or file://)
// with GStreamer and reads their strips, until the end or until each, which
// may be nil, returns false. It knows no PTS and hears no sound.
func ReadGStreamer(ctx context.Context, url string, each func(Seen) bool) (*Recording, error) {
	launch, err := Lookup("gst-launch-1.0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	decoder := "uridecodebin"
	if strings.HasSuffix(url, ".m3u8") {
		decoder = "uridecodebin3" // else it is hlsdemux, not hlsdemux2
	}
	// Y444 makes videoconvert copy: y4menc writes the padding of a decoder's
	// own frames along.
	cmd := exec.CommandContext(ctx, launch, "-q", decoder, "uri="+url, "!", "videoconvert", "!", "video/x-raw,format=Y444", "!", "y4menc", "!", "fdsink", "fd=1", "sync=false")
	cmd.WaitDelay = 5 * time.Second
	var log tail
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	rec := &Recording{}
	failed := readY4M(out, func(w, h int) { rec.Width, rec.Height = w, h }, func(luma []byte) error {
		seen := Seen{Arrived: time.Now()}
		var err error
		if seen.Stamp, err = testmedia.DecodeLuma(luma, rec.Width, rec.Width, rec.Height); err == nil {
			seen.Readable = true
		}
		rec.Pictures = append(rec.Pictures, seen)
		if each != nil && !each(seen) {
			cancel(errEnough)
			return errEnough
		}
		return nil
	})
	_, _ = io.Copy(io.Discard, out) // until it has ended
	err = errors.Join(cmd.Wait(), failed)
	if err == nil || errors.Is(failed, errEnough) {
		return rec, nil
	}
	return rec, fmt.Errorf("read %s: %w: %s", url, errors.Join(err, context.Cause(ctx)), lastLines(log.String(), 4))
}
