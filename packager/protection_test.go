package packager

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
	"github.com/millrace/millrace/testmedia/tools"
)

// player reads an AES-128 presentation as a client does, without this
// repository's ciphers.
type player struct {
	*sim
	keys  map[string][]byte // by URL
	clear map[string][]byte // media by URL
}

func newPlayer(s *sim) *player {
	return &player{s, map[string][]byte{}, map[string][]byte{}}
}

// open decrypts what is behind a URL, by the key of its segment.
func (p *player) open(path string, k *playlist.Key, number uint64) []byte {
	p.t.Helper()
	if k == nil || k.Method != playlist.MethodAES128 || !strings.HasPrefix(k.URI, "../") {
		p.t.Fatalf("%s has the key %+v", path, k)
	}
	url := strings.TrimPrefix(k.URI, "../")
	w := p.get(url)
	if w.Code != http.StatusOK || w.Body.Len() != 16 || w.Header().Get("Cache-Control") != "no-store" ||
		w.Header().Get("Content-Type") != "application/octet-stream" {
		p.t.Fatalf("key %s: %d, %d bytes, %v", url, w.Code, w.Body.Len(), w.Header())
	}
	p.keys[url] = w.Body.Bytes()
	b := p.get(path).Body.Bytes()
	block, err := aes.NewCipher(p.keys[url])
	if err != nil || len(b) == 0 || len(b)%16 != 0 {
		p.t.Fatalf("%s has %d bytes: %v", path, len(b), err)
	}
	iv := k.IVOf(number)
	cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(b, b)
	p.clear[path] = b[:len(b)-int(b[len(b)-1])]
	return p.clear[path]
}

// look reads all that a rendition lists, and how many keys that took.
func (p *player) look(name string) {
	p.t.Helper()
	m := p.playlist(name)
	if m == nil {
		return
	}
	keys, sections := m.Keys()
	segments := m.Segments
	if m.Open != nil {
		segments = append(segments, *m.Open)
	}
	section := ""
	for i, s := range segments {
		number := m.MediaSequence + uint64(i)
		if s.Map != nil {
			section = s.Map.URI
			if len(sections[i]) > 0 {
				p.t.Errorf("%s: section %s is under %+v", name, section, sections[i])
			}
			if _, err := fmp4.ReadInit(p.get(name + "/" + section).Body.Bytes()); err != nil {
				p.t.Errorf("%s: section %s cannot be read: %v", name, section, err)
			}
		}
		var parts []byte
		for _, pt := range s.Parts {
			parts = append(parts, p.open(name+"/"+pt.URI, keys[i].Identity(), number)...)
		}
		if s.URI == "" || s.Gap {
			continue
		}
		whole := p.open(name+"/"+s.URI, keys[i].Identity(), number)
		if len(parts) > 0 && !bytes.Equal(whole, parts) {
			p.t.Errorf("%s: the parts of %s are not the segment", name, s.URI)
		}
		if _, err := fmp4.ReadFragments(whole); err != nil {
			p.t.Errorf("%s: %s: %v", name, s.URI, err)
		}
	}
}

