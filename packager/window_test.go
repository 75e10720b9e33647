package packager

import (
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// Once the window slides, sound never begins before the picture, whichever of
// the two is written first, and keeps its length but for a segment.
func TestSoundBeginsAfterThePicture(t *testing.T) {
	const length, first = 60 * time.Second, 100
	for name, order := range map[string][]string{"the picture comes first": {"720p", "audio"}, "the sound comes first": {"audio", "720p"}} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, Config{Window: 20 * time.Second, DVR: 30 * time.Second},
				Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
			defer s.Close()
			sound, slid := aac().between(0, length), false
			for n := uint64(0); ; n++ {
				from := time.Duration(n) * 2 * time.Second
				to := from + 2*time.Second
				if to > length {
					break
				}
				s.cut(first+n, 90, from, time.Now().Add(from))
				packets := map[string][]*media.Packet{"720p": video25().between(from, to)}
				for len(sound) > 0 && sound[0].PTS < media.Ticks(to, sound[0].Track.ClockRate) {
					packets["audio"], sound = append(packets["audio"], sound[0]), sound[1:]
				}
				for _, rendition := range order {
					for _, pk := range packets[rendition] {
						s.put(rendition, first+n, 90, pk)
					}
					for _, list := range []string{"index.m3u8", "dvr.m3u8"} {
						picture, sound := s.media(t, "720p/"+list), s.media(t, "audio/"+list)
						if picture == nil || sound == nil || picture.MediaSequence == first {
							continue
						}
						slid = true
						if sound.MediaSequence < picture.MediaSequence || len(sound.Segments)+2 < len(picture.Segments) {
							t.Fatalf("%s of segment %d: sound begins at %d and has %d, the picture at %d and has %d", list, first+n,
								sound.MediaSequence, len(sound.Segments), picture.MediaSequence, len(picture.Segments))
						}
					}
				}
			}
			if !slid {
				t.Fatal("the window never slid")
			}
		})
	}
}

// media is a media playlist, nil if there is none yet.
func (s *sim) media(t *testing.T, path string) *playlist.Media {
	t.Helper()
	w := s.get(path)
	if w.Code != 200 {
		return nil
	}
	m, err := playlist.ParseMedia(w.Body.String())
	if err != nil {
		t.Fatal(err)
	}
	return m
}
