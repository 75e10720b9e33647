package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia/tools"
)

const recorded = `streams: [{path: "*", ladder: passthrough, record: true, hold: 1s, hls: {dvr: 60s}}]`

// recordings asks the API for them.
func (s *server) recordings() ([]status.Recording, error) {
	var list struct{ Recordings []status.Recording }
	b, err := s.get("/api/v1/recordings")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	return list.Recordings, err
}

// kept waits until there are n recordings and none is being written.
func (s *server) kept(n int) []status.Recording {
	s.t.Helper()
	var list []status.Recording
	s.eventually(15*time.Second, fmt.Sprintf("%d recordings are finished", n), func() (err error) {
		list, err = s.recordings()
		done := 0
		for _, r := range list {
			if !r.Writing {
				done++
			}
		}
		if err == nil && (done != n || len(list) != n) {
			err = fmt.Errorf("%+v", list)
		}
		return err
	})
	return list
}

// long waits until a stream's long playlists list n segments.
func (s *server) long(path string, n int) *playlist.Media {
	s.t.Helper()
	var m *playlist.Media
	s.eventually(40*time.Second, fmt.Sprintf("%d segments are listed", n), func() error {
		p, err := load(s.url("/hls/" + path + "/dvr.m3u8"))
		if err != nil {
			return err
		}
		m = p.media[p.names()[0]]
		if len(m.Segments) < n {
			err = fmt.Errorf("%d", len(m.Segments))
		}
		return err
	})
	return m
}

// judged has millrace check judge a presentation.
func judged(t *testing.T, url string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), binary, "check", "--for", "6s", url).CombinedOutput(); err != nil {
		t.Errorf("check of %s: %v\n%s", url, err, out)
	}
}

// TestRecording records a stream that can be seeked in, cuts a clip out of it,
// ends it, and reads what is left behind: by the API, as HLS, and as a clip.
func TestRecording(t *testing.T) {
	t.Parallel()
	s := serve(t, recorded)
	source, _ := tools.Clip(t, "h264-720p30")
	s.publish("cam", source)
	m := s.long("cam", 6)
	judged(t, s.url("/hls/cam/dvr.m3u8"))

	from := m.Segments[1].ProgramDateTime
	for _, c := range []struct {
		query  string
		start  time.Time // keyframe at or before from; zero where that is not known
		length time.Duration
	}{
		{"from=" + stamp(from) + "&to=" + stamp(from.Add(5*time.Second)), from, 5 * time.Second},
		{"from=" + stamp(from.Add(1900*time.Millisecond)) + "&to=" + stamp(from.Add(4*time.Second)), time.Time{}, 2100 * time.Millisecond},
		{"from=6&to=2", time.Time{}, 4 * time.Second},
	} {
		s.clip("/hls/cam/clip.mp4?"+c.query, c.start, c.length)
	}
	for query, want := range map[string]int{
		"": 400, "from=x": 400, "from=-1": 400, "from=2&to=4": 400, "from=999999&to=999990": 416,
		"from=5&rendition=nothing": 404, "from=2026-01-01T00:00:00Z": 400, "from=5&to=1e300": 400,
		"from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z": 416,
	} {
		if _, err := s.get("/hls/cam/clip.mp4?" + query); !isStatus(err, want) {
			t.Errorf("clip.mp4?%s: %v, want %d", query, err, want)
		}
	}
	if b, err := s.get("/hls/cam/clip.mp4?from=4&rendition=audio"); err != nil || len(b) < 10_000 {
		t.Errorf("a clip of the sound: %d bytes, %v", len(b), err)
	}
	if list, err := s.recordings(); err != nil || len(list) != 1 || !list[0].Writing || list[0].Size == 0 {
		t.Errorf("while it is live: %+v, %v", list, err)
	}

	s.delete("/api/v1/streams/cam", http.StatusNoContent)
	r := s.kept(1)[0]
	if r.Seconds < 10 || r.Size < 100_000 || r.Path != "cam" {
		t.Errorf("%+v", r)
	}
	p, err := load(r.URLs.HLS)
	if err != nil {
		t.Fatal(err)
	}
	p.checkAligned(t, frame30)
	for name, m := range p.media {
		if m.Type != playlist.VOD || !m.EndList {
			t.Errorf("%s: type %q, end %v", name, m.Type, m.EndList)
		}
	}
	probed := tools.MustProbe(t, r.URLs.HLS, "-show_format", "-show_streams")
	if off := time.Duration(probed.Format.Duration) - time.Duration(r.Seconds*float64(time.Second)); off.Abs() > 200*time.Millisecond {
		t.Errorf("ffprobe reads %v, the API says %v s", probed.Format.Duration, r.Seconds)
	}
	if probed.Find("video") == nil || probed.Find("audio") == nil {
		t.Errorf("%+v", probed.Streams)
	}
	judged(t, r.URLs.HLS)
	s.clip("/rec/cam/"+r.ID+"/clip.mp4?from="+stamp(from)+"&to="+stamp(from.Add(5*time.Second)), from, 5*time.Second)

	s.delete("/api/v1/recordings/cam/"+r.ID, http.StatusNoContent)
	s.delete("/api/v1/recordings/cam/"+r.ID, http.StatusNotFound)
	if _, err := fetch(r.URLs.HLS); !isStatus(err, 404) {
		t.Errorf("it is gone and answers: %v", err)
	}
}