// Whole segments and parts can be read by the keys that the playlist names, in
// each of its shapes, over rotations, a publisher that comes back with other
// parameters, and gaps.
func TestAES128(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{
			Segment: 2 * time.Second, Part: 500 * time.Millisecond, Window: 40 * time.Second, LowLatency: true,
			Protection: &Protection{Method: protect.AES128, Rotate: 7 * time.Second},
		}, Rendition{Name: "v", Kind: media.Video, Copy: true}, Rendition{Name: "a", Kind: media.Audio, Copy: true})
		defer s.Close()
		p := newPlayer(s)
		video, audio, start := video25(), aac(), time.Now()
		for i := range 40 {
			at, disc := time.Duration(2*i)*time.Second, uint64(1)
			if i >= 30 {
				disc = 2
				other := *video25().track
				other.Width = 640
				if i == 30 {
					video.track = &other
				}
			}
			number := uint64(1000 + i)
			s.cut(number, disc, at, start.Add(at))
			for _, pk := range video.between(at, at+2*time.Second) {
				if i != 10 {
					s.put("v", number, disc, pk)
				}
			}
			for _, pk := range audio.between(at, at+2*time.Second) {
				s.put("a", number, disc, pk)
			}
			time.Sleep(2 * time.Second)
			p.look("v")
			p.look("a")
			// A delta update tells the key of what it begins with.
			if d, err := playlist.ParseMedia(s.get("v/index.m3u8?_HLS_skip=YES").Body.String()); err == nil && d.Skip != nil {
				keys, sections := d.Keys()
				if first := d.Segments[0]; !first.Gap && keys[0].Identity() == nil || first.Map != nil && len(sections[0]) > 0 {
					t.Errorf("a delta update begins with %+v", first)
				}
			}
		}
		// One key in 8 s, of 80.
		if len(p.keys) != 10 {
			t.Errorf("there were %d keys", len(p.keys))
		}
		values := map[string]bool{}
		for url, v := range p.keys {
			values[string(v)] = true
			// Segments of the last 82 s or so can be fetched, and so can keys.
			code := s.get(url).Code
			if code != http.StatusOK && code != http.StatusNotFound {
				t.Errorf("%s answers %d", url, code)
			}
		}
		if len(values) != len(p.keys) {
			t.Errorf("%d keys have %d values", len(p.keys), len(values))
		}
		if len(s.troubles) > 0 {
			t.Error(s.troubles)
		}
		for _, url := range []string{
			"00000000000000000000000000000000.key", ".key", "v/" + protect.NewKey().Name() + ".key", "%2e%2e.key",
			protect.NewKey().Name() + ".key",
		} {
			if w := s.get(url); w.Code != http.StatusNotFound || w.Body.Len() == 16 {
				t.Errorf("%s answers %d", url, w.Code)
			}
		}
		if n := len(s.get("index.m3u8").Body.String()); strings.Contains(s.get("index.m3u8").Body.String(), "SESSION-KEY") || n == 0 {
			t.Error("keys that rotate are told beforehand")
		}
	})
}

// A key can be fetched as long as a segment that needs it, and no longer.
func TestKeysLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{
			Segment: time.Second, Window: 6 * time.Second, Protection: &Protection{Method: protect.AES128, Rotate: time.Second},
		}, Rendition{Name: "v", Kind: media.Video, Copy: true})
		defer s.Close()
		video, start := video25(), time.Now()
		type need struct{ key, segment string }
		var all []need
		left := 0
		for i := range 30 {
			at := time.Duration(i) * time.Second
			s.cut(uint64(i+1), 1, at, start.Add(at))
			for _, pk := range video.between(at, at+time.Second) {
				s.put("v", uint64(i+1), 1, pk)
			}
			time.Sleep(time.Second)
			m := s.playlist("v")
			if m == nil {
				continue
			}
			keys, _ := m.Keys()
			all = append(all, need{strings.TrimPrefix(keys[len(keys)-1].Identity().URI, "../"), "v/" + m.Segments[len(m.Segments)-1].URI})
			left = 0
			for _, n := range all {
				segment, key := s.get(n.segment).Code, s.get(n.key).Code
				if segment != key {
					t.Errorf("after %d s segment %s answers %d, its key %d", i, n.segment, segment, key)
				}
				if key == http.StatusNotFound {
					left++
				}
			}
		}
		if left < 10 {
			t.Errorf("only %d keys of %d have left", left, len(all))
		}
	})
}

