package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// browserChecks has the console check a stream that not everybody may view:
// nothing is broken, and every rule is there to be read.
func browserChecks(t *testing.T) {
	s := serve(t, `auth: {view: [{path: "private/*", token: v13w}]}
streams: [{path: "*", ladder: passthrough}]`)
	clip, _ := tools.Clip(t, "h264-720p30")
	s.publish("private/cam", clip)
	s.eventually(20*time.Second, "there is something to watch", func() error {
		body, err := s.get("/hls/private/cam/index.m3u8?token=v13w")
		if err == nil && !strings.Contains(string(body), "#EXT-X-I-FRAME-STREAM-INF") { // they come with the first segment
			err = errors.New("no segment yet")
		}
		return err
	})
	page := browser.Open(t, s.url("/#private/cam"))
	page.Eventually(20*time.Second, "the button", "document.querySelector('.check button:enabled')")
	page.Eval("document.querySelector('.check button').click()", nil) // the drawer moves under a mouse
	page.Eventually(10*time.Second, "progress", "document.querySelector('.check progress').value > 0")
	page.Eventually(90*time.Second, "the report", "document.querySelector('.check.done')")
	var broken []string
	page.Eval("[...document.querySelectorAll('.rules tbody tr')].map((row) => row.innerText)", &broken)
	for _, rule := range broken {
		if !strings.Contains(rule, "appears within") { // what a busy machine may break
			t.Error(rule)
		}
	}
	page.Eval("document.querySelector('.check input').click()", nil)
	page.Eventually(5*time.Second, "every rule", "document.querySelectorAll('.rules tr.ok').length > 40 && document.querySelectorAll('.rules tr.none').length > 0")
}
