package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// askAPI asks the API for something about a stream and returns its answer.
func askAPI[T any](s *server, method, path string, ask any) (T, error) {
	var made T
	body, err := json.Marshal(ask)
	if err != nil {
		return made, err
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url("/api/v1/streams/"+path), bytes.NewReader(body))
	if err != nil {
		return made, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return made, err
	}
	defer resp.Body.Close()
	if resp.StatusCode > 299 {
		text, _ := io.ReadAll(resp.Body)
		return made, fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return made, json.NewDecoder(resp.Body).Decode(&made)
}

// mark asks the API for something about a stream's markers.
func (s *server) mark(method, path string, ask any) (status.Marked, error) {
	return askAPI[status.Marked](s, method, path, ask)
}

// listenForMarkers has the player page remember what hls.js tells of metadata:
// its own event, and the cues with the time of play at which they begin.
const listenForMarkers = `(() => {
	const seen = window.__markers = { parsed: 0, cues: [] };
	const { hls, video } = window.millracePlayer;
	hls.on('hlsFragParsingMetadata', (_, data) => { seen.parsed += data.samples.filter((s) => s.type === 'https://aomedia.org/emsg/ID3').length; });
	const follow = (track) => {
		if (track.kind !== 'metadata') return;
		track.mode = 'hidden';
		track.addEventListener('cuechange', () => {
			for (const cue of track.activeCues) {
				if (seen.cues.some((c) => c.cue === cue)) continue;
				seen.cues.push({ cue, type: cue.type, id: cue.id, key: cue.value?.key ?? '', info: cue.value?.info ?? '', data: String(cue.value?.data ?? ''), start: cue.startTime, end: cue.endTime, at: video.currentTime });
			}
		});
	};
	for (const track of video.textTracks) follow(track);
	video.textTracks.addEventListener('addtrack', (e) => follow(e.track));
})()`

// cue is a cue that has begun.
type cue struct {
	Type, ID, Key, Info, Data string
	Start, End, At            float64
}

// browserSeesMarkers marks a stream while hls.js plays it in low latency: it
// tells of the metadata at its frame, and of the date range at its time.
func browserSeesMarkers(t *testing.T) {
	s := start(t, "127.0.0.1", "demo", "streams: [{path: demo, ladder: passthrough}]")
	s.eventually(20*time.Second, "the hold-back is in reserve", func() error {
		m, err := mediaPlaylist(s.url("/hls/demo/720p/index.m3u8"))
		if err == nil && len(m.Segments) < 1 {
			err = fmt.Errorf("no segment yet")
		}
		return err
	})
	page := browser.Open(t, s.url("/watch/demo"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.hls")
	page.Eval(listenForMarkers, nil)
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	video.Shown()

	half := 0.5
	at := time.Now().Add(time.Second).UTC().Truncate(time.Millisecond)
	for _, ask := range []status.Marker{
		{ID: "range", Class: "org.example", Start: at.Format(time.RFC3339Nano), Duration: &half, Attributes: map[string]any{"X-WHAT": "goal"}},
		{Start: at.Format(time.RFC3339Nano), Text: map[string]string{"what": "goal"}},
	} {
		if _, err := s.mark(http.MethodPost, "demo/markers", ask); err != nil {
			t.Fatal(err)
		}
	}
	var cues []cue
	tools.Eventually(t, 20*time.Second, "both cues", func() bool {
		page.Eval("window.__markers.cues.map(({ cue, ...rest }) => rest)", &cues)
		return len(cues) >= 2
	})
	shown := video.Shown()
	metadata, dateRange := cues[0], cues[1]
	if metadata.Key != "TXXX" {
		metadata, dateRange = dateRange, metadata
	}
	if metadata.Key != "TXXX" || metadata.Info != "what" || metadata.Data != "goal" || dateRange.Key != "X-WHAT" || dateRange.Data != "goal" {
		t.Fatalf("cues %+v", cues)
	}
	var parsed int
	if page.Eval("window.__markers.parsed", &parsed); parsed != 1 {
		t.Errorf("FRAG_PARSING_METADATA told of %d tags", parsed)
	}
	// One came by the media's timestamps, the other by its dates.
	if off := metadata.Start - dateRange.Start; off < -0.02 || off > 0.02 {
		t.Errorf("the metadata begins %.3f s after the date range", off)
	}
	if length := dateRange.End - dateRange.Start; length < 0.49 || length > 0.51 {
		t.Errorf("the date range lasts %.3f s", length)
	}
	for _, c := range cues {
		if late := c.At - c.Start; late < -0.05 || late > 0.4 {
			t.Errorf("%s was told of %.3f s after its time", c.Key, late)
		}
	}
	// The frame that is shown then was drawn then, but for the way from the
	// camera to the server.
	frame, ok := shownAt(shown, metadata.Start)
	if !ok {
		t.Fatalf("no readable picture at %.3f s among %d", metadata.Start, len(shown))
	}
	way := at.Sub(frame.Wall)
	t.Logf("the frame at the marker was drawn %v before it", way)
	if way < -40*time.Millisecond || way > 500*time.Millisecond {
		t.Errorf("the frame at the marker was drawn %v before it", way)
	}
}

// shownAt is the picture that is on the screen at a time of play.
func shownAt(shown []browser.Shown, at float64) (best browser.Shown, ok bool) {
	for _, p := range shown {
		if p.Readable && p.MediaTime.Seconds() <= at+0.001 && at-p.MediaTime.Seconds() < 0.1 {
			best, ok = p, true
		}
	}
	return best, ok
}

// TestMarkersInTransportStreams has ffprobe find the ID3 tag of a marker in a
// segment, at its time.
func TestMarkersInTransportStreams(t *testing.T) {
	t.Parallel()
	s := start(t, "127.0.0.1", "demo", "streams: [{path: demo, ladder: passthrough, hls: {container: ts}}]")
	list := s.url("/hls/demo/720p/index.m3u8")
	s.eventually(20*time.Second, "a playlist", func() error {
		_, err := mediaPlaylist(list)
		return err
	})
	made, err := s.mark(http.MethodPost, "demo/markers", status.Marker{Start: "+1s", Text: map[string]string{"title": "Some Song"}})
	if err != nil {
		t.Fatal(err)
	}
	var uri string
	var into time.Duration // the segment
	s.eventually(20*time.Second, "the marker's segment", func() error {
		m, err := mediaPlaylist(list)
		if err != nil {
			return err
		}
		for _, seg := range m.Segments {
			if d := made.Start.Sub(seg.ProgramDateTime); d >= 0 && d < seg.Duration {
				uri, into = seg.URI, d
				return nil
			}
		}
		return fmt.Errorf("not among %d segments", len(m.Segments))
	})
	probed := tools.MustProbe(t, s.url("/hls/demo/720p/"+uri), "-show_packets")
	id3 := probed.Find("data")
	if id3 == nil || id3.Codec != "timed_id3" {
		t.Fatalf("streams %+v", probed.Streams)
	}
	var tags []tools.ProbedPacket
	for _, p := range probed.Packets {
		if p.Stream == id3.Index {
			tags = append(tags, p)
		}
	}
	if len(tags) != 1 {
		t.Fatalf("tags %+v", tags)
	}
	at := time.Duration(tags[0].PTSTime - probed.Find("video").Start)
	if off := at - into; off.Abs() > 20*time.Millisecond {
		t.Errorf("the tag is at %v of its segment, the marker at %v", at, into)
	}
}
