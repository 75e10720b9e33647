package packager

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

// wholeConfig is avcConfig with parameter sets that can be read.
var wholeConfig, _ = hex.DecodeString("0142c01effe100196742c01ed901419f9f011000000300100000030320f162e48001000568cb83cb20")

// withUnits makes the packets of a video track hold NAL units.
func withUnits(packets []*media.Packet) []*media.Packet {
	track := videoTrack(media.Rational{Num: 25, Den: 1})
	track.Config = wholeConfig
	for i, pk := range packets {
		unit := bytes.Repeat([]byte{byte(i%250) + 1}, len(pk.Payload))
		unit[0] = 0x41
		if pk.Key {
			unit[0] = 0x65
		}
		pk.Track, pk.Payload = track, append(binary.BigEndian.AppendUint32(nil, uint32(len(unit))), unit...)
	}
	return packets
}

// transport fetches a segment, a part or a range of one and reads it.
func (s *sim) transport(path string, headers ...string) (*mpegts.Program, []mpegts.Sample) {
	s.t.Helper()
	w := s.get(path, headers...)
	p, err := mpegts.Read(w.Body.Bytes())
	if err != nil || w.Header().Get("Content-Type") != "video/mp2t" {
		s.t.Fatalf("%s: %d, %q, %v", path, w.Code, w.Header().Get("Content-Type"), err)
	}
	samples, err := p.Media().Samples()
	if err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	if !p.TablesFirst || p.ClockGap > 9000 {
		s.t.Errorf("%s: tables first: %v, clocks %d apart", path, p.TablesFirst, p.ClockGap)
	}
	return p, samples
}

// TestTransportStream is a low-latency presentation in TS with B frames, looked
// at as a client would.
func TestTransportStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{LowLatency: true, Container: TS, Window: 60 * time.Second, Markers: true},
			Rendition{Name: "720p", Kind: media.Video, Bitrate: 1_000_000}, Rendition{Name: "audio", Kind: media.Audio, Bitrate: 130_000})
		defer s.Close()
		f := video25()
		f.reorder = 2
		sent := map[string][]*media.Packet{
			"720p": withUnits(f.between(time.Second, 13*time.Second)), "audio": aac().between(time.Second, 13*time.Second),
		}
		tag := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05"), "frame"...)
		for n := range uint64(6) {
			from := time.Second + time.Duration(n)*2*time.Second
			if n == 3 {
				if _, err := s.Mark(media.Marker{Kind: media.Metadata, At: 8 * time.Second, ID3: tag}); err != nil {
					t.Fatal(err)
				}
			}
			s.cut(100+n, 90, from, time.Now())
			for name, all := range sent {
				for i, pk := range all {
					pk.Key = pk.Key || i%50 == 0
					if pk.Payload[4] == 0x41 && pk.Key {
						pk.Payload[4] = 0x65
					}
					rate := pk.Track.ClockRate
					at := media.Duration(pk.DTS, rate) // frames in the order in which they come
					if name == "720p" {
						at = time.Second + time.Duration(i)*40*time.Millisecond
					}
					if at >= from && at < from+2*time.Second {
						s.put(name, 100+n, 90, pk)
					}
				}
			}
		}
		for name, all := range sent {
			m := s.playlist(name)
			if m.Version != 3 || len(m.Segments) != 5 || m.PreloadHints[0].URI[len(m.PreloadHints[0].URI)-3:] != ".ts" {
				t.Errorf("%s: %+v", name, m)
			}
			var joined []byte
			var read []mpegts.Sample
			for i, e := range m.Segments {
				if e.URI != fmt.Sprintf("%d.ts", 100+i) || e.Map != nil {
					t.Errorf("%s: segment %+v", name, e)
				}
				whole := s.get(name + "/" + e.URI).Body.Bytes()
				joined = append(joined, whole...)
				p, samples := s.transport(name + "/" + e.URI)
				if len(p.Streams) != map[string]int{"720p": 2, "audio": 1}[name] {
					t.Errorf("%s: %d streams", name, len(p.Streams))
				}
				if name == "720p" && !samples[0].Key {
					t.Errorf("%s does not begin with an IDR picture", e.URI)
				}
				read = append(read, samples...)
				if name == "720p" {
					tags := p.Streams[1].Units
					if at := 8*90000 + int64(mpegts.Offset); (i == 3) != (len(tags) == 1) || i == 3 && (tags[0].PTS != at || !bytes.Equal(tags[0].Data, tag)) {
						t.Errorf("%s: tags %+v", e.URI, tags)
					}
				}
				var parts []byte
				for _, part := range e.Parts {
					_, samples := s.transport(name + "/" + part.URI)
					key := slices.ContainsFunc(samples, func(s mpegts.Sample) bool { return s.Key })
					if part.Independent != key {
						t.Errorf("%s: independent %v, key %v", part.URI, part.Independent, key)
					}
					parts = append(parts, s.get(name+"/"+part.URI).Body.Bytes()...)
				}
				if len(e.Parts) > 0 && !bytes.Equal(parts, whole) {
					t.Errorf("%s has %d bytes, its %d parts %d", e.URI, len(whole), len(e.Parts), len(parts))
				}
			}
			if _, err := mpegts.Read(joined); err != nil {
				t.Errorf("%s: segments do not go on from each other: %v", name, err)
			}
			for i, got := range read {
				want := all[i]
				pts := media.Rescale(want.PTS, want.Track.ClockRate, 90000) + mpegts.Offset
				if off := got.PTS - pts; off < -1 || off > 1 || !bytes.Equal(got.Payload, want.Payload) || got.Key != want.Key {
					t.Fatalf("%s: sample %d at %d, key %v, is not the one sent, at %d, key %v", name, i, got.PTS, got.Key, pts, want.Key)
				}
			}
			if len(read) < len(all)*4/5 {
				t.Errorf("%s: %d of %d samples", name, len(read), len(all))
			}
			for _, path := range []string{"/100.m4s", "/" + (*s.names.Load())[name].init.name} {
				if w := s.get(name + path); w.Code != http.StatusNotFound {
					t.Errorf("%s%s: %d", name, path, w.Code)
				}
			}
		}
		iframes, err := playlist.ParseMedia(s.get("720p/iframes.m3u8").Body.String())
		if err != nil || iframes.Version != 4 {
			t.Fatalf("%+v, %v", iframes, err)
		}
		for _, e := range iframes.Segments {
			r := fmt.Sprintf("bytes=%d-%d", e.ByteRange.Offset, e.ByteRange.Offset+e.ByteRange.Length-1)
			if _, samples := s.transport("720p/"+e.URI, "Range", r); len(samples) != 1 || !samples[0].Key {
				t.Errorf("%s: %d pictures in its range", e.URI, len(samples))
			}
		}
		if len(s.troubles) > 0 {
			t.Error(s.troubles)
		}
	})
}

