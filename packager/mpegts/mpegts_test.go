package mpegts

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

// avcConfig is x264's for 320x180, Constrained Baseline 3.0.
var avcConfig, _ = hex.DecodeString("0142c01effe100196742c01ed901419f9f011000000300100000030320f162e48001000568cb83cb20")

func video() *media.Track {
	return &media.Track{ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig, Width: 320, Height: 180}
}

func audio(codec media.Codec, rate int) *media.Track {
	t := &media.Track{ID: 2, Kind: media.Audio, Codec: codec, ClockRate: rate, SampleRate: rate, Channels: 2}
	if codec == media.AAC {
		t.Config = []byte{0x12, 0x10} // LC, 44.1 kHz, stereo
		if rate == 48000 {
			t.Config = []byte{0x11, 0x90}
		}
	}
	return t
}

func muxer(t testing.TB, track *media.Track) *Muxer {
	t.Helper()
	m := NewMuxer()
	if err := m.SetTrack(track, true); err != nil {
		t.Fatal(err)
	}
	return m
}

// unit is an access unit of n bytes in NAL units of different types.
func unit(n int, key bool, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []byte
	for i := 0; n > 0; i++ {
		size := min(n, 1+r.IntN(3000))
		n -= size
		b := make([]byte, size)
		for j := range b {
			b[j] = byte(1 + r.IntN(255)) // no start code, no trailing zero
		}
		b[0] = 1
		if key {
			b[0] = 5
		}
		if !key && i == 0 && size < 100 {
			b[0] = 6 // SEI
		}
		out = append(be.AppendUint32(out, uint32(size)), b...)
	}
	return out
}

// pictures are frames at 25 a second with two B frames between others.
func pictures(n int, at int64) []Frame {
	var out []Frame
	for i := range n {
		f := Frame{DTS: at + int64(i)*3600, Duration: 3600, Key: i == 0, Payload: unit(1+(i+1)*700%9000, i == 0, uint64(i))}
		f.PTS = f.DTS + 2*3600
		if i%3 != 0 {
			f.PTS = f.DTS
		}
		out = append(out, f)
	}
	return out
}

func TestVideo(t *testing.T) {
	for _, at := range []int64{0, 1 << 20, wrap - Offset - 20*3600, 3*wrap - 40*3600} {
		m := muxer(t, video())
		frames := pictures(40, at)
		b := m.AppendTables(nil)
		for _, f := range frames {
			b = m.AppendFrame(b, f)
		}
		p, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if !p.TablesFirst || len(p.Streams) != 2 || p.Streams[0].Type != TypeH264 || p.Streams[1].Type != TypeID3 {
			t.Fatalf("program %+v", p)
		}
		if p.Clocks != 40 || p.ClockGap != 3600 {
			t.Errorf("%d clocks, %d apart", p.Clocks, p.ClockGap)
		}
		s := p.Media()
		if got := s.Units[0].DTS; got != (at+Offset)%wrap {
			t.Errorf("first DTS %d at %d", got, at)
		}
		// ITU-T H.264 §7.4.1.2.3: the delimiter first, the parameter sets before an IDR picture.
		if !bytes.HasPrefix(s.Units[0].Data, append(slices.Clone(delimiter), m.sets...)) || !s.Units[0].Random {
			t.Errorf("the key begins with %x", s.Units[0].Data[:20])
		}
		if !bytes.HasPrefix(s.Units[1].Data, delimiter) || bytes.Contains(s.Units[1].Data, m.sets) || s.Units[1].Random {
			t.Errorf("the second picture begins with %x", s.Units[1].Data[:20])
		}
		got, err := s.Samples()
		if err != nil || len(got) != 40 {
			t.Fatalf("%d samples, %v", len(got), err)
		}
		for i, f := range frames {
			g := got[i]
			if g.DTS-got[0].DTS != f.DTS-at || g.PTS-g.DTS != f.PTS-f.DTS || g.Duration != 3600 || g.Key != f.Key || !bytes.Equal(g.Payload, f.Payload) {
				t.Fatalf("picture %d: %d %d %d %v %d bytes", i, g.DTS, g.PTS, g.Duration, g.Key, len(g.Payload))
			}
		}
	}
}

