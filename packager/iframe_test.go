package packager

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// trick is an I-frame playlist whose every entry was loaded as a player would.
func (s *sim) trick(path string) *playlist.Media {
	s.t.Helper()
	w := s.get(path)
	m, err := playlist.ParseMedia(w.Body.String())
	if err != nil || w.Code != http.StatusOK || !m.IFramesOnly {
		s.t.Fatalf("%s: %d, %v:\n%s", path, w.Code, err, w.Body)
	}
	var at time.Duration
	for i, e := range m.Segments {
		if e.Gap {
			at = 0
			continue
		}
		from := e.ByteRange
		w := s.get("720p/"+e.URI, "Range", fmt.Sprintf("bytes=%d-%d", from.Offset, from.Offset+from.Length-1))
		fs, err := fmp4.ReadFragments(w.Body.Bytes())
		if err != nil || w.Code != http.StatusPartialContent || len(fs) != 1 || len(fs[0].Samples) != 1 || !fs[0].Samples[0].Key {
			s.t.Fatalf("%s: %s answers %d with %+v, %v", path, e.URI, w.Code, fs, err)
		}
		shown := media.Duration(int64(fs[0].Base)+int64(fs[0].Samples[0].Offset), 90000)
		if at != 0 && shown != at {
			s.t.Errorf("%s: entry %d shows its picture at %v, EXTINF before it says %v", path, i, shown, at)
		}
		at = shown + e.Duration
	}
	return m
}

func TestIFramePlaylist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shifted(t, t.TempDir())
		defer s.Close()
		list, usual := s.trick("720p/iframes.m3u8"), s.playlist("720p")
		if list.MediaSequence != usual.MediaSequence || len(list.Segments) != len(usual.Segments) || list.TargetDuration != usual.TargetDuration {
			t.Errorf("%d entries from %d, of %d from %d", len(list.Segments), list.MediaSequence, len(usual.Segments), usual.MediaSequence)
		}
		if list.PartTarget != 0 || list.Open != nil || len(list.PreloadHints)+len(list.RenditionReports) > 0 || list.Segments[len(list.Segments)-1].Parts != nil {
			t.Errorf("it has what belongs to parts: %+v", list)
		}
		if *list.ServerControl != *usual.ServerControl || list.Segments[0].Map == nil || list.Segments[0].Map.URI != usual.Segments[0].Map.URI {
			t.Errorf("control %+v, map %+v", list.ServerControl, list.Segments[0].Map)
		}
		long, all := s.trick("720p/dvr-iframes.m3u8"), s.trick("720p/dvr-iframes.m3u8?_HLS_skip=YES")
		if len(long.Segments) < 15 || all.Skip == nil || len(all.Segments)+int(all.Skip.Segments) != len(long.Segments) {
			t.Errorf("the long one has %d entries, its delta update %d and %+v", len(long.Segments), len(all.Segments), all.Skip)
		}
		for path, uri := range map[string]string{"index.m3u8": "720p/iframes.m3u8", "dvr.m3u8": "720p/dvr-iframes.m3u8"} {
			m, err := playlist.ParseMultivariant(s.get(path).Body.String())
			if err != nil || len(m.IFrames) != 1 {
				t.Fatalf("%s: %v, %+v", path, err, m)
			}
			// 5000 bytes and their boxes in 2 s.
			if v := m.IFrames[0]; v.URI != uri || v.Codecs != "avc1.42C01E" || v.Width != 320 || v.Bandwidth < 20_400 || v.Bandwidth > 21_000 {
				t.Errorf("%s: %+v", path, v)
			}
			for _, r := range usual.RenditionReports {
				t.Errorf("a report of %s", r.URI)
			}
		}
	})
}

func TestIFramePlaylistBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, packets := lowSim(t)
		defer s.Close()
		for _, pk := range packets[:30] {
			s.put("720p", 100, 90, pk)
		}
		if w := s.get("720p/iframes.m3u8"); w.Code != http.StatusNotFound {
			t.Errorf("without a whole segment: %d", w.Code)
		}
		next := func(segment uint64) {
			at := time.Duration(segment-100) * 2 * time.Second
			s.cut(segment, 90, at, time.Now())
			for _, pk := range video25().between(at, at+2*time.Second) {
				s.put("720p", segment, 90, pk)
			}
		}
		next(101) // 100 is listed
		waits := make(chan string, 2)
		for _, query := range []string{"_HLS_msn=101", "_HLS_msn=101&_HLS_part=1"} {
			go func() { waits <- s.get("720p/iframes.m3u8?" + query).Body.String() }()
		}
		synctest.Wait()
		if len(waits) > 0 {
			t.Errorf("segment 101 was waited for, and there is\n%s", <-waits)
		}
		next(102)
		synctest.Wait()
		for range 2 {
			select {
			case text := <-waits:
				if !strings.Contains(text, "\n101.m4s\n") {
					t.Errorf("segment 101 was waited for:\n%s", text)
				}
			default:
				t.Fatal("a reload still waits for what is there")
			}
		}
		for _, query := range []string{"_HLS_msn=x", "_HLS_part=1", "_HLS_msn=107"} {
			if w := s.get("720p/iframes.m3u8?" + query); w.Code != http.StatusBadRequest {
				t.Errorf("%s: %d", query, w.Code)
			}
		}
		s.End()
		if m := s.trick("720p/iframes.m3u8?_HLS_msn=500"); !m.EndList || len(m.Segments) != 3 {
			t.Errorf("at the end: %+v", m)
		}
	})
}

// What is missing has no picture, and where segments need not begin with one
// there is no list of them.
func TestIFramesThatAreNotThere(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio})
	defer s.Close()
	put := func(segment uint64) {
		at := time.Duration(segment-10) * 2 * time.Second
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put("720p", segment, 1, pk)
		}
		for _, pk := range aac().between(at, at+2*time.Second) {
			s.put("audio", segment, 1, pk)
		}
	}
	for n := range uint64(7) {
		s.cut(10+n, 1, time.Duration(n)*2*time.Second, time.Now())
		if n != 2 && n != 3 {
			put(10 + n)
		}
	}
	m := s.trick("720p/iframes.m3u8")
	if len(m.Segments) != 6 || !m.Segments[2].Gap || m.Segments[2].ByteRange != nil || m.Segments[1].Gap || m.Segments[4].Gap {
		t.Errorf("%+v", m.Segments)
	}
	if w := s.get("audio/iframes.m3u8"); w.Code != http.StatusNotFound {
		t.Errorf("of the sound: %d", w.Code)
	}
	s.SetDependent()
	s.cut(17, 1, 14*time.Second, time.Now())
	put(17)
	if w := s.get("720p/iframes.m3u8"); w.Code != http.StatusNotFound {
		t.Errorf("of a stream that is cut inside its GOPs: %d", w.Code)
	}
	if text := s.get("index.m3u8").Body.String(); strings.Contains(text, "I-FRAME") {
		t.Errorf("%s", text)
	}
}
