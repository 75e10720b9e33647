package browser

import (
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site serves one page, and clips by name.
func site(t *testing.T, page string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><body style='margin:0;background:black'>", page)
	})
	mux.HandleFunc("GET /clip/{name}", func(w http.ResponseWriter, r *http.Request) {
		clip, err := testmedia.Clip(r.PathValue("name"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		clip.Duration = 20 * time.Second
		path, err := clip.Make(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.ServeFile(w, r, path)
	})
	mux.HandleFunc("GET /half/{name}", func(w http.ResponseWriter, r *http.Request) {
		path, _ := tools.Clip(t, r.PathValue("name"))
		b, err := os.ReadFile(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b[:len(b)/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done() // and not a byte more
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func TestPlayback(t *testing.T) {
	for _, c := range []struct {
		clip, style string
		width       int
	}{
		{"h264-30", "width:960px;height:540px", 640},
		{"h264-portrait", "width:800px;height:600px", 360},
		{"h264-4x3", "width:1000px;height:400px", 384},
	} {
		t.Run(c.clip, func(t *testing.T) {
			_, r := tools.Clip(t, c.clip)
			p := Open(t, site(t, fmt.Sprintf("<video autoplay loop src='/clip/%s' style='%s'></video>", c.clip, c.style)))
			v := p.Watch("video")
			v.Playing(time.Minute)
			v.Shown()
			shown := v.Collect(60, time.Minute)
			got := CheckShown(shown, r.Complete().Video.Rate, 0)
			if !got.Perfect() { // what the browser skips is a matter of the machine's load
				t.Error(got)
			}
			s := v.State()
			if s.Width != c.width || s.Paused || s.Ended || s.Error != "" || s.Total == 0 {
				t.Errorf("state is %+v", s)
			}
			img, rect := v.Screenshot()
			stamp, err := testmedia.DecodeStrip(img, rect)
			if last := shown[len(shown)-1]; err != nil || stamp.Frame < last.Frame || stamp.Frame > last.Frame+300 {
				t.Errorf("the screenshot shows %v, %v; the page saw %v before", stamp, err, last.Stamp)
			}
			for _, e := range v.Events() {
				if e.Name == "error" || e.Name == "ended" {
					t.Errorf("event %+v", e)
				}
			}
		})
	}
}

func TestStallIsSeen(t *testing.T) {
	p := Open(t, site(t, "<video autoplay src='/half/h264-720p30'></video>"))
	v := p.Watch("video")
	v.Playing(time.Minute)
	tools.Eventually(t, time.Minute, "a stall", func() bool {
		s := v.Stalls()
		return len(s) == 1 && s[0].Length > 500 && s[0].Time > 0.5
	})
}

func TestPauseIsNoStall(t *testing.T) {
	p := Open(t, site(t, "<video autoplay src='/clip/h264'></video><button onclick='document.querySelector(\"video\").pause()'>stop</button>"))
	v := p.Watch("video")
	v.Playing(time.Minute)
	p.Click("button")
	p.Eventually(time.Minute, "the pause", "window.__watched.paused")
	p.Eval("new Promise((done) => setTimeout(done, 700))", nil)
	if s := v.Stalls(); len(s) != 0 {
		t.Errorf("a pause counts as a stall: %+v", s)
	}
}

func TestLevels(t *testing.T) {
	p := Open(t, site(t, `<div id=host></div><script>
		const root = document.querySelector('#host').attachShadow({ mode: 'open' });
		root.innerHTML = '<video autoplay loop src="/clip/h264"></video>';
		const video = root.querySelector('video');
		const names = ['h264-720p30', 'h264'];
		window.millracePlayer = { hls: {
			levels: [{ width: 1280, height: 720, bitrate: 2500000, videoCodec: 'avc1.640028', audioCodec: 'mp4a.40.2' }, { width: 640, height: 360, bitrate: 700000 }],
			currentLevel: 1, nextLoadLevel: 1, autoLevelEnabled: true, latency: 1.5, targetLatency: 2,
			set nextLevel(i) { this.nextLoadLevel = i; this.autoLevelEnabled = i < 0; video.src = '/clip/' + names[i]; video.onloadeddata = () => { this.currentLevel = i; }; },
		} };
	</script>`))
	v := p.Watch("video")
	v.Playing(time.Minute)
	h := p.HLS()
	if len(h.Levels) != 2 || h.Levels[0] != (Level{1280, 720, 2500000, "avc1.640028,mp4a.40.2"}) || h.Current != 1 || !h.Auto || h.Latency != 1.5 || h.Target != 2 {
		t.Errorf("got %+v", h)
	}
	v.SwitchTo(720, time.Minute)
	v.Shown()
	if shown := v.Collect(5, time.Minute); shown[4].Width != 1280 || shown[4].Height != 720 {
		t.Errorf("got %+v", shown[4])
	}
	if p.HLS().Auto {
		t.Error("is still automatic")
	}
}

func TestPage(t *testing.T) {
	p := Open(t, site(t, "<p style='background:#ff0000;width:50px;height:40px'></p><script>console.log('a word'); setTimeout(() => nothing())</script>"))
	tools.Eventually(t, time.Minute, "two lines in the console", func() bool {
		all := strings.Join(p.Console(), "\n")
		return strings.Contains(all, "a word") && strings.Contains(all, "nothing is not defined")
	})
	var n []int
	p.Eval("fetch('/clip/none').then((r) => [r.status, 2])", &n)
	if len(n) != 2 || n[0] != 404 {
		t.Errorf("got %v", n)
	}
	if err := p.TryEval("nowhere.to.be.found", nil); err == nil {
		t.Error("no error")
	}
	img := p.ScreenshotOf("p")
	if r, g, b, _ := img.At(25, 20).RGBA(); img.Bounds().Size() != image.Pt(50, 40) || r>>8 != 255 || g+b != 0 {
		t.Errorf("%v of colour %d %d %d", img.Bounds(), r, g, b)
	}
	if got := p.Screenshot().Bounds().Dx(); got != 1280 {
		t.Errorf("the window is %d wide", got)
	}
	p.Eval("void (window.mark = 1)", nil)
	p.Reload()
	p.Eventually(time.Minute, "a new page", "window.mark === undefined")
}

func TestCheckShown(t *testing.T) {
	row := func(numbers ...int) []Shown { // pairs of frame number and media time in frames
		var shown []Shown
		for i := 0; i < len(numbers); i += 2 {
			shown = append(shown, Shown{Readable: numbers[i] >= 0, Stamp: testmedia.Stamp{Frame: uint32(max(numbers[i], 0))}, MediaTime: testmedia.NTSC.Time(int64(numbers[i+1]))})
		}
		return shown
	}
	for name, c := range map[string]struct {
		shown []Shown
		loop  int
		want  Continuity
	}{
		"perfect":  {row(5, 100, 6, 101, 7, 102), 0, Continuity{Pictures: 3}},
		"skipped":  {row(5, 100, 8, 103, 9, 104), 0, Continuity{Pictures: 3, Skipped: 2}},
		"lost":     {row(5, 100, 8, 101), 0, Continuity{Pictures: 2, Lost: 2}},
		"repeated": {row(5, 100, 5, 101, 6, 102), 0, Continuity{Pictures: 3, Repeated: 1}},
		"back":     {row(5, 100, 4, 101), 0, Continuity{Pictures: 2, Repeated: 2}},
		"late":     {row(5, 100, 7, 101, 7, 102, 8, 103), 0, Continuity{Pictures: 4, Skipped: 1}},
		"lost one": {row(5, 100, 7, 101, 8, 102, 9, 103), 0, Continuity{Pictures: 4, Lost: 1}},
		"unread":   {row(5, 100, -1, 101, 7, 102), 0, Continuity{Pictures: 3, Unreadable: 1, Skipped: 1}},
		"loop":     {row(149, 100, 0, 101, 1, 102), 150, Continuity{Pictures: 3}},
	} {
		if got := CheckShown(c.shown, testmedia.NTSC, c.loop); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestContain(t *testing.T) {
	for _, c := range []struct {
		box           image.Rectangle
		width, height int
		want          image.Rectangle
	}{
		{image.Rect(0, 0, 960, 540), 640, 360, image.Rect(0, 0, 960, 540)},
		{image.Rect(0, 0, 800, 600), 360, 640, image.Rect(231, 0, 568, 600)},
		{image.Rect(0, 0, 600, 600), 640, 360, image.Rect(0, 131, 600, 468)},
		{image.Rect(0, 0, 600, 600), 0, 0, image.Rect(0, 0, 600, 600)},
	} {
		if got := contain(c.box, c.width, c.height); got != c.want {
			t.Errorf("%dx%d in %v: got %v, want %v", c.width, c.height, c.box, got, c.want)
		}
	}
}
