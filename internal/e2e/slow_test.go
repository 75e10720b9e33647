package e2e

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSlowReaders has readers stop in the middle, by RTSP and of a segment,
// which must cost nobody else anything: the stream goes through whole, readers
// beside them miss nothing, and the server's memory does not grow with what
// they leave.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams: [{path: "*", ladder: passthrough, hls: {window: 60s}}]`)
	clip, recipe := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) {
		r.Name, r.Duration, r.Video.Bitrate, r.Video.Detail = "fat", 4*time.Second, 16_000_000, 1
	})
	s.publish("fat", clip)
	p := s.live("fat", 1)
	before, err := tools.UsageOf(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	var stuck []*wire
	for range 3 {
		w := s.rtspWire(t, "fat")
		w.play()
		stuck = append(stuck, w)
	}
	for range 10 {
		c := dial(t, s.http)
		segments := p.media["720p"].Segments
		if _, err := fmt.Fprintf(c, "GET /hls/fat/720p/%s HTTP/1.1\r\nHost: localhost\r\n\r\n", segments[len(segments)-1].URI); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	r := tools.MustRead(t, time.Minute, s.rtspURL("fat"), tools.ReadOptions{
		Input: []string{"-rtsp_transport", "tcp"}, Length: 12 * time.Second,
	})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Errorf("a reader beside them: %v", err)
	}
	s.eventually(20*time.Second, "the readers that read nothing are gone", func() error {
		st, err := s.stream("fat")
		if err == nil && st.Readers > 0 {
			err = fmt.Errorf("there are %d", st.Readers)
		}
		return err
	})
	for _, w := range stuck {
		closedWithin(t, w, time.Second, "a reader that reads nothing")
	}
	if p, err = load(s.hls("fat")); err != nil {
		t.Fatal(err)
	}
	p.checkAligned(t, frame30)
	if v, _ := p.decode(t, p.multi.Variants[0]); v.Check(recipe.Frames()) != nil {
		t.Errorf("viewers: %v", v.Check(recipe.Frames()))
	}
	after, err := tools.UsageOf(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	// three queues of 4 MiB and what the collector leaves; the segments are
	// mapped by nobody
	if grown := after.Resident - before.Resident; grown > 64<<20 {
		t.Errorf("the server grew by %d MiB", grown>>20)
	}
	// what they missed is counted
	if st, err := s.stream("fat"); err != nil || st.State != status.Live || st.Input.Lost > 0 || st.Input.Dropped == 0 {
		t.Errorf("%+v, %v", st, err)
	}
}
