package check

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/playlist"
)

// transportFaults break presentations in MPEG-TS.
var transportFaults = []fault{
	{rule: "tables-first", ts: true, media: func(name string, b []byte) []byte {
		if !isSegment(name) {
			return b
		}
		return append(slices.Clone(b[2*188:3*188]), b...) // a packet that everybody skips
	}},
	// The packets behind the tables, and a time to the next picture.
	{rule: "iframe-range", ts: true, model: onIFrames(stretch(3*188, -3*188))},
	{rule: "iframe-extinf", ts: true, model: onIFrames(func(m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].Duration += 200 * time.Millisecond
		}
	})},
	{rule: "hevc-in-fmp4", ts: true, multi: func(text string) string { return strings.ReplaceAll(text, "avc1.42C01E", "hvc1.1.6.L93.B0") }, follows: []string{"codecs"}},
	{rule: "media-readable", ts: true, media: func(name string, b []byte) []byte {
		if isSegment(name) {
			return slices.Delete(b, 4*188, 5*188) // a packet is lost
		}
		return b
	}},
	{rule: "part-is-media", ts: true, media: func(name string, b []byte) []byte {
		if isPart(name) {
			return b[:len(b)-100]
		}
		return b
	}},
	{rule: "parts-are-the-segment", ts: true, media: func(name string, b []byte) []byte {
		if isSegment(name) {
			b[len(b)-1] ^= 1
		}
		return b
	}},
	{rule: "independent", ts: true, text: attribute("INDEPENDENT", "")},
	{rule: "starts-with-key", ts: true, media: func(name string, b []byte) []byte {
		if isSegment(name) && isVideo(name) {
			b[bytes.Index(b, []byte{0, 0, 0, 1, 0x65})+4] = 0x41
		}
		return b
	}, follows: []string{"parts-are-the-segment"}},
	{rule: "continuous", ts: true, media: func(name string, b []byte) []byte {
		if n, _ := numberOf(name); isSegment(name) && isVideo(name) && n%2 == 1 {
			return later(b, 90000/4)
		}
		return b
	}},
	{rule: "aligned", ts: true, media: func(name string, b []byte) []byte {
		if isSegment(name) && strings.HasPrefix(name, "360p") {
			return later(b, 9000)
		}
		return b
	}},
	{rule: "codecs", ts: true, multi: func(text string) string { return strings.ReplaceAll(text, "avc1.42C01E", "avc1.640033") }},
	{rule: "resolution", ts: true, multi: multivariant(attribute("RESOLUTION", "1280x720"))},
	{rule: "content-type", ts: true, header: func(name string, h http.Header) {
		if isSegment(name) {
			h.Set("Content-Type", "video/mp4")
		}
	}},
}

// later moves the media of a transport stream, whose PES packets have PTS alone.
func later(b []byte, ticks int64) []byte {
	for at := 0; at < len(b); at += 188 {
		p := b[at : at+188]
		if p[1]&0x40 == 0 {
			continue
		}
		pes := p[4:]
		if p[3]&0x20 != 0 {
			pes = p[5+int(p[4]):]
		}
		if len(pes) < 14 || !bytes.HasPrefix(pes, []byte{0, 0, 1}) {
			continue
		}
		s := pes[9:14]
		u := uint64(s[0]>>1&7)<<30 | uint64(s[1])<<22 | uint64(s[2]>>1)<<15 | uint64(s[3])<<7 | uint64(s[4]>>1)
		u += uint64(ticks)
		copy(s, []byte{0x21 | byte(u>>29)&0x0e, byte(u >> 22), byte(u>>14) | 1, byte(u >> 7), byte(u<<1) | 1})
	}
	return b
}

// A clock that begins anew between two segments is no hole.
func TestClockThatWraps(t *testing.T) {
	m := mpegts.NewMuxer()
	if err := m.SetTrack(fixtureVideo, false); err != nil {
		t.Fatal(err)
	}
	f := &followed{segments: map[uint64]*piece{}}
	start := int64(1<<33) - mpegts.Offset - 25*3600
	for n := range int64(3) {
		b := m.AppendTables(nil)
		for i := range int64(25) {
			at := start + (n*25+i)*3600
			b = m.AppendFrame(b, mpegts.Frame{PTS: at, DTS: at, Duration: 3600, Key: i == 0, Payload: drawn(i == 0)})
		}
		if n == 2 {
			b = later(b, 18000)
		}
		s := &piece{answer: &answer{status: 200}}
		if s.open(b, false); s.bad != nil {
			t.Fatal(s.bad)
		}
		f.segments[uint64(n)] = s
	}
	if off := f.segments[1].behind(f.segments[0]); off != 0 {
		t.Errorf("%v over the wrap", off)
	}
	if off := f.segments[2].behind(f.segments[1]); off.Milliseconds() != 200 {
		t.Errorf("%v, of a hole of 200 ms", off)
	}
}
