package browser

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Player is one that is not ours, on a page with nothing else.
type Player string

// The players, as npm brings them to the folder players.
const (
	DashJS Player = "dashjs/dist/modern/umd/dash.all.min.js"
	Shaka  Player = "shaka-player/dist/shaka-player.compiled.js"
)

// setUp starts each of them; window.player is for the curious.
var setUp = map[Player]string{
	DashJS: `
		window.player = dashjs.MediaPlayer().create();
		player.on('error', (e) => console.error(JSON.stringify(e.error)));
		player.initialize(video, url, true);`,
	Shaka: `
		shaka.polyfill.installAll();
		window.player = new shaka.Player();
		const say = (e) => console.error(e.code ? [e.category, e.code, JSON.stringify(e.data)].join(" ") : String(e.stack));
		player.addEventListener('error', (e) => say(e.detail));
		player.attach(video).then(() => player.load(url)).then(() => video.play(), say);`,
}

// Play opens a page on which a player plays a URL of another origin, and
// watches it.
func Play(t testing.TB, p Player, url string) *Video {
	t.Helper()
	script := filepath.Join(modules(t), filepath.FromSlash(string(p)))
	if _, err := os.Stat(script); err != nil {
		t.Fatalf("the player is not there: %v (make players)", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /player.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><meta charset=utf-8><body style="margin:0;background:black">
			<video id=video muted playsinline autoplay style="width:960px;height:540px" data-url="%s"></video>
			<script src=/player.js></script>
			<script>{ const video = document.querySelector('video'), url = video.dataset.url;%s }</script>`, html.EscapeString(url), setUp[p])
	})
	site := httptest.NewServer(mux)
	t.Cleanup(func() {
		site.CloseClientConnections()
		site.Close()
	})
	video := Open(t, site.URL).Watch("video")
	video.Playing(30 * time.Second)
	return video
}

// modules is the folder of npm's packages.
func modules(t testing.TB) string {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("this program does not know its source")
	}
	return filepath.Join(filepath.Dir(here), "players", "node_modules")
}
