package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/testmedia/tools"
)

// actionTime is how long any one step in the browser may take.
const actionTime = 30 * time.Second

// Page is a tab in a browser that is started for it and ended with the test.
type Page struct {
	t       testing.TB
	ctx     context.Context
	console console
}

// Open starts a browser with a new, empty profile, in which media may start to
// play by itself, and opens a URL. Flags are further ones of Chromium, without
// dashes: "mute-audio" or "lang=de".
func Open(t testing.TB, url string, flags ...string) *Page {
	t.Helper()
	profile, err := os.MkdirTemp("", "millrace-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(tools.Find(t, "chromium")), chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 800),
		chromedp.WSURLReadTimeout(time.Minute),
	}
	for _, f := range append([]string{
		"headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "no-default-browser-check",
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-default-apps", "disable-extensions",
		"disable-dev-shm-usage", "disable-breakpad", "disable-client-side-phishing-detection", "disable-features=Translate",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
		"autoplay-policy=no-user-gesture-required", "force-color-profile=srgb", "hide-scrollbars", "mute-audio",
		"metrics-recording-only", "password-store=basic",
	}, flags...) {
		name, value, has := strings.Cut(f, "=")
		if has {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	p := &Page{t: t, ctx: ctx}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(ctx, 10*time.Second)
		_ = chromedp.Cancel(closing) // ended by force below if it did not close
		cancel()
		end()
		endAllocator()
		p.console.wait()
		_ = os.RemoveAll(profile)
		if t.Failed() {
			t.Logf("the page's console said:\n%s", strings.Join(p.Console(), "\n"))
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	p.console.follow(ctx)
	p.Goto(url)
	return p
}

// Goto opens another URL in the page.
func (p *Page) Goto(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url), "open "+url)
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do(chromedp.Reload(), "reload")
}

// Click clicks on the middle of the element that a CSS selector names, as a
// user does.
func (p *Page) Click(selector string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.Eval(fmt.Sprintf(`(() => {
		const r = document.querySelector(%s).getBoundingClientRect();
		return { X: r.x + r.width / 2, Y: r.y + r.height / 2 };
	})()`, quote(selector)), &at)
	p.do(chromedp.MouseClickXY(at.X, at.Y), "click "+selector)
}

func (p *Page) do(a chromedp.Action[chromedp.Void], what string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	if err := chromedp.Do(ctx, a); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// TryEval evaluates a JavaScript expression, waits for it if it is a promise,
// and decodes its value as JSON into out, which may be nil.
func (p *Page) TryEval(js string, out any) error {
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"Promise.resolve("+js+").then((v) => JSON.stringify(v === undefined ? null : v))", chromedp.EvalAwaitPromise))
	if err != nil {
		return fmt.Errorf("evaluate %.80q: %w", js, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(value), out); err != nil {
		return fmt.Errorf("evaluate %.80q: %w", js, err)
	}
	return nil
}

// Eval is TryEval that fails the test.
func (p *Page) Eval(js string, out any) {
	p.t.Helper()
	if err := p.TryEval(js, out); err != nil {
		p.t.Fatal(err)
	}
}

// Eventually fails the test unless a JavaScript expression becomes true within
// the time. An expression that throws is not true yet.
func (p *Page) Eventually(within time.Duration, what, js string) {
	p.t.Helper()
	tools.Eventually(p.t, within, what, func() bool {
		var ok bool
		return p.TryEval("Boolean("+js+")", &ok) == nil && ok
	})
}

// Screenshot is a picture of what the window shows.
func (p *Page) Screenshot() image.Image {
	p.t.Helper()
	return p.capture(chromedp.CaptureScreenshot())
}

// ScreenshotOf is a picture of the element that a CSS selector names, with
// whatever lies over it.
func (p *Page) ScreenshotOf(selector string) image.Image {
	p.t.Helper()
	var r page.Viewport
	p.Eval(fmt.Sprintf(`(() => {
		const r = document.querySelector(%s).getBoundingClientRect();
		return { x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1 };
	})()`, quote(selector)), &r)
	return p.capture(func(ctx context.Context, _ *chromedp.Target) ([]byte, error) {
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: &r})
		return shot.Data, err
	})
}

func (p *Page) capture(a chromedp.Action[[]byte]) image.Image {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	b, err := chromedp.Run(ctx, a)
	if err != nil {
		p.t.Fatalf("take screenshot: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		p.t.Fatalf("take screenshot: %v", err)
	}
	return img
}

// Console is what the page wrote to its console so far, uncaught exceptions
// and failed requests too.
func (p *Page) Console() []string { return p.console.all() }

// console keeps what a page says.
type console struct {
	mu    sync.Mutex
	lines []string
	wg    sync.WaitGroup
}

// follow listens until ctx ends.
func (c *console) follow(ctx context.Context) {
	messages := chromedp.Console(ctx)
	c.wg.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			c.mu.Lock()
			c.lines = append(c.lines, m.String())
			c.mu.Unlock()
		}
	})
}

func (c *console) wait() { c.wg.Wait() }

func (c *console) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string can always be marshalled
	return string(b)
}
