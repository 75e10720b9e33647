package pipeline

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

func TestWhoMayPublish(t *testing.T) {
	keys := func(cfg *config.Config, _ *Deps) {
		cfg.Auth.Publish = []config.PublishRule{{Path: "live/*", Key: "s3cret"}}
	}
	noLoopback := func(cfg *config.Config, deps *Deps) {
		keys(cfg, deps)
		deps.NoLoopback = true
	}
	here, there := net.IPv4(127, 0, 0, 1), net.IPv4(192, 0, 2, 7)
	for name, c := range map[string]struct {
		change   func(*config.Config, *Deps)
		from     net.IP
		path     string
		key      string // in the query
		password string // by the wire's own scheme
		want     error
	}{
		"here":                       {keys, here, "cam", "", "", nil},
		"here, where keys are":       {keys, here, "live/a", "", "", nil},
		"here, nobody is":            {noLoopback, here, "cam", "", "", ingest.ErrForbidden},
		"here, nobody is, key":       {noLoopback, here, "live/a", "s3cret", "", nil},
		"there, no keys":             {nil, there, "cam", "", "", ingest.ErrForbidden},
		"there, no keys, a key":      {nil, there, "cam", "s3cret", "", ingest.ErrForbidden},
		"there, no key":              {keys, there, "live/a", "", "", ingest.ErrUnauthorized},
		"there, wrong key":           {keys, there, "live/a", "s3cre", "", ingest.ErrUnauthorized},
		"there, key of another path": {keys, there, "cam", "s3cret", "", ingest.ErrForbidden},
		"there, key":                 {keys, there, "live/a", "s3cret", "", nil},
		"there, password":            {keys, there, "live/a", "", "s3cret", nil},
		"there, wrong password":      {keys, there, "live/a", "", "x", ingest.ErrUnauthorized},
		"bad path":                   {keys, here, "../cam", "", "", ingest.ErrBadPath},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "", c.change, passthrough("*"))
			req := request(c.path)
			req.Remote = &net.TCPAddr{IP: c.from, Port: 4000}
			req.Query = url.Values{}
			if c.key != "" {
				req.Query.Set("key", c.key)
			}
			if c.password != "" {
				req.Verify = func(_, password string) bool { return password == c.password }
			}
			// Before the tracks are known the same is said.
			if err := r.MayPublish(req); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("before the tracks are known: got %v, want %v", err, c.want)
			}
			refused := r.Events(t.Context())
			_, err := r.Publish(t.Context(), req, []*media.Track{h264(180)})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == nil {
				return
			}
			if e := <-refused; e.Type != "publisher:refused" || e.Path != c.path {
				t.Errorf("event %+v", e)
			}
			if len(r.List()) != 0 {
				t.Error("who is refused leaves a stream behind")
			}
		})
	}
}

func TestWhoMayRead(t *testing.T) {
	r := newRig(t, "", func(cfg *config.Config, _ *Deps) {
		cfg.Auth.View = []config.ViewRule{{Path: "private/*", Token: "v13w"}}
	}, passthrough("*"))
	r.publish("open", h264(180))
	r.publish("private/a", h264(180))
	for _, c := range []struct {
		path, token string
		want        error
	}{
		{"open", "", nil},
		{"private/a", "", ingest.ErrUnauthorized},
		{"private/a", "x", ingest.ErrUnauthorized},
		{"private/a", "v13w", nil},
		{"private/b", "v13w", ingest.ErrNotFound},
		{"none", "", ingest.ErrNotFound},
		{"/", "", ingest.ErrBadPath},
	} {
		req := request(c.path)
		req.Query = url.Values{"token": {c.token}}
		if _, err := r.Read(t.Context(), req); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s with %q: got %v, want %v", c.path, c.token, err, c.want)
		}
	}
}

// A path that is another stream's rendition is refused, and the reverse, from
// the moment that the other has been let in.
func TestClash(t *testing.T) {
	for _, c := range [][2]string{{"cam", "cam/180p"}, {"cam/180p", "cam"}, {"a/b", "a/b/audio"}, {"a/b/audio", "a/b"}} {
		r := newRig(t, "", nil, passthrough("*"))
		r.publish(c[0], h264(180), aac())
		_, err := r.Publish(t.Context(), request(c[1]), []*media.Track{h264(180), aac()})
		if !errors.Is(err, ingest.ErrForbidden) || !strings.Contains(err.Error(), "rendition") {
			t.Errorf("%s beside %s: %v", c[1], c[0], err)
		}
		r.publish("cam2/360p", h264(180))
		r.publish("cam2", h264(180))
	}
}

