package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSources pulls from another Millrace and from an RTSP server that is not
// ours, and serves what comes as if it were published.
func TestSources(t *testing.T) {
	t.Parallel()
	origin := serve(t, `auth: {view: [{path: "secret", token: v13w}]}`)
	clip, recipe := tools.Clip(t, "h264-b", func(r *testmedia.Recipe) { r.Duration = 10 * time.Second })
	origin.publish("open", clip)
	origin.publish("secret", clip)
	vlc, _ := tools.ServeVLC(t, clip)
	s := serve(t, fmt.Sprintf(`streams:
  - {path: open, source: "rtsp://%s/open", hls: {window: 60s}}
  - {path: secret, source: "rtsp://anybody:v13w@%s/secret"}
  - {path: wrong, source: "rtsp://anybody:guess@%s/secret"}
  - {path: vlc, source: "%s", hls: {window: 60s}}
  - {path: nowhere, source: "rtsp://%s/there"}`, origin.rtsp, origin.rtsp, origin.rtsp, vlc, tools.FreeAddress(t)))
	for _, path := range []string{"open", "vlc"} {
		t.Run(path, func(t *testing.T) {
			var p *presentation
			s.eventually(40*time.Second, "three segments are listed", func() (err error) {
				if p, err = load(s.hls(path)); err == nil && len(p.media["360p"].Segments) < 3 {
					err = fmt.Errorf("%d are", len(p.media["360p"].Segments))
				}
				return err
			})
			p.checkAligned(t, recipe.Complete().Video.Rate.Time(1)+time.Millisecond)
			r, _ := p.decode(t, p.multi.Variants[0])
			if err := r.Check(recipe.Frames()); err != nil {
				t.Error(err)
			}
			limit := maxSkew
			if path == "vlc" {
				limit = 250 * time.Millisecond // its sender reports are as far off as that: ffmpeg finds the same
			}
			checkSkews(t, path, r, 2, limit)
		})
	}
	s.eventually(20*time.Second, "a source with a password is live", s.inState("secret", status.Live))
	for _, path := range []string{"wrong", "nowhere"} {
		s.eventually(10*time.Second, "the API says why "+path+" is not there", func() error {
			st, err := s.stream(path)
			if err == nil && (st.State != status.Waiting || st.Error == "") {
				err = fmt.Errorf("it says %s, %q", st.State, st.Error)
			}
			return err
		})
	}
}
