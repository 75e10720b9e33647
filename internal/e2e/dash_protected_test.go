package e2e

import (
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// browserDecryptsDASH has dash.js and shaka-player play cbcs by its MPD over a
// change of the key: they take licenses of ClearKey where the MPD says, under
// the ticket of a stream that not everybody may view. Pages cannot read such
// pictures, so that they are read off the screen.
func browserDecryptsDASH(t *testing.T) {
	s := serve(t, `auth: {view: [{path: "*", token: v13w}]}
streams: [{path: "*", ladder: passthrough, hls: {lowLatency: false, encryption: {method: cbcs, rotate: 4s}}}]`)
	clip, recipe := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	s.publish("cam", clip)
	manifest := s.dash("cam") + "?token=v13w"
	s.eventually(20*time.Second, "there is an MPD", func() error {
		_, err := fetch(manifest)
		return err
	})
	for name, player := range map[string]browser.Player{"dash.js": browser.DashJS, "shaka": browser.Shaka} {
		t.Run(name, func(t *testing.T) {
			video := browser.Play(t, player, manifest)
			begin := video.State().Time
			before, changed := uint32(0), 0.0
			for changed < 6 { // a change of the key is among them
				stamp, err := testmedia.DecodeStrip(video.Screenshot())
				if err != nil {
					t.Fatal(err)
				}
				if stamp.Frame < before {
					t.Errorf("picture %d after %d", stamp.Frame, before)
				}
				before = stamp.Frame
				tools.Eventually(t, 30*time.Second, "it goes on", func() bool {
					at := video.State().Time - begin
					if at < changed+2 {
						return false
					}
					changed = at
					return true
				})
			}
			if shown := int(before); shown >= recipe.Frames() {
				t.Errorf("picture %d of %d", shown, recipe.Frames())
			}
		})
	}
}
