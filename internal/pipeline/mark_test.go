package pipeline

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/id3"
	"github.com/millrace/millrace/packager/playlist"
)

// Markers of the API and of the publisher appear where viewers are, and are told
// to everybody.
func TestMarkersReachViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil, passthrough("cam"))
		events := r.Events(t.Context())
		if _, err := r.Mark("cam", status.Marker{}); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("no stream: %v", err)
		}
		c := r.begin("cam", h264(180), aac())
		c.send(3100 * time.Millisecond)
		time.Sleep(3100 * time.Millisecond) // media arrives by its own time
		half := 0.5
		made, err := r.Mark("cam", status.Marker{Class: "org.example", Duration: &half, Attributes: map[string]any{"X-N": 7}})
		if err != nil || made.ID == "" || *made.Duration != 0.5 {
			t.Fatalf("made %+v, %v", made, err)
		}
		if _, err := r.Mark("cam", status.Marker{Text: map[string]string{"title": "now"}, Start: "+500ms"}); err != nil {
			t.Fatal(err)
		}
		// The publisher's own, two seconds ahead of what it has sent.
		if err := c.pub.Mark(0, media.Ticks(5100*time.Millisecond, 90000), media.Marker{Kind: media.DateRange, ID: "splice-1", Duration: -1, Out: []byte{0xfc}}); err != nil {
			t.Fatal(err)
		}
		c.send(8100 * time.Millisecond)
		time.Sleep(5 * time.Second)
		if _, err := r.EndMarker("cam", "splice-1", status.MarkerEnd{SCTE35: &status.SCTE35{In: []byte{0xfd}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.EndMarker("cam", "splice-1", status.MarkerEnd{}); !errors.Is(err, status.ErrNoMarker) {
			t.Errorf("ended twice: %v", err)
		}
		c.send(10100 * time.Millisecond)
		synctest.Wait()
		_, text := r.get("cam/180p/index.m3u8")
		m, err := playlist.ParseMedia(text)
		if err != nil || len(m.DateRanges) != 2 {
			t.Fatalf("%v\n%s", err, text)
		}
		first := m.Segments[0].ProgramDateTime
		if d := m.DateRanges[1]; d.ID != "splice-1" || d.Start.Sub(first).Round(100*time.Millisecond) != 5100*time.Millisecond ||
			string(d.Out) != "\xfc" || string(d.In) != "\xfd" || d.Duration.Round(100*time.Millisecond) != 3*time.Second {
			t.Errorf("the publisher's: %+v, the media begins at %v", d, first)
		}
		if d := m.DateRanges[0]; d.ID != made.ID || d.Attributes[0] != (playlist.Attribute{Name: "X-N", Value: "7"}) {
			t.Errorf("the API's: %+v", d)
		}
		var carried []fmp4.Event
		for _, s := range m.Segments {
			code, body := r.get("cam/180p/" + s.URI)
			found, err := fmp4.ReadEvents([]byte(body))
			if code != http.StatusOK || err != nil {
				t.Fatal(code, err)
			}
			carried = append(carried, found...)
		}
		if len(carried) != 1 {
			t.Fatalf("carried %+v", carried)
		}
		if frames, err := id3.Read(carried[0].Message); err != nil || len(frames) != 1 || !strings.Contains(string(frames[0].Body), "title\x00now") {
			t.Errorf("%+v, %v", frames, err)
		}
		list, err := r.Markers("cam")
		if err != nil || len(list) != 2 || list[1].ID != "splice-1" || *list[1].Duration < 2.9 {
			t.Errorf("list %+v, %v", list, err)
		}
		told := 0
		for len(events) > 0 {
			if e := <-events; e.Type == "stream:marker" && e.Data.(map[string]status.Marked)["marker"].Kind != "" {
				told++
			}
		}
		if told != 4 {
			t.Errorf("%d events of markers", told)
		}
	})
}

func TestMarkersThatCannotBe(t *testing.T) {
	second := 1.0
	for _, c := range []struct {
		ask  status.Marker
		want string
	}{
		{status.Marker{Start: "soon"}, `start "soon"`},
		{status.Marker{Start: "+x"}, "no distance"},
		{status.Marker{Start: "2020-01-01T00:00:00Z"}, "30 days"},
		{status.Marker{Text: map[string]string{"a": "b"}, Duration: &second}, "nothing else"},
		{status.Marker{Text: map[string]string{"a": "b"}, ID3: []byte("ID3")}, "whole tag"},
		{status.Marker{Private: &status.Private{}}, "owner"},
	} {
		if m, err := markerOf(&c.ask, time.Now()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v gave %+v, %v", c.ask, m, err)
		}
	}
}

// A script marks by the times of its packets.
func TestScriptMarks(t *testing.T) {
	r := newRig(t, "", nil, auto("cam", byScript(scriptFile(t, "copy echo"))))
	c := r.begin("cam", h264(180), aac())
	r.play(c, "cam", 2100*time.Millisecond)
	r.actor("cam")
	say := func(json string) {
		t.Helper()
		if err := r.Send(Message{Path: "cam", Topic: markTopic, JSON: []byte(json)}); err != nil {
			t.Fatal(err)
		}
	}
	ranges := func() []status.Marked {
		list, err := r.Markers("cam")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	say(`{"marker":{"id":"s","open":true},"time":3.5}`)
	r.until("a date range", func() bool { return len(ranges()) == 1 })
	say(`{"id":"nobody","end":{}}`) // is in the log
	say(`{"id":"s","end":{},"time":5}`)
	r.until("its end", func() bool { return ranges()[0].Duration != nil })
	if m := ranges()[0]; m.ID != "s" || *m.Duration != 1.5 {
		t.Errorf("marked %+v for %v s", m, *m.Duration)
	}
}
