package recording

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// decipher reads a segment of a recording as a player does.
func decipher(t *testing.T, l *Library, url string, k *playlist.Key, number uint64) []byte {
	t.Helper()
	if k == nil {
		t.Fatalf("%s has no key", url)
	}
	w := get(l, "cam/"+firstID+"/"+strings.TrimPrefix(k.URI, "../"))
	if w.Code != http.StatusOK || w.Body.Len() != 16 || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("key %s: %d, %d bytes, %v", k.URI, w.Code, w.Body.Len(), w.Header())
	}
	key := &protect.Key{Value: [16]byte(w.Body.Bytes())}
	clear, err := key.Open(get(l, url).Body.Bytes(), k.IVOf(number))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return clear
}

// An encrypted stream is kept encrypted, with its keys, which nobody else on
// the machine can read: it plays after a restart.
func TestARecordingKeepsItsKeys(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	s := l.protected(t, "cam", &packager.Protection{Method: protect.AES128, Rotate: 10 * time.Second})
	s.play(20, 7)
	s.end(l)
	l, _ = open(t, dir)
	_, lists := vod(t, l, "cam/"+firstID)
	files := map[string]bool{}
	for name, m := range lists {
		keys, sections := m.Keys()
		for i, seg := range m.Segments {
			clear := decipher(t, l, "cam/"+firstID+"/"+name+"/"+seg.URI, keys[i].Identity(), m.MediaSequence+uint64(i))
			if _, err := fmp4.ReadFragments(clear); err != nil {
				t.Errorf("%s/%s: %v", name, seg.URI, err)
			}
			if seg.Map != nil && len(sections[i]) > 0 {
				t.Errorf("%s: the section is under %+v", name, sections[i])
			}
			files[keys[i].Identity().URI] = true
		}
	}
	if len(files) != 4 {
		t.Errorf("40 s have %d keys", len(files))
	}
	secret := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, keySuffix) {
			secret++
			info, err := d.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
		return err
	})
	if err != nil || secret != 4 {
		t.Errorf("%d keys on the disk, %v", secret, err)
	}
	for _, name := range []string{"720p/" + strings.Repeat("0", 32) + ".key", strings.Repeat("0", 32) + ".key", "../x.key"} {
		if w := get(l, "cam/"+firstID+"/"+name); w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", name, w.Code)
		}
	}
	if w := get(l, "cam/"+firstID+"/clip.mp4?from=20&to=10"); w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), make([]byte, 4000)) {
		t.Errorf("a clip: %d, %d bytes", w.Code, w.Body.Len())
	}
}

// Keys that others give out are not given out here; clips need them all the
// same.
func TestARecordingWithAKeyFromOutside(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	k := protect.NewKey()
	s := l.protected(t, "cam", &packager.Protection{Method: protect.AES128, Key: k, URI: "https://keys.example.org/{id}"})
	s.play(6, 7)
	s.end(l)
	l, _ = open(t, dir)
	_, lists := vod(t, l, "cam/"+firstID)
	if got := lists["720p"].Segments[0].Keys; len(got) != 1 || got[0].URI != "https://keys.example.org/"+k.Name() {
		t.Errorf("the key is %+v", got)
	}
	for _, name := range []string{k.Name() + ".key", "." + k.Name() + ".key"} {
		if w := get(l, "cam/"+firstID+"/"+name); w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", name, w.Code)
		}
	}
	if w := get(l, "cam/"+firstID+"/clip.mp4?from=8&to=4"); w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), make([]byte, 4000)) {
		t.Errorf("a clip: %d, %d bytes", w.Code, w.Body.Len())
	}
}

