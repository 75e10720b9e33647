package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
)

// Who could only be refused when its tracks are known is told before.
func TestMayPublish(t *testing.T) {
	r := newRig(t, "", func(_ *config.Config, d *Deps) {
		d.Pull = func(ctx context.Context, _ string, _ *ingest.Stream) { <-ctx.Done() }
	},
		passthrough("over", func(s *config.Stream) { s.Takeover = true }),
		passthrough("pulled", func(s *config.Stream) { s.Source = "rtsp://127.0.0.1:1/x" }),
		passthrough("*"))
	r.publish("cam", h264(180))
	r.publish("over", h264(180))
	for path, want := range map[string]error{
		"cam": ingest.ErrBusy, "over": nil, "free": nil, "pulled": ingest.ErrForbidden, "a//b": ingest.ErrBadPath,
	} {
		if err := r.MayPublish(request(path)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
}
