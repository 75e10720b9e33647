package playlist

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of this package")

var noon = time.Date(2026, 11, 2, 12, 0, 0, 5e6, time.UTC)

// media holds the models of testdata/{name}.m3u8.
var media = map[string]*Media{
	"live": {
		Version: 6, TargetDuration: 3, MediaSequence: 1793620800, DiscontinuitySequence: 1793620799, IndependentSegments: true,
		Segments: []Segment{
			{URI: "1793620800.m4s", Duration: 2002 * time.Millisecond, Map: &Map{URI: "init-1a2b3c4d.mp4"}, ProgramDateTime: noon},
			{URI: "1793620801.m4s", Duration: 2 * time.Second, Gap: true, ProgramDateTime: noon.Add(2002 * time.Millisecond)},
			{
				URI: "1793620802.m4s", Duration: 1999989 * time.Microsecond, Discontinuities: 1,
				Map: &Map{URI: "init-5e6f7a8b.mp4"}, ProgramDateTime: noon.Add(5 * time.Second),
			},
		},
	},
	"lowlatency": {
		Version: 9, TargetDuration: 3, MediaSequence: 100, IndependentSegments: true, PartTarget: 201 * time.Millisecond,
		ServerControl: &ServerControl{
			CanBlockReload: true, CanSkipUntil: 18 * time.Second, CanSkipDateRanges: true,
			PartHoldBack: 603 * time.Millisecond, HoldBack: 9 * time.Second,
		},
		Skip: &Skip{Segments: 3},
		Segments: []Segment{{
			URI: "103.m4s", Duration: 400400 * time.Microsecond, ProgramDateTime: noon,
			Parts: []Part{
				{URI: "103.0.m4s", Duration: 200200 * time.Microsecond, Independent: true},
				{URI: "103.1.m4s", Duration: 200200 * time.Microsecond, Gap: true, ByteRange: &ByteRange{5, 6}},
			},
		}},
		Open: &Segment{
			Discontinuities: 1, ProgramDateTime: noon,
			Parts: []Part{{URI: "104.0.m4s", Duration: 200200 * time.Microsecond, Independent: true}},
		},
		PreloadHints:     []PreloadHint{{Type: "PART", URI: "104.1.m4s", Length: -1}, {Type: "MAP", URI: "i.mp4", Start: 7, Length: 8}},
		RenditionReports: []RenditionReport{{URI: "../audio/index.m3u8", LastMSN: 104, LastPart: 0}, {URI: "../x", LastMSN: 1, LastPart: -1}},
	},
	"protected": {
		Version: 6, TargetDuration: 3, MediaSequence: 1793620800,
		Segments: []Segment{
			{URI: "a.m4s", Duration: 2 * time.Second, Map: &Map{URI: "i.mp4"}, Keys: []Key{{Method: MethodAES128, URI: "../1.key"}}, ProgramDateTime: noon},
			{URI: "b.m4s", Duration: 2 * time.Second, Keys: []Key{{Method: MethodAES128, URI: "../2.key", IV: &[16]byte{1, 15: 0xfe}}}},
			{
				URI: "c.m4s", Duration: 2 * time.Second, Discontinuities: 1,
				Map:  &Map{URI: "j.mp4", Keys: []Key{{Method: MethodNone}}},
				Keys: []Key{{Method: MethodAES128, URI: "../2.key", IV: &[16]byte{1, 15: 0xfe}}},
			},
			{
				URI: "d.m4s", Duration: 2 * time.Second, Map: &Map{URI: "k.mp4", Keys: []Key{
					{Method: MethodSampleAES, URI: "../3.key", Format: Identity},
					{Method: MethodSampleAES, URI: "https://keys.example.org/3", Format: "org.example", Versions: "1/2"},
				}},
			},
		},
		Open: &Segment{
			Keys:  []Key{{Method: MethodSampleAES, URI: "../4.key"}},
			Parts: []Part{{URI: "p.m4s", Duration: 200 * time.Millisecond, Independent: true}},
		},
	},
	"dateranges": {
		Version: 10, TargetDuration: 3, MediaSequence: 100,
		Skip: &Skip{Segments: 3, DateRanges: true, Removed: []string{"ad 1", "ad-2"}},
		DateRanges: []DateRange{
			{ID: "goal", Class: "org.example.score", Start: noon, Duration: 0, Planned: -1, Attributes: []Attribute{
				{Name: "X-HASH", Value: "0x0AFF"}, {Name: "X-SCORE", Value: "-1.5"}, {Name: "X-TEAM", Value: "Blue, and white", Quoted: true},
			}},
			{ID: "break", Start: noon, End: noon.Add(10 * time.Second), Duration: 10 * time.Second, Planned: 30 * time.Second, Out: []byte{0xfc, 0x30}, In: []byte{0xfc}},
			{ID: "song", Class: "song", Start: noon, Duration: -1, Planned: -1, EndOnNext: true, Command: []byte{1}},
		},
		Segments: []Segment{{URI: "103.m4s", Duration: 2 * time.Second, ProgramDateTime: noon}},
	},
	"removed": { // nothing was, lately
		Version: 9, TargetDuration: 3, Skip: &Skip{Segments: 3, DateRanges: true},
		Segments: []Segment{{URI: "103.m4s", Duration: 2 * time.Second, ProgramDateTime: noon}},
	},
	"vod": {
		Version: 6, TargetDuration: 7, Type: VOD, EndList: true,
		Segments: []Segment{
			{URI: "s.mp4", Duration: 6 * time.Second, Title: "first", Map: &Map{URI: "s.mp4", ByteRange: &ByteRange{800, 0}}, ByteRange: &ByteRange{1000, 800}},
			{URI: "s.mp4", Duration: 1234567 * time.Microsecond, ByteRange: &ByteRange{1000, -1}},
		},
	},
}