// What BANDWIDTH of a coded rung leaves for the container is enough.
func TestTransportBandwidth(t *testing.T) {
	f := video25()
	f.size = 12500
	s := newSim(t, Config{Container: TS}, Rendition{Name: "a", Kind: media.Audio, Bitrate: 128_000}, Rendition{Name: "v", Kind: media.Video, Bitrate: 549_000})
	defer s.Close()
	for n := range uint64(4) {
		from := time.Duration(n) * 2 * time.Second
		s.cut(100+n, 90, from, time.Now())
		for _, pk := range withUnits(f.between(from, from+2*time.Second)) {
			s.put("v", 100+n, 90, pk)
		}
		for _, pk := range aac().between(from, from+2*time.Second) {
			s.put("a", 100+n, 90, pk)
		}
	}
	for name, coded := range map[string]int{"a": 128_000, "v": 549_000} {
		r := (*s.names.Load())[name]
		if declared, peak := r.declared(), r.meter.peak; declared < peak || peak < coded*95/100 || declared > coded*13/10 {
			t.Errorf("%s: coded %d, declared %d, measured %d", name, coded, declared, peak)
		}
	}
}

// A break in the timeline, and what was lost, are told where the clock is.
func TestTransportBreaks(t *testing.T) {
	s := newSim(t, Config{Container: TS}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	broken := map[uint64]bool{100: true, 102: true, 105: true}
	for n := range uint64(7) {
		from, discontinuity := time.Duration(n)*2*time.Second, uint64(90)
		if n >= 2 {
			from, discontinuity = from+time.Hour, 91
		}
		s.cut(100+n, discontinuity, from, time.Now())
		if n == 4 {
			continue // a GAP
		}
		for _, pk := range withUnits(video25().between(from, from+2*time.Second)) {
			s.put("720p", 100+n, discontinuity, pk)
		}
	}
	for _, e := range s.playlist("720p").Segments {
		if e.Gap {
			continue
		}
		b := s.get("720p/" + e.URI).Body.Bytes()
		var number uint64
		_, _ = fmt.Sscanf(e.URI, "%d.ts", &number)
		if got := b[2*188+5]&0x80 != 0; got != broken[number] {
			t.Errorf("%s: discontinuity_indicator %v", e.URI, got)
		}
	}
}

func TestTransportRefuses(t *testing.T) {
	s := newSim(t, Config{Container: TS}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	s.cut(100, 90, 0, time.Now())
	config, _ := hex.DecodeString("012220000000900000000000" + "99" + "f000fcfdf8f800000f01" + "21000100044201aabb")
	for _, pk := range video25().between(0, time.Second) {
		hevc := *pk.Track
		hevc.Codec, hevc.Config = media.H265, config
		pk.Track = &hevc
		s.put("720p", 100, 90, pk)
	}
	if len(s.troubles) == 0 || !strings.Contains(s.troubles[0], "MPEG-TS: #1 h265 320x180: the container cannot carry it") {
		t.Errorf("%q", s.troubles)
	}
	if st := s.Stats().Renditions[0]; st.Dropped != 25 {
		t.Errorf("%+v", st)
	}
}

func TestTransportVOD(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	out, err := store.NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, Config{VOD: true, Output: out, Container: TS}, Rendition{Name: "720p", Kind: media.Video})
	for n := range uint64(3) {
		from := time.Duration(n) * 2 * time.Second
		s.cut(n, 0, from, time.Now())
		for _, pk := range withUnits(video25().between(from, from+2*time.Second)) {
			s.put("720p", n, 0, pk)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	want := []string{"720p/0.ts", "720p/1.ts", "720p/2.ts", "720p/iframes.m3u8", "720p/index.m3u8", "index.m3u8"}
	if got := visible(t, dir); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