func TestAudio(t *testing.T) {
	ac3 := append([]byte{0x0b, 0x77, 0, 0, 0x14, 0x40}, make([]byte, 762)...) // 48 kHz, 192 kbit/s
	eac3 := append([]byte{0x0b, 0x77, 1, 0x7f, 0x30, 0x40}, make([]byte, 762)...)
	mp3 := append([]byte{0xff, 0xfb, 0x94, 0x00}, make([]byte, 380)...) // 48 kHz, 128 kbit/s
	for _, c := range []struct {
		track    *media.Track
		payload  []byte
		duration int64
		want     uint8
	}{
		{audio(media.AAC, 48000), bytes.Repeat([]byte{7}, 341), 1024, TypeAAC},
		{audio(media.AAC, 44100), bytes.Repeat([]byte{7}, 100), 1024, TypeAAC},
		{audio(media.AC3, 48000), ac3, 1536, TypeAC3},
		{audio(media.EAC3, 48000), eac3, 1536, TypeEAC3},
		{audio(media.MPEGAudio, 48000), mp3, 1152, TypeMPEG1Audio},
	} {
		m := muxer(t, c.track)
		b := m.AppendTables(nil)
		const n = 100
		for i := range int64(n) {
			b = m.AppendFrame(b, Frame{PTS: i * c.duration, DTS: i * c.duration, Duration: c.duration, Key: true, Payload: c.payload})
		}
		b = m.Flush(b)
		p, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		s := p.Media()
		if s.Type != c.want || p.ClockGap > clockEvery || len(s.Units) >= n {
			t.Errorf("%s: stream type %#x, %d PES packets, clocks %d apart", c.track, s.Type, len(s.Units), p.ClockGap)
		}
		if spent := len(b) - n*(len(c.payload)+m.adts.size()); spent > len(b)*3/10 {
			t.Errorf("%s: %d of %d bytes are overhead", c.track, spent, len(b))
		}
		got, err := s.Samples()
		if err != nil || len(got) != n {
			t.Fatalf("%s: %d frames, %v", c.track, len(got), err)
		}
		for i, g := range got {
			want := media.Rescale(int64(i)*c.duration, c.track.ClockRate, clockRate) + Offset
			if off := g.PTS - want; off < -2 || off > 2 || !bytes.Equal(g.Payload, c.payload) {
				t.Fatalf("%s: frame %d at %d, want %d", c.track, i, g.PTS, want)
			}
		}
	}
}

// A stream is described by its own media as the track it was made of.
func TestTrack(t *testing.T) {
	sent := video()
	for _, track := range []*media.Track{sent, audio(media.AAC, 44100), audio(media.AAC, 48000)} {
		m := muxer(t, track)
		b := m.Flush(m.AppendFrame(m.AppendTables(nil), Frame{Key: true, Duration: 1, Payload: unit(1000, true, 1)}))
		p, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Media().Track()
		if err != nil {
			t.Fatal(err)
		}
		if got.Codec != track.Codec || got.Kind != track.Kind || got.Channels != track.Channels || got.SampleRate != track.SampleRate ||
			got.Width != track.Width || got.Height != track.Height || !bytes.Equal(got.Config, track.Config) || got.ClockRate != 90000 {
			t.Errorf("%s %x became %s %x", track, track.Config, got, got.Config)
		}
	}
}