func stamp(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }

// clip downloads one and holds it to its promises: a picture that begins with
// a keyframe, sound beside it, as long as was asked for or longer by what is
// before a keyframe.
func (s *server) clip(path string, start time.Time, length time.Duration) {
	t := s.t
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v: %.100s", path, resp.StatusCode, err, b)
	}
	if name := resp.Header.Get("Content-Disposition"); !start.IsZero() && name != `attachment; filename="clip-`+start.UTC().Format("2006-01-02T15-04-05Z")+`.mp4"` {
		t.Errorf("%s is called %s", path, name)
	}
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	probed := tools.MustProbe(t, file, "-show_packets", "-show_streams", "-show_format")
	ends := map[string]time.Duration{}
	starts := map[string]time.Duration{}
	for _, pk := range probed.Packets {
		if _, seen := starts[pk.Kind]; !seen {
			starts[pk.Kind] = time.Duration(pk.PTSTime)
			if !pk.Key() {
				t.Errorf("%s: the first packet of %s is no keyframe", path, pk.Kind)
			}
		}
		ends[pk.Kind] = max(ends[pk.Kind], time.Duration(pk.PTSTime))
	}
	if starts["video"].Abs() > time.Millisecond || starts["audio"].Abs() > 30*time.Millisecond || len(starts) != 2 {
		t.Errorf("%s begins at %v", path, starts)
	}
	lasts := ends["video"] + frame30
	longest := length + 2*frame30
	if start.IsZero() {
		longest += 2 * time.Second // up to the keyframe before
	}
	if lasts < length-2*frame30 || lasts > longest {
		t.Errorf("%s lasts %v, not %v", path, lasts, length)
	}
	if off := ends["audio"] - ends["video"]; off.Abs() > 100*time.Millisecond {
		t.Errorf("%s: the sound ends %v after the picture", path, off)
	}
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s cannot be decoded: %v\n%s", path, err, out)
	}
}

func (s *server) delete(path string, want int) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodDelete, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		s.t.Errorf("DELETE %s: %d, want %d", path, resp.StatusCode, want)
	}
}

// TestRecordingSurvivesAKill kills a server in the middle of a recording. The
// next one finishes it and goes on with another one, and its long playlist goes
// on with what was there.
func TestRecordingSurvivesAKill(t *testing.T) {
	t.Parallel()
	s := serve(t, recorded)
	source, _ := tools.Clip(t, "h264-720p30")
	s.publish("cam", source)
	before := s.long("cam", 4)
	s.Kill()
	<-s.Done()

	s.Process = tools.Start(t, tools.Command{Path: binary, Args: []string{"serve", "-c", s.configFile()}})
	again := s.Process
	t.Cleanup(func() {
		if err := again.Signal(syscall.SIGTERM); err != nil || !again.Ends(10*time.Second) {
			t.Errorf("the second server does not stop: %v", err)
		}
	})
	s.eventually(10*time.Second, "the server is ready again", func() error { _, err := s.get("/readyz"); return err })
	r := s.kept(1)[0]
	if r.Seconds < 5 {
		t.Errorf("%+v", r)
	}
	judged(t, r.URLs.HLS)
	tools.MustProbe(t, r.URLs.HLS, "-show_streams")

	s.publish("cam", source)
	after := s.long("cam", len(before.Segments)+4)
	if after.MediaSequence != before.MediaSequence || after.DiscontinuitySequence != before.DiscontinuitySequence {
		t.Errorf("time shift begins with %d/%d, before the kill with %d/%d",
			after.MediaSequence, after.DiscontinuitySequence, before.MediaSequence, before.DiscontinuitySequence)
	}
	for i, segment := range before.Segments {
		if got := after.Segments[i]; got.URI != segment.URI || !got.ProgramDateTime.Equal(segment.ProgramDateTime) {
			t.Errorf("segment %d is %s of %v, before the kill %s of %v", i, got.URI, got.ProgramDateTime, segment.URI, segment.ProgramDateTime)
		}
	}
	judged(t, s.url("/hls/cam/dvr.m3u8"))
	first := tools.MustProbe(t, s.url("/hls/cam/dvr.m3u8"), "-live_start_index", "0", "-read_intervals", "%+#30", "-show_packets", "-select_streams", "v")
	if len(first.Packets) < 30 {
		t.Errorf("%d packets of what was there before the kill", len(first.Packets))
	}
	list, err := s.recordings()
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestRetention lets a server remove at a reload what is too old.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := serve(t, recorded)
	source, _ := tools.Clip(t, "h264-720p30")
	s.publish("cam", source)
	s.long("cam", 3)
	s.delete("/api/v1/streams/cam", http.StatusNoContent)
	s.kept(1)
	s.configure(recorded + "\nretain: {age: 1s}")
	if err := s.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.kept(0)
	s.eventually(5*time.Second, "nothing is left on disk", func() error {
		left, err := os.ReadDir(filepath.Join(s.dir, "data", "recordings"))
		if err == nil && len(left) != 0 {
			err = fmt.Errorf("%v is", left)
		}
		return err
	})
}