// A key from outside is named by its own URI and never served here; it is told
// beforehand, because it stays.
func TestKeyFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := protect.NewKey()
		s := newSim(t, Config{
			Segment: time.Second, Window: 6 * time.Second,
			Protection: &Protection{Method: protect.AES128, Key: k, URI: "https://keys.example.org/{id}?x=1", Format: "org.example", Versions: "1"},
		}, Rendition{Name: "v", Kind: media.Video, Copy: true})
		defer s.Close()
		video, start := video25(), time.Now()
		for i := range 4 {
			at := time.Duration(i) * time.Second
			s.cut(uint64(i+1), 1, at, start.Add(at))
			for _, pk := range video.between(at, at+time.Second) {
				s.put("v", uint64(i+1), 1, pk)
			}
		}
		want := playlist.Key{Method: playlist.MethodAES128, URI: "https://keys.example.org/" + k.Name() + "?x=1", Format: "org.example", Versions: "1"}
		if got := s.playlist("v").Segments[0].Keys; len(got) != 1 || got[0] != want {
			t.Errorf("the key is %+v", got)
		}
		m, err := playlist.ParseMultivariant(s.get("index.m3u8").Body.String())
		if err != nil || len(m.SessionKeys) != 1 || m.SessionKeys[0] != want {
			t.Errorf("the session has %+v, %v", m, err)
		}
		if w := s.get(k.Name() + ".key"); w.Code != http.StatusNotFound {
			t.Errorf("it is served: %d", w.Code)
		}
		clear, err := k.Open(s.get("v/1.m4s").Body.Bytes(), [16]byte{15: 1})
		if err != nil {
			t.Fatal(err)
		}
		if fs, err := fmp4.ReadFragments(clear); err != nil || len(fs) == 0 {
			t.Errorf("the media is no fMP4: %v", err)
		}
	})
}

// A clip is in the clear, whoever may see it.
func TestClipOfProtected(t *testing.T) {
	for _, method := range []protect.Method{protect.AES128, protect.CBCS} {
		t.Run(string(method), func(t *testing.T) { clipOfProtected(t, method) })
	}
}

func clipOfProtected(t *testing.T, method protect.Method) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{
			Segment: time.Second, Window: 20 * time.Second, Protection: &Protection{Method: method, Rotate: 2 * time.Second},
		}, Rendition{Name: "v", Kind: media.Audio, Copy: true})
		defer s.Close()
		video, start := aac(), time.Now()
		for i := range 8 {
			at := time.Duration(i) * time.Second
			s.cut(uint64(i+1), 1, at, start.Add(at))
			for _, pk := range video.between(at, at+time.Second) {
				s.put("v", uint64(i+1), 1, pk)
			}
			time.Sleep(time.Second)
		}
		if live := s.get("v/3.m4s").Body.Bytes(); bytes.Contains(live, make([]byte, 100)) {
			t.Error("what is served is in the clear")
		}
		w := s.get("clip.mp4?from=6&to=0")
		if w.Code != http.StatusOK {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		b := w.Body.Bytes()
		at := bytes.Index(b, []byte("moof"))
		if at < 4 {
			t.Fatal("no fragment")
		}
		fs, err := fmp4.ReadFragments(b[at-4:])
		frames := 0
		for _, f := range fs {
			for _, sm := range f.Samples {
				frames++
				if len(bytes.Trim(sm.Payload, "\x00")) > 0 {
					t.Fatal("a frame is not what was written")
				}
			}
		}
		if err != nil || frames < 230 || bytes.Contains(b, []byte("enca")) {
			t.Errorf("%d frames, %v", frames, err)
		}
	})
}

// TestProtectedRealMedia has ffmpeg decrypt what was encrypted: every picture in
// its place, sound in time, from whole segments and from samples.
func TestProtectedRealMedia(t *testing.T) {
	for _, c := range []struct {
		clip   string
		method protect.Method
	}{
		{"h264-b", protect.AES128},
		{"h264-b", protect.CBCS},
		{"h264-interlaced", protect.CBCS},
		{"h265-b", protect.CBCS},
		{"h265-10bit", protect.CBCS},
		{"opus", protect.CBCS},
	} {
		t.Run(string(c.method)+"/"+c.clip, func(t *testing.T) {
			clip, r := tools.Clip(t, c.clip)
			dir, k := filepath.Join(t.TempDir(), "out"), protect.NewKey()
			packageProtected(t, &Protection{Method: c.method, Key: k}, clip, r, dir)
			web := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer web.Close()
			if err := os.WriteFile(filepath.Join(dir, KeyName(k)), k.Value[:], 0o600); err != nil {
				t.Fatal(err)
			}
			rec := tools.MustRead(t, time.Minute, web.URL+"/index.m3u8", tools.ReadOptions{NoVideo: r.Video == nil, NoAudio: r.Audio == nil})
			if r.Video != nil {
				if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() {
					t.Errorf("%d pictures of %d, %v", len(rec.Pictures), r.Frames(), err)
				}
			}
			if r.Audio != nil && len(rec.Beeps) < 5 {
				t.Errorf("%d beeps in %v", len(rec.Beeps), r.Complete().Duration)
			}
		})
	}
}

