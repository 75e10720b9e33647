package e2e

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// overBar moves the pointer over the bar of the player page to so many seconds
// back, and reads when the picture shown there was drawn.
func overBar(t *testing.T, page *browser.Page, back int) time.Duration {
	t.Helper()
	hover := fmt.Sprintf(`(async () => {
		const bar = document.querySelector('#past input'), r = bar.getBoundingClientRect();
		const clientX = r.right - 8 - (r.width - 16) * %d / bar.max;
		bar.dispatchEvent(new PointerEvent('pointermove', { clientX, clientY: r.y + r.height / 2, bubbles: true }));
		const image = document.querySelector('.preview i'), sheet = new Image();
		sheet.src = /url\("(.*)"\)/.exec(image.style.backgroundImage)?.[1] ?? '';
		await sheet.decode();
		return image.getBoundingClientRect().width === 160;
	})()`, back)
	var seen testmedia.Stamp
	tools.Eventually(t, 20*time.Second, "a picture over the bar", func() bool {
		shown := false
		if err := page.TryEval(hover, &shown); err != nil || !shown {
			return false
		}
		var err error
		seen, err = testmedia.DecodeStrip(page.ScreenshotOf(".preview i"), image.Rectangle{})
		return err == nil
	})
	return seen.Wall.Sub(testmedia.Epoch)
}

// overSeekBar is the same of the seek bar of a recording, in the middle.
func overSeekBar(t *testing.T, page *browser.Page) (at, drawn time.Duration) {
	t.Helper()
	page.Eventually(10*time.Second, "a picture over the seek bar", `(() => {
		const bar = document.querySelector('media-time-range'), r = bar.getBoundingClientRect();
		const where = { clientX: r.x + r.width / 2, clientY: r.y + r.height / 2, bubbles: true, composed: true, pointerType: 'mouse' };
		for (const type of ['pointerenter', 'pointermove']) bar.dispatchEvent(new PointerEvent(type, where));
		return !!bar.getAttribute('mediapreviewimage');
	})()`)
	var seen struct {
		Image string
		Time  float64
	}
	page.Eval(`(() => {
		const get = (name) => document.querySelector('media-time-range').getAttribute('mediapreview' + name);
		return { Image: get('image'), Time: Number(get('time')) };
	})()`, &seen)
	address, area, _ := strings.Cut(seen.Image, "#xywh=")
	sheet, err := fetch(address)
	if err != nil {
		t.Fatal(err)
	}
	var x, y, w, h int
	if _, err := fmt.Sscanf(area, "%d,%d,%d,%d", &x, &y, &w, &h); err != nil {
		t.Fatalf("%s: %v", seen.Image, err)
	}
	stamp, err := tools.Cue{Area: image.Rect(x, y, x+w, y+h)}.Stamp(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(seen.Time * float64(time.Second)), stamp.Wall.Sub(testmedia.Epoch)
}

// browserLooksBack moves the bar of the player page into the past, plays
// there, goes live again, and plays what was recorded when the stream is over.
func browserLooksBack(t *testing.T) {
	s := serve(t, recorded)
	// It does not begin again, so that it tells when it was sent.
	source, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	s.publish("cam", source)
	began := s.long("cam", 12).Segments[0].ProgramDateTime
	page := browser.Open(t, s.url("/watch/cam"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	page.Eventually(20*time.Second, "the bar", "!document.querySelector('#past').hidden && document.querySelector('#past input').max >= 20")

	// Of each three segments there is one picture, and the bar counts in
	// seconds from the newest segment.
	for _, back := range []int{4, 17} {
		drawn := overBar(t, page, back)
		if want := time.Since(began) - time.Duration(back)*time.Second; drawn > want+2*time.Second || drawn < want-10*time.Second {
			t.Errorf("%d seconds back there is a picture of %v, want %v", back, drawn, want)
		}
	}

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
	if at, drawn := overSeekBar(t, over); drawn > at || at-drawn > 7*time.Second || at < 5*time.Second {
		t.Errorf("at %v of the recording there is a picture of %v", at, drawn)
	}
}