var multivariants = map[string]*Multivariant{
	"multivariant": {
		Version: 6, IndependentSegments: true, SessionKeys: []Key{{Method: MethodSampleAES, URI: "3.key"}},
		Renditions: []Rendition{
			{Type: "AUDIO", GroupID: "audio", Name: "English", Language: "en", Default: true, Autoselect: true, Channels: "2", URI: "audio/index.m3u8"},
			{Type: "CLOSED-CAPTIONS", GroupID: "cc", Name: "CC1", InstreamID: "CC1"},
		},
		Variants: []Variant{
			{
				Bandwidth: 2_800_000, AverageBandwidth: 2_500_000, Codecs: "avc1.64001F,mp4a.40.2", Width: 1280, Height: 720,
				FrameRate: 29970, Audio: "audio", ClosedCaptions: "cc", URI: "720p/index.m3u8",
			},
			{Bandwidth: 800_000, VideoRange: "SDR", FrameRate: 25000, Audio: "audio", ClosedCaptions: "NONE", URI: "360p/index.m3u8"},
		},
		IFrames: []Variant{{Bandwidth: 100_000, Codecs: "avc1.64001F", Width: 640, Height: 360, URI: "iframes.m3u8"}},
	},
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".m3u8")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestMediaGolden(t *testing.T) {
	for name, m := range media {
		text := m.Append(nil)
		golden(t, name, text)
		back, err := ParseMedia(string(text))
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s reads back as %+v, %v", name, back, err)
		}
		if IsMultivariant(string(text)) {
			t.Errorf("%s is taken for a multivariant playlist", name)
		}
	}
}

func TestMultivariantGolden(t *testing.T) {
	for name, m := range multivariants {
		text := m.Append(nil)
		golden(t, name, text)
		back, err := ParseMultivariant(string(text))
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s reads back as %+v, %v", name, back, err)
		}
		if !IsMultivariant(string(text)) {
			t.Errorf("%s is not taken for a multivariant playlist", name)
		}
	}
}

// Every golden file belongs to a test.
func TestNoOrphans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".m3u8")
		if media[name] == nil && multivariants[name] == nil {
			t.Errorf("%s belongs to no test", f)
		}
	}
}

