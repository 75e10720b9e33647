//go:build soak

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSoakRates plays streams of every frame rate side by side in one browser
// for five minutes, with and without B-frames. Their packets come up to 200 ms
// late, and every publisher is away once, in the middle. Nothing else may make
// a player wait, and millrace check finds nothing.
func TestSoakRates(t *testing.T) {
	for _, bframes := range []int{0, 2} {
		t.Run(fmt.Sprintf("%d B-frames", bframes), func(t *testing.T) { playRates(t, bframes, soakTime(t, 5*time.Minute)) })
	}
}

func playRates(t *testing.T, bframes int, length time.Duration) {
	s := serve(t, `streams: [{path: "*", ladder: passthrough}]`)
	near := delayed(t, s.rtsp)
	rates := []struct {
		path     string
		rate     testmedia.Rate
		variable bool
	}{
		{"film", testmedia.Film, false},
		{"pal", testmedia.Rate{Num: 25, Den: 1}, false},
		{"ntsc", testmedia.NTSC, false},
		{"thirty", testmedia.FPS30, false},
		{"fifty", testmedia.FPS50, false},
		{"ntsc60", testmedia.NTSC60, false},
		{"variable", testmedia.FPS30, true},
	}
	var paths []string
	clips, publishers := map[string]string{}, map[string]*tools.Process{}
	publish := func(path string) {
		publishers[path] = tools.PublishFFmpeg(t, tools.Publication{Input: clips[path], URL: "rtsp://" + near + "/" + path})
	}
	for _, r := range rates {
		clips[r.path], _ = tools.Clip(t, "h264", func(c *testmedia.Recipe) {
			c.Name, c.Duration = "rate-"+r.path, length/2+time.Minute
			c.Video.Width, c.Video.Height, c.Video.Bitrate = 320, 180, 200_000
			c.Video.Rate, c.Video.Variable, c.Video.BFrames = r.rate, r.variable, bframes
		})
		paths = append(paths, r.path)
		publish(r.path)
	}
	for _, path := range paths {
		reserve(s, path)
	}
	list, err := json.Marshal(paths)
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Open(t, wall(t, s))
	page.Eval(fmt.Sprintf(besides, list), nil)
	page.Eventually(30*time.Second, "all of them play", "window.__players.every((p) => p.video()?.currentTime > 1)")
	page.Eval("window.__players.forEach((p) => p.begin())", nil)
	begin := time.Now()
	<-time.After(length / 2)
	quiet(t, page, "before the publishers left")
	for _, path := range paths {
		publishers[path].Kill()
		<-publishers[path].Done()
	}
	<-time.After(3 * time.Second)
	for _, path := range paths {
		publish(path)
	}
	page.Eventually(30*time.Second, "all of them play again", "window.__players.every((p) => p.moving())")
	<-time.After(10 * time.Second) // what was missing is made up for
	page.Eval("window.__players.forEach((p) => p.begin())", nil)
	<-time.After(length - time.Since(begin))
	quiet(t, page, "after they came back")
	for _, path := range paths {
		judged(t, s.hls(path))
	}
}

// wall is an empty page of the server's own origin, which may look into the
// players that it frames.
func wall(t *testing.T, s *server) string {
	t.Helper()
	to, err := url.Parse(s.url(""))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(to))
	mux.HandleFunc("GET /wall", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><body>")
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	return front.URL + "/wall"
}

// besides opens players beside each other, and watches them all: a player
// waits where its time stands still for half a second.
const besides = `void (() => {
	window.__players = %s.map((path, i) => {
		const frame = document.createElement('iframe');
		frame.style = 'position:fixed;width:320px;height:180px;bottom:0;left:' + 120 * i + 'px';
		frame.src = '/watch/' + path + '?embed';
		document.body.append(frame);
		const player = { path, waits: [], at: -1, since: 0 };
		player.video = () => frame.contentWindow.millracePlayer?.video;
		player.moving = () => performance.now() - player.since < 400;
		player.begin = () => { player.waits = []; player.since = performance.now(); };
		setInterval(() => {
			const [time, now] = [player.video()?.currentTime ?? -1, performance.now()];
			if (time === player.at) return;
			if (now - player.since > 500 && player.since > 0) player.waits.push({ at: player.at, ms: Math.round(now - player.since) });
			player.at = time;
			player.since = now;
		}, 50);
		return player;
	});
})()`

func quiet(t *testing.T, page *browser.Page, when string) {
	t.Helper()
	var players []struct {
		Path  string
		Waits []struct{ At, Ms float64 }
	}
	page.Eval("window.__players.map(({ path, waits }) => ({ path, waits }))", &players)
	for _, p := range players {
		if len(p.Waits) > 0 {
			t.Errorf("%s, %s waited: %+v", when, p.Path, p.Waits)
		}
	}
}

// delayed is an address that leads to another one, over which what is sent
// comes up to 200 ms late.
func delayed(t *testing.T, to string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			wg.Go(func() {
				defer in.Close()
				_, _ = io.Copy(in, out)
			})
			wg.Go(func() {
				defer out.Close()
				b := make([]byte, 64<<10)
				for {
					n, err := in.Read(b)
					if err != nil {
						return
					}
					if rand.IntN(20) == 0 { // what comes meanwhile is late too
						<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
					}
					if _, err := out.Write(b[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	return l.Addr().String()
}