// A segment is a file of its own, but the counters of its PIDs go on where the
// ones before it ended.
func TestCountersGoOn(t *testing.T) {
	m := muxer(t, video())
	var all []byte
	for n := range 5 {
		segment := m.AppendTables(nil)
		for _, f := range pictures(7, int64(n)*7*3600) {
			segment = m.AppendFrame(segment, f)
		}
		segment, err := m.AppendID3(segment, int64(n)*7*3600, []byte("ID3 tag"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(segment); err != nil {
			t.Fatalf("segment %d: %v", n, err)
		}
		all = append(all, segment...)
	}
	p, err := Read(all)
	if err != nil {
		t.Fatalf("joined: %v", err)
	}
	if got := len(p.Media().Units); got != 35 {
		t.Errorf("%d pictures", got)
	}
	// Tables count too; the reader does not look at those.
	want := -1
	for at := 0; at < len(all); at += packetSize {
		if be.Uint16(all[at+1:])&0x1fff != pidPMT {
			continue
		}
		if got := int(all[at+3] & 15); got != (want+1)&15 {
			t.Errorf("PMT %d after %d", got, want)
		} else {
			want = got
		}
	}
}

func TestID3(t *testing.T) {
	m := muxer(t, video())
	tag := bytes.Repeat([]byte("ID3!"), 500)
	b := m.AppendTables(nil)
	for i, f := range pictures(10, 0) {
		b = m.AppendFrame(b, f)
		if i == 4 {
			var err error
			if b, err = m.AppendID3(b, f.PTS, tag); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Streams[1]
	if s.Type != TypeID3 || len(s.Units) != 1 || s.Units[0].PTS != 4*3600+Offset || !bytes.Equal(s.Units[0].Data, tag) {
		t.Errorf("%+v", s.Units)
	}
	if _, err := m.AppendID3(nil, 0, make([]byte, maxID3+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a tag too large: %v", err)
	}
	if b, err := m.AppendID3(m.AppendTables(nil), 0, make([]byte, maxID3)); err != nil {
		t.Error(err)
	} else if p, err := Read(b); err != nil || len(p.Streams[1].Units[0].Data) != maxID3 {
		t.Errorf("the largest tag: %v", err)
	}
	if _, err := NewMuxer().AppendID3(nil, 0, tag); !errors.Is(err, ErrCodec) {
		t.Errorf("without a place: %v", err)
	}
}

// The tables as other muxers write them, byte for byte.
func TestTables(t *testing.T) {
	// ffmpeg -mpegts_transport_stream_id 1, with the same PIDs.
	if got, want := hex.EncodeToString(patSection()), "00b00d0001c100000001f0002ab104b2"; got != want {
		t.Errorf("PAT %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(pmtSection(0, TypeH264, false)), "02b0120001c10000e100f0001be100f00015bd4d56"; got != want {
		t.Errorf("PMT %s, want %s", got, want)
	}
	// Apple, Timed Metadata for HTTP Live Streaming, tables 2-3 and 2-4.
	pmt := pmtSection(0, TypeH264, true)
	for _, want := range []string{"250fffff49443320ff49443320001f0001", "15e102f00f260dffff49443320ff49443320000f"} {
		if !bytes.Contains(pmt, unhex(want)) {
			t.Errorf("PMT %x has no %s", pmt, want)
		}
	}
	m := muxer(t, audio(media.AAC, 48000))
	before := m.pmt
	if err := m.SetTrack(audio(media.AC3, 48000), true); err != nil {
		t.Fatal(err)
	}
	if before[5] == m.pmt[5] {
		t.Error("another program has the same version")
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestClocksInHoles(t *testing.T) {
	m := muxer(t, video())
	b := m.AppendTables(nil)
	b = m.AppendFrame(b, Frame{Key: true, Duration: 45000, Payload: unit(100, true, 1)})
	b = m.AppendFrame(b, Frame{PTS: 45000, DTS: 45000, Duration: 3600, Payload: unit(100, false, 1)})
	p, err := Read(b)
	if err != nil || p.ClockGap != clockEvery || p.Clocks != 6 {
		t.Errorf("%+v, %v", p, err)
	}
	if b[2*packetSize+5]&0x80 == 0 {
		t.Error("the first clock of a stream is no discontinuity")
	}
	// A hole of hours is not filled.
	if b := m.AppendFrame(nil, Frame{Duration: 1 << 40, Payload: unit(1, false, 1)}); len(b) > 20*packetSize {
		t.Errorf("%d packets", len(b)/packetSize)
	}
}

func TestRefused(t *testing.T) {
	for _, codec := range []media.Codec{media.H265, media.AV1, media.VP9, media.Opus, media.PCMA, "nonsense"} {
		if err := NewMuxer().SetTrack(&media.Track{Kind: media.Video, Codec: codec, ClockRate: 90000}, true); !errors.Is(err, ErrCodec) {
			t.Errorf("%s: %v", codec, err)
		}
	}
	for codec, configs := range map[media.Codec][]string{
		media.H264: {"", "00", "0142c01effe0", "0142c01effe1001a67", "0142c01effe10001670100ff", "0142c01effe1000167" + "00"},
		media.AAC:  {"", "11", "f94c", "1780000000", "1180", "11c8"},
	} {
		for _, c := range configs {
			m := NewMuxer()
			if err := m.SetTrack(&media.Track{Kind: media.Video, Codec: codec, ClockRate: 90000, Config: unhex(c)}, true); !errors.Is(err, ErrConfig) {
				t.Errorf("%s %s: %v, %+v", codec, c, err, m.adts)
			}
		}
	}
}

// HE-AAC goes as its core (ISO/IEC 14496-3 §1.6.5).
func TestADTS(t *testing.T) {
	for config, want := range map[string]string{
		"1190":     "fff14c802dbffc", // LC, 48 kHz, stereo
		"1210":     "fff150802dbffc",
		"1208":     "fff150402dbffc",
		"2b8a08":   "fff15c402dbffc", // HE, 22.05 kHz, mono
		"11b0":     "fff14d802dbffc", // 5.1
		"eb8a0800": "fff15c402dbffc", // with parametric stereo,
	} {
		a, err := readADTS(unhex(config))
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		if got := hex.EncodeToString(a.append(nil, 358)); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}

// Each fault is told as what it is.
func TestBroken(t *testing.T) {
	m := muxer(t, video())
	good := m.AppendTables(nil)
	for _, f := range pictures(3, 0) {
		good = m.AppendFrame(good, f)
	}
	if p, err := Read(good[2*packetSize:]); err == nil {
		t.Errorf("without tables: %+v", p)
	}
	late := slices.Concat(good[2*packetSize:3*packetSize], good)
	if p, err := Read(late); err != nil || p.TablesFirst {
		t.Errorf("media before the tables: %+v, %v", p, err)
	}
	for name, breaks := range map[string]func(b []byte) []byte{
		"cut off":       func(b []byte) []byte { return b[:len(b)-1] },
		"half":          func(b []byte) []byte { return b[:len(b)-2*packetSize] },
		"empty":         func([]byte) []byte { return nil },
		"no sync":       func(b []byte) []byte { b[packetSize] = 0; return b },
		"CRC":           func(b []byte) []byte { b[12] ^= 1; return b },
		"PMT's CRC":     func(b []byte) []byte { b[packetSize+20] ^= 1; return b },
		"lost packet":   func(b []byte) []byte { return slices.Delete(b, 4*packetSize, 5*packetSize) },
		"field":         func(b []byte) []byte { b[2*packetSize+4] = 250; return b },
		"no start code": func(b []byte) []byte { b[2*packetSize+14] = 9; return b },
	} {
		if _, err := Read(breaks(slices.Clone(good))); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, track := range []*media.Track{video(), audio(media.AAC, 48000), audio(media.AC3, 48000), audio(media.MPEGAudio, 22050)} {
		m := muxer(f, track)
		b := m.AppendTables(nil)
		for i := range int64(2) { // small: large inputs take long to minimize
			at := wrap - Offset + i*3600
			b = m.AppendFrame(b, Frame{PTS: at, DTS: at, Duration: 3600, Key: true, Payload: unit(200, true, 1)})
		}
		f.Add(m.Flush(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Read(b)
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			return
		}
		for _, s := range p.Streams {
			samples, err := s.Samples()
			if err != nil && !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			if _, err := s.Track(); err != nil && !errors.Is(err, ErrConfig) && !errors.Is(err, ErrCodec) {
				t.Fatal(err)
			}
			for i := range samples {
				if samples[i].Duration < 0 || i > 0 && samples[i].DTS < samples[i-1].DTS && s.Video() {
					t.Fatalf("sample %d: %+v", i, samples[i])
				}
			}
		}
	})
}

// FuzzMux writes payloads of any size, and whatever NAL units they say they
// have, and finds whole packets with the same content.
func FuzzMux(f *testing.F) {
	f.Add(unit(500, true, 3), int64(1000), int64(3600), true)
	f.Add([]byte{0, 0, 0, 2, 9, 9, 0xff, 0xff, 0xff, 0xff, 1}, int64(-5), int64(-5), false)
	f.Fuzz(func(t *testing.T, payload []byte, dts, offset int64, key bool) {
		for _, track := range []*media.Track{video(), audio(media.AAC, 44100)} {
			m := muxer(t, track)
			frame := Frame{PTS: dts/2 + offset/2, DTS: dts / 2, Duration: offset, Key: key, Payload: payload}
			b := m.Flush(m.AppendFrame(m.AppendFrame(m.AppendTables(nil), frame), frame))
			p, err := Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if track.Kind == media.Audio && len(payload) <= maxADTS-7 {
				got, err := p.Media().Samples()
				if err != nil || len(got) != 2 || !bytes.Equal(got[1].Payload, payload) {
					t.Fatalf("%d frames, %v", len(got), err)
				}
			}
		}
	})
}

func BenchmarkMux(b *testing.B) {
	for _, c := range []struct {
		name  string
		track *media.Track
		f     []Frame
	}{{"video", video(), pictures(25, 0)}, {"audio", audio(media.AAC, 48000), nil}} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			for i := range 25 {
				if c.f == nil || i >= len(c.f) {
					c.f = append(c.f, Frame{PTS: int64(i) * 1024, DTS: int64(i) * 1024, Duration: 1024, Key: true, Payload: make([]byte, 340)})
				}
				size += len(c.f[i].Payload)
			}
			m, out := muxer(b, c.track), []byte(nil)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				out = m.AppendTables(out[:0])
				for _, f := range c.f {
					out = m.AppendFrame(out, f)
				}
				out = m.Flush(out)
			}
		})
	}
}

func ExampleMuxer() {
	m := NewMuxer()
	if err := m.SetTrack(video(), true); err != nil {
		fmt.Println(err)
		return
	}
	segment := m.AppendFrame(m.AppendTables(nil), Frame{Duration: 3600, Key: true, Payload: []byte{0, 0, 0, 1, 0x65}})
	p, err := Read(m.Flush(segment))
	fmt.Println(len(segment)/188, "packets,", len(p.Media().Units), "picture,", err)
	// Output: 3 packets, 1 picture, <nil>
}

// A frame of layer III of MPEG-2 has 576 samples, and half the bytes.
func TestMPEG2AudioFrame(t *testing.T) {
	s := Stream{Type: TypeMPEG2Audio}
	for header, want := range map[[5]byte]int{
		{0xff, 0xf3, 0x86}: 193, // layer III, 64 kbit/s, 24 kHz, padded
		{0xff, 0xf5, 0x84}: 384, // layer II, 64 kbit/s, 24 kHz
	} {
		if got, _, _, _, err := s.frame(header[:]); err != nil || got != want {
			t.Errorf("% x: %d bytes, %v; want %d", header, got, err, want)
		}
	}
}