// A publisher that did not say what it sends is refused when its media has
// told: for the name of another stream, or for want of cores.
func TestLateAdmission(t *testing.T) {
	vague := func(height int) *media.Track {
		v := h264(height)
		v.Config, v.Width, v.Height = nil, 0, 0
		return v
	}
	for name, c := range map[string]struct {
		other string
		want  error
		words string
	}{
		"clash":    {"cam/480p", ingest.ErrForbidden, "rendition"},
		"below":    {"480p/cam", nil, ""},
		"overload": {"big", ingest.ErrOverloaded, "cores"},
	} {
		t.Run(name, func(t *testing.T) {
			cores := -1.0
			if name == "overload" {
				cores = 0.01
			}
			r := newRig(t, "", func(_ *config.Config, deps *Deps) {
				workers, err := transcode.NewSupervisor(transcode.Options{Command: []string{os.Args[0], "worker", ""}, Cores: cores})
				if err != nil {
					t.Fatal(err)
				}
				deps.Transcoder = workers
			}, auto("*"))
			r.begin(c.other, h264(720))
			refused := r.Events(t.Context())
			cam := r.publish("cam", vague(720))
			if err := cam.pub.SetTrack(0, h264(720)); err != nil {
				t.Fatal(err)
			}
			cam.send(time.Millisecond)
			if c.want == nil {
				r.until("life", func() bool { return r.state("cam") == status.Live })
				return
			}
			<-cam.pub.Done()
			if err := cam.pub.Err(); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("it is told %v", err)
			}
			for e := range refused {
				if e.Type == "publisher:refused" && e.Path == "cam" {
					break
				}
			}
			r.until("loss", func() bool { return r.state("cam") == status.Lost })
			if got := r.state(c.other); got != status.Live {
				t.Errorf("the other is %s", got)
			}
		})
	}
}

func TestSecondPublisherIsRefused(t *testing.T) {
	r := newRig(t, "", nil, passthrough("*"))
	r.publish("cam", h264(180))
	if _, err := r.Publish(t.Context(), request("cam"), []*media.Track{h264(180)}); !errors.Is(err, ingest.ErrBusy) {
		t.Error(err)
	}
}

func TestKickAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("*"))
		if err := r.Kick("cam", "x"); !errors.Is(err, status.ErrNotFound) {
			t.Error(err)
		}
		if err := r.End("cam", "x"); !errors.Is(err, status.ErrNotFound) {
			t.Error(err)
		}
		c := r.begin("cam", h264(180))
		if err := r.Kick("cam", "go away"); err != nil {
			t.Error(err)
		}
		<-c.pub.Done()
		if err := c.pub.Err(); err == nil || err.Error() != "go away" {
			t.Error(err)
		}
		synctest.Wait()
		if got := r.state("cam"); got != status.Lost {
			t.Errorf("kicked: %s", got)
		}
		if err := r.Kick("cam", "x"); !errors.Is(err, status.ErrNoPublisher) {
			t.Error(err)
		}
		c = r.begin("cam", h264(180))
		if err := r.End("cam", "over"); err != nil {
			t.Error(err)
		}
		<-c.pub.Done()
		synctest.Wait()
		if got := r.state("cam"); got != status.Ended {
			t.Errorf("ended: %s", got)
		}
		// Who comes now gets a new stream, whose numbers are higher.
		before, _ := r.list("cam/180p/index.m3u8")
		c = r.begin("cam", h264(180))
		c.send(2100 * time.Millisecond)
		synctest.Wait()
		after, _ := r.list("cam/180p/index.m3u8")
		if len(before) == 0 || len(after) == 0 || after[0].uri <= before[len(before)-1].uri {
			t.Errorf("%v, then %v", before, after)
		}
	})
}