func TestParseErrors(t *testing.T) {
	head := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
	for _, text := range []string{
		"", "\n#EXTM3U\n", "#EXTM3U8\n", "\ufeff" + head, "#EXTM3U\n", head + "a.m4s\n", head + "#EXTINF:1,\n",
		head + "#EXTINF:-1,\na\n", head + "#EXTINF:1e3,\na\n", head + "#EXTINF:99999999999999,\na\n", head + "#EXTINF:NaN,\na\n",
		head + "#EXT-X-MEDIA-SEQUENCE:-1\n", head + "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n",
		head + "#EXT-X-PLAYLIST-TYPE:LIVE\n", head + "#EXT-X-PROGRAM-DATE-TIME:yesterday\n",
		head + "#EXT-X-MAP:BYTERANGE=\"1@2\"\n", head + "#EXT-X-MAP:URI=\"open\n", head + "#EXT-X-MAP:URI=\"a\"b\n",
		head + "#EXT-X-PART:URI=\"a\"\n", head + "#EXT-X-PART:URI=\"a\",DURATION=1,DURATION=2\n", head + "#EXT-X-SKIP:\n",
		head + "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n", head + "#EXT-X-PRELOAD-HINT:TYPE=X,URI=\"a\"\n",
		head + "#EXT-X-KEY:URI=\"a\"\n", head + "#EXT-X-KEY:METHOD=AES-128\n", head + "#EXT-X-KEY:METHOD=NONE,URI=\"a\"\n",
		head + "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=17\n", head + "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0x0g\n",
		head + "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0x000000000000000000000000000000001\n",
		head + "#EXT-X-DATERANGE:ID=\"a\"\n", head + "#EXT-X-DATERANGE:START-DATE=\"2026-11-02T14:00:00Z\"\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"noon\"\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-02T14:00:00Z\",END-DATE=\"2026-11-02T13:00:00Z\"\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-02T14:00:00Z\",DURATION=-1\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-02T14:00:00Z\",SCTE35-OUT=FC\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-02T14:00:00Z\",SCTE35-OUT=0xF\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-02T14:00:00Z\",END-ON-NEXT=YES\n",
		head + "#EXT-X-DATERANGE:ID=\"a\",CLASS=\"c\",START-DATE=\"2026-11-02T14:00:00Z\",END-ON-NEXT=YES,DURATION=1\n",
		head + "#EXT-X-DATERANGE:ID=\"a\tb\",START-DATE=\"2026-11-02T14:00:00Z\"\n",
	} {
		if m, err := ParseMedia(text); err == nil {
			t.Errorf("%q gave %+v", text, m)
		}
	}
	for _, text := range []string{
		"", "#EXTM3U\nuri\n", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "#EXTM3U\n#EXT-X-STREAM-INF:AUDIO=\"a\"\nuri\n",
		"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\nuri\n", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\n",
		"#EXTM3U\n#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID=\"a\",NAME=\"b\"\n", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=12\nuri\n",
		"#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n", "#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=NONE\n",
	} {
		if m, err := ParseMultivariant(text); err == nil {
			t.Errorf("%q gave %+v", text, m)
		}
	}
}

func TestParseLenient(t *testing.T) {
	m, err := ParseMedia("#EXTM3U\r\n# a remark\n\n#EXT-X-NEWER:1\n#EXT-X-TARGETDURATION:2\r\n#EXTINF:1.9999996,t, u\r\n#EXT-X-PROGRAM-DATE-TIME:2026-11-02T14:00:00.0049+0200\na b.ts\r\n")
	want := &Media{TargetDuration: 2, Segments: []Segment{{URI: "a b.ts", Duration: 2 * time.Second, Title: "t, u", ProgramDateTime: noon}}}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v", m, err)
	}
}

// What comes from outside (a title, a language) cannot add lines or attributes.
func TestInjection(t *testing.T) {
	m := &Multivariant{Renditions: []Rendition{{Type: "AUDIO", GroupID: "a", Name: "x\",URI=\"evil\n#EXT-X-ENDLIST\u2028", URI: "good"}}}
	back, err := ParseMultivariant(string(m.Append(nil)))
	if err != nil || len(back.Renditions) != 1 || back.Renditions[0].URI != "good" || back.Renditions[0].Name != "x',URI='evil#EXT-X-ENDLIST" {
		t.Errorf("got %+v, %v", back, err)
	}
}

func FuzzParseMedia(f *testing.F) {
	for _, m := range media {
		f.Add(string(m.Append(nil)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMedia(text)
		if err != nil {
			return
		}
		again, err := ParseMedia(string(m.Append(nil)))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v\nreads back as\n%+v, %v\n%s", m, again, err, m.Append(nil))
		}
	})
}

func FuzzParseMultivariant(f *testing.F) {
	for _, m := range multivariants {
		f.Add(string(m.Append(nil)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMultivariant(text)
		if err != nil {
			return
		}
		again, err := ParseMultivariant(string(m.Append(nil)))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v\nreads back as\n%+v, %v\n%s", m, again, err, m.Append(nil))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	m := *media["live"]
	m.Segments = nil
	for range 15 {
		m.Segments = append(m.Segments, media["live"].Segments[0])
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = m.Append(buf[:0])
	}
}
