package recording

import (
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

// A recording keeps every language, and the variant without a picture says what
// its sound takes, not that twice.
func TestARecordingKeepsItsLanguages(t *testing.T) {
	l, _ := open(t, t.TempDir())
	defer closeLibrary(t, l)
	s := &show{t: t, rec: l.Record("live/film"), next: 1000}
	t.Cleanup(s.rec.End)
	var err error
	s.Presentation, err = packager.New(packager.Config{Store: store.Memory{}, Window: 12 * time.Second, Recorder: s.rec, AudioOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.SetRenditions([]packager.Rendition{
		{Name: "720p", Kind: media.Video, Bitrate: 5_000_000},
		{Name: "audio", Kind: media.Audio, Copy: true, Title: "English", Language: "en", Default: true},
		{Name: "audio-2", Kind: media.Audio, Copy: true, Title: "Deutsch", Language: "de"},
	}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		n := s.next
		s.play(1, 1)
		at := time.Duration(n-1000) * 2 * time.Second
		for pts := (media.Ticks(at, 48000) + 1023) / 1024 * 1024; pts < media.Ticks(at+2*time.Second, 48000); pts += 1024 {
			if err := s.Write("audio-2", media.Placed{Segment: n, Discontinuity: 1, Packet: &media.Packet{
				Track: sound, PTS: pts, DTS: pts, Duration: 1024, Key: true, Payload: make([]byte, 170),
			}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.end(l)
	at := l.List()[0].Path + "/" + l.List()[0].ID
	multi, _ := vod(t, l, at)
	if len(multi.Renditions) < 2 || multi.Renditions[0].Language != "en" || multi.Renditions[1].Language != "de" {
		t.Fatalf("%+v", multi.Renditions)
	}
	if m, err := playlist.ParseMedia(get(l, at+"/audio-2/index.m3u8").Body.String()); err != nil || len(m.Segments) != 4 || !m.EndList {
		t.Errorf("the second language is %+v, %v", m, err)
	}
	alone, shown := 0, 0
	for _, v := range multi.Variants {
		if v.Height == 0 {
			alone = v.Bandwidth
		} else {
			shown = v.Bandwidth
		}
	}
	const sent = 340 * 8 * 48000 / 1024 // bits a second of the larger one
	if alone < sent || alone > sent*5/4 || shown < 800_000+alone {
		t.Errorf("BANDWIDTH is %d without a picture, whose sound has %d, and %d with it", alone, sent, shown)
	}
}