// A reload ends what its section changed, and nothing else; a source that was
// removed is not pulled any more.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := passthrough("door", func(s *config.Stream) { s.Source = "rtsp://door" })
		pulls := map[string]int{}
		change := make(chan func(), 10)
		r := newRig(t, "", func(_ *config.Config, deps *Deps) {
			deps.Pull = func(ctx context.Context, url string, stream *ingest.Stream) {
				change <- func() { pulls[url]++ }
				_, _ = stream.Attach(ingest.PublisherInfo{}, []*media.Track{h264(180)})
				<-ctx.Done()
				change <- func() { pulls[url]-- }
			}
		}, source, passthrough("cam"), passthrough("other"))
		pulling := func(want string, n int) {
			t.Helper()
			synctest.Wait()
			for len(change) > 0 {
				(<-change)()
			}
			if pulls[want] != n {
				t.Errorf("pulls: %v, want %d of %s", pulls, n, want)
			}
		}
		r.begin("cam", h264(180))
		r.begin("other", h264(180))
		pulling("rtsp://door", 1)
		if _, err := r.Publish(t.Context(), request("door"), []*media.Track{h264(180)}); !errors.Is(err, ingest.ErrForbidden) {
			t.Error(err)
		}

		cfg := *r.cfg
		cfg.Streams = []config.Stream{source, passthrough("cam", hold(time.Second)), passthrough("other")}
		r.Reload(&cfg)
		pulling("rtsp://door", 1)
		for path, want := range map[string]status.State{"cam": status.Ended, "other": status.Live} {
			if got := r.state(path); got != want {
				t.Errorf("%s is %s", path, got)
			}
		}

		moved := source
		moved.Source = "rtsp://gate"
		cfg.Streams = []config.Stream{moved, passthrough("other")}
		r.Reload(&cfg)
		pulling("rtsp://door", 0)
		pulling("rtsp://gate", 1)

		cfg.Streams = []config.Stream{passthrough("other")}
		r.Reload(&cfg)
		pulling("rtsp://gate", 0)
		if got := r.state("door"); got != status.Ended {
			t.Errorf("a source that was removed is %s", got)
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := r.state("door"); got != "gone" {
			t.Errorf("a source that was removed is %s", got)
		}
	})
}

// A source that cannot be reached says why, from the beginning.
func TestUnreachableSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", func(_ *config.Config, deps *Deps) {
			deps.Pull = func(_ context.Context, _ string, stream *ingest.Stream) { stream.Unavailable(errors.New("no route")) }
		}, passthrough("door", func(s *config.Stream) { s.Source = "rtsp://door" }))
		synctest.Wait()
		if s, _ := r.Get("door"); s.State != status.Waiting || s.Error != "no route" {
			t.Errorf("%s, %q", s.State, s.Error)
		}
	})
}

// A stream that cannot be made disturbs neither its predecessor nor later
// attempts.
func TestStreamThatCannotBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		r.begin("cam", h264(180))
		if err := r.End("cam", "over"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		cfg := *r.cfg
		cfg.Streams = []config.Stream{passthrough("cam", func(s *config.Stream) { s.HLS.Window = -1 })}
		r.Reload(&cfg)
		for range 2 {
			if _, err := r.Publish(t.Context(), request("cam"), []*media.Track{h264(180)}); err == nil {
				t.Error("a window of less than nothing")
			}
		}
		if got := r.state("cam"); got != status.Ended {
			t.Errorf("the predecessor is %s", got)
		}
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("*"))
		a := r.begin("a", h264(180))
		r.publish("b", h264(180)) // gathers
		r.begin("c", h264(180)).pub.Close(nil)
		synctest.Wait()
		if err := r.Ready(); err != nil {
			t.Error(err)
		}
		if err := r.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-a.pub.Done()
		if err := r.Ready(); err == nil {
			t.Error("ready")
		}
		if _, err := r.Publish(t.Context(), request("d"), []*media.Track{h264(180)}); err == nil {
			t.Error("takes publishers")
		}
		if n := len(r.List()); n != 0 {
			t.Errorf("%d streams are left", n)
		}
		if _, ok := r.Playback("a/index.m3u8"); ok {
			t.Error("plays")
		}
		r.Reload(r.cfg)
	})
}