// A killed server leaves encrypted segments, which are looked into before they
// are listed.
func TestAKilledServerWithKeys(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	s := l.protected(t, "cam", &packager.Protection{Method: protect.AES128, Rotate: 4 * time.Second})
	s.play(10, 1)
	s.end(l) // all is on the disk
	path := filepath.Join(dir, "cam", firstID)
	c := &chronicle{keys: map[string]keyNote{}}
	for _, name := range []string{"720p", "audio"} {
		b, err := os.ReadFile(filepath.Join(path, name, indexFile))
		if err != nil {
			t.Fatal(err)
		}
		m, err := playlist.ParseMedia(string(b))
		if err != nil {
			t.Fatal(err)
		}
		keys, _ := m.Keys()
		for i, seg := range m.Segments {
			k := keys[i].Identity()
			id := strings.TrimSuffix(strings.TrimPrefix(k.URI, "../"), keySuffix)
			c.keys[id] = keyNote{Name: id, Method: k.Method, URI: k.URI, Served: true}
			info, err := os.Stat(filepath.Join(path, name, seg.URI))
			if err != nil {
				t.Fatal(err)
			}
			c.segments = append(c.segments, segmentNote{
				Rendition: name, Number: m.MediaSequence + uint64(i), Init: m.Segments[0].Map.URI, Size: info.Size(), Key: id,
			})
		}
	}
	whole := func() (n int) {
		c.verify(folder(path))
		for i := range c.segments {
			if !c.segments[i].gap() {
				n++
			}
		}
		return n
	}
	if n := whole(); n != len(c.segments) {
		t.Fatalf("%d of %d are whole", n, len(c.segments))
	}
	torn := filepath.Join(path, "720p", "1009.m4s")
	b, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[len(b)/4:])
	if err := os.WriteFile(torn, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := whole(); n != len(c.segments)-1 {
		t.Errorf("%d of %d are whole, and one is torn", n, len(c.segments))
	}
}

// Time shift can be played after a restart: with its keys, beside what is in
// the clear because the configuration changed.
func TestTimeShiftKeepsItsKeys(t *testing.T) {
	dir := t.TempDir()
	rotating := &packager.Protection{Method: protect.AES128, Rotate: 6 * time.Second}
	next := 0
	for life, prot := range []*packager.Protection{rotating, nil, rotating} {
		s, shift := shifts(dir, began.Add(time.Minute)).protected(t, shiftRenditions, prot)
		s.play(10, uint64(7+life))
		for _, r := range shiftRenditions {
			m := s.list(r.Name + "/dvr.m3u8")
			keys, sections := m.Keys()
			media := 0
			for i, seg := range m.Segments {
				if seg.Map != nil && len(sections[i]) > 0 {
					t.Errorf("life %d, %s: section of %s is under %+v", life, r.Name, seg.URI, sections[i])
				}
				if seg.Gap {
					continue
				}
				media++
				b := s.fetch(r.Name + "/" + seg.URI).Body.Bytes()
				if k := keys[i].Identity(); k != nil {
					w := s.fetch(strings.TrimPrefix(k.URI, "../"))
					if w.Body.Len() != 16 {
						t.Fatalf("life %d: key %s: %d", life, k.URI, w.Code)
					}
					var err error
					key := &protect.Key{Value: [16]byte(w.Body.Bytes())}
					if b, err = key.Open(b, k.IVOf(m.MediaSequence+uint64(i))); err != nil {
						t.Errorf("life %d, %s/%s: %v", life, r.Name, seg.URI, err)
					}
				}
				if _, err := fmp4.ReadFragments(b); err != nil {
					t.Errorf("life %d, %s/%s: %v", life, r.Name, seg.URI, err)
				}
			}
			if media < 9*(life+1) {
				t.Errorf("life %d, %s: %d segments with media", life, r.Name, media)
			}
		}
		next = int(s.next)
		s.Close()
		shift.Close()
	}
	if next != 1030 {
		t.Errorf("the numbers went on to %d", next)
	}
	kept := func() (n int) {
		found, err := filepath.Glob(filepath.Join(dir, "*", "*"+keySuffix))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", f, info.Mode(), err)
			}
		}
		return len(found)
	}
	if n := kept(); n != 6 { // the tenth segment of a life is not listed yet
		t.Errorf("%d keys are kept", n)
	}
	// An hour later the first life has been forgotten, and its keys with it.
	_, shift := shifts(dir, began.Add(time.Hour+30*time.Second)).protected(t, shiftRenditions, rotating)
	if n := kept(); n != 3 {
		t.Errorf("%d keys are kept of what is left", n)
	}
	shift.Close()
}
