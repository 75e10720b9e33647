package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/datarhei/gosrt"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSplices publishes a transport stream with SCTE 35 in it: playlists list
// the break at the date of its picture.
func TestSplices(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: '*', ladder: passthrough, hls: {window: 60s}}]")
	clip, recipe := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 8 * time.Second })
	file := filepath.Join(t.TempDir(), "film.ts")
	mux := tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{"-v", "error", "-nostdin", "-i", clip, "-c", "copy", "-f", "mpegts", file}})
	if err := mux.Wait(); err != nil {
		t.Fatal(err)
	}
	const clock = 90000
	first := tools.FirstPTS(tools.SpliceFile(t, file))
	out, in := tools.SpliceInsert(7, true, first+4*clock, 3*clock), tools.SpliceInsert(7, false, first+6*clock, 0)
	content := tools.SpliceFile(t, file, tools.Splice{At: 2 * time.Second, Section: out}, tools.Splice{At: 5 * time.Second, Section: in})
	send(t, s.srt, "publish:live/cam", content, recipe.Duration)

	var p *presentation
	s.eventually(20*time.Second, "the break has begun and ended", func() (err error) {
		if p, err = load(s.hls("live/cam")); err != nil {
			return err
		}
		ranges := p.media["360p"].DateRanges
		if len(ranges) != 1 || ranges[0].Duration < 0 {
			err = fmt.Errorf("date ranges %+v", ranges)
		}
		return err
	})
	m := p.media["360p"]
	got := m.DateRanges[0]
	want := m.Segments[0].ProgramDateTime.Add(4 * time.Second)
	if off := got.Start.Sub(want); off.Abs() > 20*time.Millisecond {
		t.Errorf("the break begins %v from its picture", off)
	}
	if !bytes.Equal(got.Out, out) || !bytes.Equal(got.In, in) || (got.Duration-2*time.Second).Abs() > 20*time.Millisecond || got.Planned != 3*time.Second {
		t.Errorf("it is listed as %+v", got)
	}
}

// send sends a transport stream over SRT, in real time; it goes on after it
// has returned.
func send(t *testing.T, address, id string, content []byte, length time.Duration) {
	t.Helper()
	c := srt.DefaultConfig()
	c.StreamId = id
	conn, err := srt.Dial("srt", address, c)
	if err != nil {
		t.Fatal(err)
	}
	const piece = 7 * 188
	ticker := time.NewTicker(time.Duration(int64(length) * piece / int64(len(content))))
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	go func() {
		defer close(done)
		defer func() { _ = conn.Close() }() // it never fails
		defer ticker.Stop()
		for at := 0; at < len(content); at += piece {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			if _, err := conn.Write(content[at:min(at+piece, len(content))]); err != nil {
				t.Errorf("send: %v", err)
				return
			}
		}
		<-stop // what was sent last is still on its way
	}()
}
