package recording

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/playlist"
)

// serveClip answers with a piece of the recording.
func (e *entry) serveClip(w http.ResponseWriter, r *http.Request) {
	e.lib.mu.Lock()
	end := e.Start.Add(e.Duration)
	e.lib.mu.Unlock()
	e.clips.Serve(w, r, end, e.clipOf)
}

// clipOf finds what a clip of a rendition is made of.
func (e *entry) clipOf(name string) ([]clip.Track, error) {
	b, err := os.ReadFile(e.folder.of(indexFile))
	if err != nil {
		return nil, fmt.Errorf("%w: the recording cannot be read", clip.ErrNoRendition)
	}
	m, err := playlist.ParseMultivariant(string(b))
	if err != nil {
		return nil, fmt.Errorf("%w: the recording cannot be read", clip.ErrNoRendition)
	}
	var best *playlist.Variant
	for i := range m.Variants {
		v := &m.Variants[i]
		if path.Dir(v.URI) == name || name == "" && (best == nil || v.Bandwidth > best.Bandwidth) {
			best = v
		}
	}
	lead, audio := "", ""
	if best != nil {
		lead = path.Dir(best.URI)
	}
	for _, r := range m.Renditions {
		switch uri := path.Dir(r.URI); {
		case uri == name:
			lead = name
		case best != nil && best.Height > 0 && r.GroupID == best.Audio && (audio == "" || r.Default) && uri != lead:
			audio = uri
		}
	}
	if lead == "" {
		return nil, fmt.Errorf("%w: %q", clip.ErrNoRendition, name)
	}
	tracks := []clip.Track{}
	for _, name := range []string{lead, audio} {
		if name == "" {
			continue
		}
		t, err := e.clipTrack(name, best != nil && best.Height > 0 && name == lead)
		if err != nil {
			return nil, err
		}
		tracks = append(tracks, t)
	}
	return tracks, nil
}

func (e *entry) clipTrack(name string, video bool) (clip.Track, error) {
	t := clip.Track{Video: video}
	b, err := os.ReadFile(e.folder.of(name, indexFile))
	if err != nil {
		return t, fmt.Errorf("%w: %q cannot be read", clip.ErrNoRendition, name)
	}
	m, err := playlist.ParseMedia(string(b))
	if err != nil {
		return t, fmt.Errorf("%w: %q cannot be read", clip.ErrNoRendition, name)
	}
	section, plain := "", ""
	read := func(file string) func() ([]byte, error) {
		return func() ([]byte, error) { return os.ReadFile(e.folder.of(name, file)) }
	}
	keys, _ := m.Keys()
	files := e.keyFiles()
	for i, s := range m.Segments {
		if s.Map != nil {
			section = s.Map.URI
			plain = e.plain(name, section)
		}
		if !s.Gap && s.ProgramDateTime != (time.Time{}) {
			t.Segments = append(t.Segments, clip.Segment{
				Start: s.ProgramDateTime, Duration: s.Duration, Init: plain, Section: inClear(read(section)),
				Read: e.reader(read(s.URI), read(section), files, keys[i], m.MediaSequence+uint64(i)), Transport: path.Ext(s.URI) == ".ts",
			})
		}
	}
	return t, nil
}
