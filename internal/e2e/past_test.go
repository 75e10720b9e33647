package e2e

import (
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// browserLooksBack moves the bar of the player page into the past, plays
// there, goes live again, and plays what was recorded when the stream is over.
func browserLooksBack(t *testing.T) {
	s := serve(t, recorded)
	source, _ := tools.Clip(t, "h264-720p30")
	s.publish("cam", source)
	s.long("cam", 12)
	page := browser.Open(t, s.url("/watch/cam"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	page.Eventually(20*time.Second, "the bar", "!document.querySelector('#past').hidden && document.querySelector('#past input').max >= 20")

	page.Eventually(time.Second, "the bar moves", `(() => {
		const bar = document.querySelector('#past input');
		bar.valueAsNumber = 15;
		bar.dispatchEvent(new Event('input'));
		bar.dispatchEvent(new Event('change'));
		return true;
	})()`)
	page.Eventually(20*time.Second, "the past is shown", `(() => {
		const { hls, video } = window.millracePlayer;
		return hls?.url.includes('dvr.m3u8') && hls.liveSyncPosition - video.currentTime > 7 && !video.paused;
	})()`)
	video.Playing(20 * time.Second)
	page.Eventually(5*time.Second, "the page says so", "document.querySelector('#past output').textContent.startsWith('-0:1')")
	defer func() {
		if t.Failed() {
			var seen string
			page.Eval(`(() => { const { hls, video, state } = window.millracePlayer; return JSON.stringify({ url: hls?.url, edge: hls?.liveSyncPosition, at: video.currentTime, paused: video.paused, state }) })()`, &seen)
			t.Log(seen)
		}
	}()
	page.Eventually(time.Second, "the button", `(() => {
		document.querySelector('#past button').click();
		return true;
	})()`)
	page.Eventually(20*time.Second, "live again", `(() => {
		const { hls, video } = window.millracePlayer;
		return hls?.url.endsWith('/index.m3u8') && hls.liveSyncPosition - video.currentTime < 7;
	})()`)
	video.Playing(20 * time.Second)

	s.delete("/api/v1/streams/cam", 204)
	r := s.kept(1)[0]
	over := browser.Open(t, r.URLs.Watch)
	over.Eventually(20*time.Second, "the recording plays", `(() => {
		const { hls, video } = window.millracePlayer ?? {};
		return hls?.url.includes('/rec/') && video.currentTime > 1 && video.duration > 15;
	})()`)
}
