package transcode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

func TestProbe(t *testing.T) {
	s := supervise(t, Options{Command: worker("good")})
	info, err := s.Probe(t.Context(), "clip.mp4")
	if err != nil || info.Container != "fake" || len(info.Streams) != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
	var d *Death
	if _, err := s.Probe(t.Context(), "broken.mp4"); !errors.As(err, &d) || d.Outcome != Refused || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if _, err := s.Probe(t.Context(), "odd"); !errors.As(err, &d) || d.Outcome != Broke {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.Probe(ctx, "hang"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := supervise(t, Options{Command: worker("exit=2")}).Probe(t.Context(), "x"); !errors.As(err, &d) || d.Outcome != Crashed {
		t.Error(err)
	}
}

func TestDemuxer(t *testing.T) {
	s := supervise(t, Options{Command: worker("good")})
	for _, c := range []struct {
		input   string
		packets int
		outcome Outcome // empty: io.EOF
	}{
		{"clip.mp4", 100, ""},
		{"empty", 0, ""},
		{"truncated", 51, Refused},
		{"crash", 51, Crashed},
	} {
		t.Run(c.input, func(t *testing.T) {
			d, err := s.Open(t.Context(), c.input)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if tracks := d.Tracks(); len(tracks) != 2 || tracks[0].Kind != media.Video || tracks[1].Kind != media.Audio || d.Info().Container != "fake" {
				t.Errorf("tracks %v", tracks)
			}
			n := 0
			for {
				p, err := d.Next()
				if err == nil {
					if p.Track != d.Tracks()[0] || p.PTS != int64(n)*3000 {
						t.Errorf("packet %d: %+v", n, p)
					}
					n++
					continue
				}
				var death *Death
				if c.outcome == "" && err != io.EOF || c.outcome != "" && (!errors.As(err, &death) || death.Outcome != c.outcome) { //nolint:errorlint // bare by contract
					t.Errorf("ends with %v", err)
				}
				if _, again := d.Next(); !errors.Is(again, err) {
					t.Errorf("then with %v", again)
				}
				break
			}
			if n != c.packets {
				t.Errorf("%d packets", n)
			}
			d.Close()
		})
	}
	var d *Death
	if _, err := s.Open(t.Context(), "broken.mp4"); !errors.As(err, &d) || d.Outcome != Refused {
		t.Error(err)
	}
	if _, err := s.Open(t.Context(), "subtitles"); !errors.Is(err, ErrNoTracks) {
		t.Error(err)
	}
}

func TestDemuxerEndsWithItsContext(t *testing.T) {
	s := supervise(t, Options{Command: worker("good")})
	ctx, cancel := context.WithCancel(t.Context())
	d, err := s.Open(ctx, "clip.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	cancel()
	for err == nil {
		_, err = d.Next()
	}
	if !errors.Is(err, context.Canceled) && err != io.EOF { //nolint:errorlint // it may have been at its end
		t.Error(err)
	}
}

func keyframe(payload string) *media.Packet {
	return &media.Packet{Track: h264(640, 360), Key: true, Payload: []byte(payload)}
}

func TestThumbnailer(t *testing.T) {
	th := supervise(t, Options{Command: worker("good")}).Thumbnailer()
	defer th.Close()
	first, err := th.JPEG(t.Context(), keyframe("key"), 320)
	if err != nil || !bytes.HasSuffix(first, []byte(" 320")) {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := th.JPEG(t.Context(), keyframe("key"), 320); err != nil || !bytes.Equal(again, first) {
		t.Errorf("another worker made the second: %q, %v", again, err)
	}
	if _, err := th.JPEG(t.Context(), keyframe("broken"), 320); !errors.Is(err, ErrNoPicture) {
		t.Error(err)
	}
	if again, err := th.JPEG(t.Context(), keyframe("key"), 320); err != nil || !bytes.Equal(again, first) {
		t.Errorf("a broken frame cost the worker: %q, %v", again, err)
	}
	for _, bad := range []*media.Packet{nil, {Track: h264(640, 360)}, {Track: aac(), Key: true}} {
		if _, err := th.JPEG(t.Context(), bad, 320); !errors.Is(err, ErrNoPicture) {
			t.Error(err)
		}
	}

	// The caller leaves; the worker stays.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := th.JPEG(ctx, keyframe("slow"), 320); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if again, err := th.JPEG(t.Context(), keyframe("key"), 320); err != nil || !bytes.Equal(again, first) {
		t.Errorf("an impatient caller cost the worker: %q, %v", again, err)
	}

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := th.JPEG(t.Context(), keyframe("key"), 160); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestThumbnailerReplacesItsWorker(t *testing.T) {
	for _, c := range []struct {
		payload string
		outcome Outcome
	}{{"crash", Crashed}, {"no jpeg", Broke}, {"other", Broke}} {
		t.Run(c.payload, func(t *testing.T) {
			t.Parallel()
			th := supervise(t, Options{Command: worker("good")}).Thumbnailer()
			defer th.Close()
			var d *Death
			if _, err := th.JPEG(t.Context(), keyframe(c.payload), 320); !errors.As(err, &d) || d.Outcome != c.outcome {
				t.Fatal(err)
			}
			if _, err := th.JPEG(t.Context(), keyframe("key"), 320); !errors.Is(err, ErrNoPicture) {
				t.Errorf("at once: %v", err)
			}
			var err error
			for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
				if _, err = th.JPEG(t.Context(), keyframe("key"), 320); err == nil {
					return
				}
			}
			t.Errorf("after a while: %v", err)
		})
	}
}

func TestThumbnailerCloses(t *testing.T) {
	th := supervise(t, Options{Command: worker("good")}).Thumbnailer()
	if _, err := th.JPEG(t.Context(), keyframe("key"), 320); err != nil {
		t.Fatal(err)
	}
	th.Close()
	th.Close()
	if _, err := th.JPEG(t.Context(), keyframe("key"), 320); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	never := supervise(t, Options{Command: worker("good")}).Thumbnailer()
	never.Close()
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"clips/a?b.mp4":                   "clips/a?b.mp4",
		"rtsp://user:pass@camera/stream1": "rtsp://user:xxxxx@camera/stream1",
		"https://host/a.m3u8?key=secret":  "https://host/a.m3u8",
		"http://[::1/broken":              "http://…",
	} {
		if got := redact(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}
