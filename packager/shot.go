package packager

import (
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/fmp4"
)

// serveClip answers with a piece of what the playlists list.
func (p *Presentation) serveClip(w http.ResponseWriter, r *http.Request) {
	var end time.Time
	for _, r := range *p.names.Load() {
		if last := r.window.Load().lastSeen(); last.After(end) {
			end = last
		}
	}
	p.clips.Serve(w, r, end, p.clipOf)
}

// clipOf finds what a clip of a rendition is made of.
func (p *Presentation) clipOf(name string) ([]clip.Track, error) {
	p.mu.Lock()
	var video, audio *rendition
	known := name == ""
	for _, r := range p.order {
		if !r.shown.there || name == "" && r.shown.retired {
			continue
		}
		known = known || r.name == name
		switch {
		case r.kind == media.Video && (r.name == name || name == "" && (video == nil || r.shown.height > video.shown.height)):
			video = r
		case r.kind == media.Audio && (r.name == name || audio == nil || r.shown.spec.Default && !audio.shown.spec.Default && audio.name != name):
			audio = r
		}
	}
	p.mu.Unlock()
	if !known || video == nil && audio == nil {
		return nil, fmt.Errorf("%w: %q", clip.ErrNoRendition, name)
	}
	var tracks []clip.Track
	for _, r := range []*rendition{video, audio} {
		if r != nil {
			tracks = append(tracks, r.clipTrack())
		}
	}
	return tracks, nil
}

// clipTrack are the listed segments with media.
func (r *rendition) clipTrack() clip.Track {
	w := r.window.Load()
	t := clip.Track{Video: r.kind == media.Video}
	for _, s := range w.held[len(w.held)-max(w.listed, w.long):] {
		if s.gap {
			continue
		}
		t.Segments = append(t.Segments, clip.Segment{
			Start: s.wall, Duration: s.duration, Init: s.init.plain,
			Section: func() ([]byte, error) { return fmp4.Unprotect(s.init.bytes) },
			Read:    s.read, Transport: s.init.inBand,
		})
	}
	return t
}

// read returns all bytes of a segment, in the clear.
func (s *segment) read() ([]byte, error) {
	b, err := firstBytes(s.file, s.size)
	if err != nil {
		return nil, err
	}
	return s.decrypted(b)
}
