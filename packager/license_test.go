package packager

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// readMPD is what these tests look for in an MPD.
type readMPD struct {
	Periods []struct {
		ID    string `xml:"id,attr"`
		Start string `xml:"start,attr"`
		Sets  []struct {
			Protection []struct {
				Scheme  string `xml:"schemeIdUri,attr"`
				Value   string `xml:"value,attr"`
				KID     string `xml:"default_KID,attr"`
				License string `xml:"Laurl"`
			} `xml:"ContentProtection"`
			Representations []struct {
				Template struct {
					Start int64 `xml:"startNumber,attr"`
				} `xml:"SegmentTemplate"`
			} `xml:"Representation"`
		} `xml:"AdaptationSet"`
	} `xml:"Period"`
}

func license(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/"+LicenseFile, strings.NewReader(body)))
	return w
}

// TestDASHOfSamples has keys that change: each begins a Period of its own, which
// says its KID, and licenses have the very keys of the playlist.
func TestDASHOfSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{
			Segment: 2 * time.Second, Window: 40 * time.Second, Protection: &Protection{Method: protect.CBCS, Rotate: 7 * time.Second},
		}, Rendition{Name: "a", Kind: media.Audio, Copy: true})
		defer s.Close()
		audio, start := aac(), time.Now()
		for i := range 15 {
			at := time.Duration(2*i) * time.Second
			s.cut(uint64(1000+i), 1, at, start.Add(at))
			for _, pk := range audio.between(at, at+2*time.Second) {
				s.put("a", uint64(1000+i), 1, pk)
			}
			time.Sleep(2 * time.Second)
		}
		if !s.DASH() || !s.Licensed() {
			t.Fatal("there is no DASH")
		}
		var mpd readMPD
		text := s.get("manifest.mpd").Body.Bytes()
		if err := xml.Unmarshal(text, &mpd); err != nil {
			t.Fatal(err)
		}
		m := s.playlist("a")
		forces, _ := m.Keys()
		keyOf := func(number uint64) *playlist.Key { return forces[number-m.MediaSequence].Identity() }
		if len(mpd.Periods) != 4 {
			t.Fatalf("%d Periods in\n%s", len(mpd.Periods), text)
		}
		var ids []string
		for i, p := range mpd.Periods {
			number := uint64(1000 + 4*i) // the first cut behind seven seconds
			if want := []string{"PT0S", "PT8S", "PT16S", "PT24S"}[i]; p.Start != want {
				t.Errorf("Period %s starts at %s, want %s", p.ID, p.Start, want)
			}
			if got := p.Sets[0].Representations[0].Template.Start; got != int64(number) {
				t.Errorf("Period %s begins with segment %d, want %d", p.ID, got, number)
			}
			says := p.Sets[0].Protection
			id := strings.ReplaceAll(says[0].KID, "-", "")
			if len(says) != 2 || says[0].Value != "cbcs" || says[1].License != LicenseFile || "../"+id+".key" != keyOf(number).URI {
				t.Errorf("Period %s: %+v, the playlist has %s", p.ID, says, keyOf(number).URI)
			}
			raw, err := hex.DecodeString(id)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, base64.RawURLEncoding.EncodeToString(raw))
		}
		w := license(s, `{"kids":["`+ids[1]+`","AAAAAAAAAAAAAAAAAAAAAA","`+ids[3]+`","x"],"type":"temporary"}`)
		var got struct {
			Keys []jsonKey
			Type string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Keys) != 2 || got.Type != "temporary" || got.Keys[1].ID != ids[3] || got.Keys[1].Type != "oct" {
			t.Fatalf("%v %d %s", err, w.Code, w.Body)
		}
		if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
			t.Errorf("Cache-Control: %s", cache)
		}
		key := s.get(strings.TrimPrefix(keyOf(1012).URI, "../")).Body.Bytes()
		if value, _ := base64.RawURLEncoding.DecodeString(got.Keys[1].Value); string(value) != string(key) || len(key) != 16 {
			t.Errorf("the license has %x, the playlist's key is %x", value, key)
		}
		for body, want := range map[string]int{
			`{"kids":["AAAAAAAAAAAAAAAAAAAAAA"]}`: 404, `{"kids":["` + ids[0][:20] + `"]}`: 404, `{"kids":[]}`: 400, `{}`: 400, ``: 400, `{"kids":"x"}`: 400, `[]`: 400,
			`{"kids":["` + strings.Repeat("A", 20<<10) + `"]}`:                       400,
			`{"kids":["` + ids[0] + `"` + strings.Repeat(`,"x"`, licenseKeys) + `]}`: 400,
		} {
			if w := license(s, body); w.Code != want {
				t.Errorf("%.60s is answered %d, want %d", body, w.Code, want)
			}
		}
		if w := s.get(LicenseFile); w.Code != http.StatusNotFound {
			t.Errorf("GET: %d", w.Code)
		}
	})
}

// TestLicensesElsewhere has keys that this server does not give out.
func TestLicensesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := protect.NewKey()
		s := newSim(t, Config{
			Segment: 2 * time.Second, Protection: &Protection{Method: protect.CBCS, Key: key, URI: "https://keys.example/{id}"},
		}, Rendition{Name: "a", Kind: media.Audio, Copy: true})
		defer s.Close()
		audio, start := aac(), time.Now()
		for i := range 3 {
			at := time.Duration(2*i) * time.Second
			s.cut(uint64(1000+i), 1, at, start.Add(at))
			for _, pk := range audio.between(at, at+2*time.Second) {
				s.put("a", uint64(1000+i), 1, pk)
			}
			time.Sleep(2 * time.Second)
		}
		text := s.get("manifest.mpd").Body.String()
		if !strings.Contains(text, "default_KID") || strings.Contains(text, "Laurl") || s.Licensed() {
			t.Errorf("the MPD is\n%s", text)
		}
		if w := license(s, `{"kids":["`+base64.RawURLEncoding.EncodeToString(key.ID[:])+`"]}`); w.Code != http.StatusNotFound {
			t.Errorf("a license: %d %s", w.Code, w.Body)
		}
	})
}