// With cbcs a key that changes brings an initialization section that tells so,
// without a discontinuity; the media is there in parts as ever.
func TestCBCSRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{
			Segment: 2 * time.Second, Part: 500 * time.Millisecond, Window: 40 * time.Second, LowLatency: true,
			Protection: &Protection{Method: protect.CBCS, Rotate: 7 * time.Second},
		}, Rendition{Name: "a", Kind: media.Audio, Copy: true})
		defer s.Close()
		audio, start := aac(), time.Now()
		for i := range 30 {
			at := time.Duration(2*i) * time.Second
			s.cut(uint64(1000+i), 1, at, start.Add(at))
			for _, pk := range audio.between(at, at+2*time.Second) {
				s.put("a", uint64(1000+i), 1, pk)
			}
			time.Sleep(2 * time.Second)
		}
		m := s.playlist("a")
		forces, sections := m.Keys()
		var h *fmp4.Header
		kids := map[[16]byte]bool{}
		for i, seg := range m.Segments {
			if seg.Map != nil {
				var err error
				if h, err = fmp4.ReadInit(s.get("a/" + seg.Map.URI).Body.Bytes()); err != nil || h.Protection == nil {
					t.Fatalf("%s: %+v, %v", seg.Map.URI, h, err)
				}
				kids[h.Protection.KID] = true
				if sections[i].Identity() == nil || *sections[i].Identity() != *forces[i].Identity() {
					t.Errorf("the section of %s is under %+v", seg.URI, sections[i])
				}
			}
			k := forces[i].Identity()
			name := strings.TrimPrefix(k.URI, "../")
			if k.Method != playlist.MethodSampleAES || name != (&protect.Key{ID: h.Protection.KID}).Name()+".key" || seg.Discontinuities > 0 {
				t.Errorf("%s is under %+v, its section under %x", seg.URI, k, h.Protection.KID)
			}
			b := s.get("a/" + seg.URI).Body.Bytes()
			if bytes.Contains(b, make([]byte, 64)) {
				t.Errorf("%s is in the clear", seg.URI)
			}
			key := &protect.Key{Value: [16]byte(s.get(name).Body.Bytes())}
			fs, err := fmp4.ReadFragments(b)
			if err == nil {
				err = key.OpenFragments(fs, h.Protection)
			}
			if err != nil || len(bytes.Trim(fs[0].Samples[0].Payload, "\x00")) > 0 {
				t.Errorf("%s cannot be decrypted: %v", seg.URI, err)
			}
		}
		if len(kids) < 5 || len(s.troubles) > 0 {
			t.Errorf("%d keys, %v", len(kids), s.troubles)
		}
	})
}

// What cannot be encrypted is not shown.
func TestCBCSRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{Segment: time.Second, Protection: &Protection{Method: protect.CBCS}},
			Rendition{Name: "v", Kind: media.Video, Copy: true})
		defer s.Close()
		video, start := video25(), time.Now() // its frames are no slices
		for i := range 3 {
			at := time.Duration(i) * time.Second
			s.cut(uint64(i+1), 1, at, start.Add(at))
			for _, pk := range video.between(at, at+time.Second) {
				s.put("v", uint64(i+1), 1, pk)
			}
		}
		if w := s.get("v/index.m3u8"); w.Code != http.StatusNotFound {
			t.Errorf("there is a playlist: %d\n%s", w.Code, w.Body)
		}
		if len(s.troubles) == 0 || !strings.Contains(s.troubles[0], "encrypt") {
			t.Errorf("the troubles are %q", s.troubles)
		}
	})
}
