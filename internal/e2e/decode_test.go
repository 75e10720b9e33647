package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia/tools"
)

// save downloads a rendition, one file for what stands between two
// discontinuities; its gaps are left out.
func (p *presentation) save(t *testing.T, name string) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	var init []byte
	var content bytes.Buffer
	flush := func() {
		if len(files) > 0 {
			if err := os.WriteFile(files[len(files)-1], content.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		content.Reset()
	}
	for _, s := range p.media[name].Segments {
		var err error
		if s.Map != nil {
			if init, err = fetch(p.resolve(name + "/" + s.Map.URI)); err != nil {
				t.Fatal(err)
			}
		}
		if len(files) == 0 || s.Discontinuities > 0 {
			flush()
			files = append(files, filepath.Join(dir, fmt.Sprintf("%d.mp4", len(files))))
			content.Write(init)
		}
		if s.Gap {
			continue
		}
		b, err := fetch(p.resolve(name + "/" + s.URI))
		if err != nil {
			t.Fatal(err)
		}
		content.Write(b)
	}
	flush()
	return files
}

// decode shows and plays all that the playlists of a variant list, over its
// discontinuities, as one recording on the stream's own clock. holes are where
// the times of the sound jump between two discontinuities, and how far.
func (p *presentation) decode(t *testing.T, v playlist.Variant) (all *tools.Recording, holes [][2]time.Duration) {
	t.Helper()
	all = &tools.Recording{}
	read := func(name string, o tools.ReadOptions) {
		for _, file := range p.save(t, name) {
			r := tools.MustRead(t, time.Minute, file, o)
			all.Pictures = append(all.Pictures, r.Pictures...)
			all.Beeps = append(all.Beeps, r.Beeps...)
			holes = append(holes, r.SoundGaps(time.Millisecond)...)
		}
	}
	if v.Height == 0 { // the variant is the sound
		read(path.Dir(v.URI), tools.ReadOptions{NoVideo: true})
		return all, holes
	}
	read(path.Dir(v.URI), tools.ReadOptions{NoAudio: true})
	for _, r := range p.multi.Renditions {
		if r.GroupID == v.Audio && r.Default {
			read(path.Dir(r.URI), tools.ReadOptions{NoVideo: true})
		}
	}
	return all, holes
}

// discontinuities counts them in a playlist, the first segment's left out.
func discontinuities(m *playlist.Media) int {
	n := 0
	for i, s := range m.Segments {
		if i > 0 {
			n += s.Discontinuities
		}
	}
	return n
}
