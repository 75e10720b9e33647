package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSRT publishes with ffmpeg over SRT, kills it, brings it back within hold,
// and reads every frame back.
func TestSRT(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: '*', ladder: passthrough, hls: {window: 60s}}]")
	clip, recipe := tools.Clip(t, "h264-b", func(r *testmedia.Recipe) { r.Duration = 10 * time.Second })
	publish := func() *tools.Process {
		return tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.srtURL("live/cam"), Loop: true})
	}
	first := publish()
	segments := func(least, discontinuities int) *presentation {
		var p *presentation
		s.eventually(30*time.Second, "segments are listed", func() (err error) {
			if p, err = load(s.hls("live/cam")); err != nil {
				return err
			}
			m := p.media["360p"]
			if n, d := len(m.Segments), discontinuity(m); n < least || d >= 0 != (discontinuities > 0) || d >= 0 && n-d < 2 {
				err = fmt.Errorf("%d are, with a discontinuity at %d", n, d)
			}
			return err
		})
		return p
	}
	p := segments(3, 0)
	p.checkAligned(t, recipe.Complete().Video.Rate.Time(1)+time.Millisecond)
	r, holes := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	if len(holes) > 0 {
		t.Errorf("the sound has holes: %v", holes)
	}
	checkSkews(t, "live/cam", r, 3, maxSkew)
	if st, err := s.stream("live/cam"); err != nil || st.Publisher == nil || st.Publisher.Protocol != "srt" {
		t.Errorf("the API says %+v, %v", st.Publisher, err)
	}

	first.Kill()
	s.eventually(10*time.Second, "the loss is noticed", s.inState("live/cam", status.Lost))
	publish()
	p = segments(5, 1)
	if n := discontinuities(p.media["360p"]); n != 1 {
		t.Errorf("%d discontinuities", n)
	}
}
