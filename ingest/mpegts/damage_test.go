package mpegts

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// steps returns the distances of presentation times, in order of presentation.
func steps(packets []*media.Packet) map[int64]int {
	times := make([]int64, len(packets))
	for i, p := range packets {
		times[i] = p.PTS
	}
	slices.Sort(times)
	count := map[int64]int{}
	for i := range times[1:] {
		count[times[i+1]-times[i]]++
	}
	return count
}

// The counter of 33 bits wraps in the middle of the file.
func TestWrap(t *testing.T) {
	f := newFilm(t)
	f.feed(read(t, muxed(t, "h264-b", "-output_ts_offset", "95440")), 1316, 0, 6*time.Second)
	tracks := f.end()
	if len(tracks) != 2 {
		t.Fatalf("%d tracks", len(tracks))
	}
	for _, packets := range tracks {
		step := int64(3600)
		if packets[0].Track.Kind == media.Audio {
			step = 1024
		}
		if got := steps(packets); len(got) != 1 || got[step] == 0 {
			t.Errorf("%s: distances %v", packets[0].Track, got)
		}
		if last := packets[len(packets)-1]; last.Epoch != 0 {
			t.Errorf("%s: epoch %d", packets[0].Track, last.Epoch)
		}
	}
}

// What is no packet between packets, and packets that are not there, cost what
// they carry and nothing else.
func TestDamage(t *testing.T) {
	content := read(t, muxed(t, "h264-b"))
	whole := newFilm(t)
	whole.feed(content, 1316, 0, 6*time.Second)
	want := whole.end()

	f := newFilm(t)
	var damaged []byte
	packet, video, cut := 0, 0, 0
	for b := content; len(b) >= packetSize; b = b[packetSize:] {
		packet++
		if p, _ := parsePacket(b[:packetSize]); p.pid == 0x100 && !p.start {
			if video++; video%200 == 100 {
				cut++
				continue
			}
		}
		damaged = append(damaged, b[:packetSize]...)
		if packet%300 == 0 {
			damaged = append(damaged, bytes.Repeat([]byte{syncByte, 1, 2}, packet%50)...)
		}
		if packet%500 == 0 { // the same packet twice is no loss
			damaged = append(damaged, b[:packetSize]...)
		}
	}
	if cut < 3 {
		t.Fatalf("only %d packets are cut out", cut)
	}
	f.feed(damaged, 1000, 0, 6*time.Second)
	got := f.end()
	stats := f.stream.Stats()
	if stats.Lost != uint64(cut) || stats.Damaged != uint64(cut) {
		t.Errorf("%d packets lost and %d units damaged, want %d", stats.Lost, stats.Damaged, cut)
	}
	for id, packets := range got {
		missing := 0
		if packets[0].Track.Kind == media.Video {
			missing = cut
		}
		if len(packets) != len(want[id])-missing {
			t.Errorf("%s: %d packets, of %d", packets[0].Track, len(packets), len(want[id]))
		}
	}
}

// Another program map, with other PIDs, codecs and times, is another film of
// the same publisher.
func TestMapChanges(t *testing.T) {
	f := newFilm(t)
	f.feed(read(t, muxed(t, "h264-b")), 1316, 0, 6*time.Second)
	first := f.r.Publisher()
	f.feed(read(t, muxed(t, "h265", "-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1100", "-output_ts_offset", "1000")), 1316, 6*time.Second, 6*time.Second)
	tracks := f.end()
	if f.r.Publisher() != first || len(tracks) != 2 {
		t.Fatalf("%d tracks", len(tracks))
	}
	for id, packets := range tracks {
		last := packets[len(packets)-1]
		switch {
		case last.Track.Kind == media.Video && (packets[0].Track.Codec != media.H264 || last.Track.Codec != media.H265):
			t.Errorf("track %d goes from %s to %s", id, packets[0].Track, last.Track)
		case last.Epoch != 1:
			t.Errorf("%s: epoch %d", last.Track, last.Epoch)
		}
		if at := media.Duration(last.PTS, last.Track.ClockRate); at < 10*time.Second || at > 14*time.Second {
			t.Errorf("%s ends at %v", last.Track, at)
		}
	}
}

// A stream that takes the place of another one is never taken for it: neither
// pictures that come before their parameter sets, nor sound whose parameters
// only the map says.
func TestPlaceTaken(t *testing.T) {
	film1, film3 := read(t, muxed(t, "h264-b")), read(t, muxed(t, "h264-opus", "-mpegts_start_pid", "0x300", "-mpegts_pmt_start_pid", "0x1200", "-output_ts_offset", "2000"))
	// The second one is joined behind its first picture.
	var film2 []byte
	pictures := 0
	for b := read(t, muxed(t, "h265", "-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1100", "-output_ts_offset", "1000")); len(b) >= packetSize; b = b[packetSize:] {
		p, _ := parsePacket(b[:packetSize])
		if p.pid == 0x200 && p.start {
			pictures++
		}
		if p.pid != 0x200 || pictures > 1 {
			film2 = append(film2, b[:packetSize]...)
		}
	}
	count := func(films ...[]byte) map[media.Codec]int {
		f := newFilm(t)
		for i, content := range films {
			f.feed(content, 1316, time.Duration(i)*6*time.Second, 6*time.Second)
		}
		n := map[media.Codec]int{}
		for _, packets := range f.end() {
			for i, p := range packets {
				if n[p.Track.Codec]++; i > 0 && p.Track.Codec != packets[i-1].Track.Codec && !p.Key {
					t.Errorf("%s does not begin with a key", p.Track)
				}
			}
		}
		return n
	}
	first, second, third, all := count(film1), count(film2), count(film3), count(film1, film2, film3)
	if all[media.H265] == 0 || all[media.H265] >= pictures {
		t.Errorf("%d pictures of H.265, of %d", all[media.H265], pictures)
	}
	if got, want := all[media.H264], first[media.H264]+third[media.H264]; got != want {
		t.Errorf("%d pictures of H.264, want %d", got, want)
	}
	// Where times jump, the timeline may drop a frame.
	if got, want := all[media.Opus], third[media.Opus]; got > want || got < want-10 {
		t.Errorf("%d frames of Opus, want %d", got, want)
	}
	if got, want := all[media.AAC], first[media.AAC]+second[media.AAC]; got > want {
		t.Errorf("%d frames of AAC, want %d", got, want)
	}
}

// A frame that begins in one PES packet may end in a later one; a packet's
// time is that of the first frame that begins in it.
func TestFramesAcrossPackets(t *testing.T) {
	f := newFilm(t)
	if err := f.r.Feed(nil, 0); err != nil {
		t.Fatal(err)
	}
	f.r.program(programMap{number: 1, streams: []elementary{{pid: 0x100, streamType: 0x0f}}})
	a := f.r.byPID[0x100]
	frame := func(size int) []byte {
		// LC, 48 kHz, stereo
		b := append([]byte{0xff, 0xf1, 0x4c, 0x80 | byte(size>>11), byte(size >> 3), byte(size<<5) | 0x1f, 0xfc}, make([]byte, size-7)...)
		b[len(b)-1] = byte(size)
		return b
	}
	var whole []byte
	for size := 100; size < 130; size++ {
		whole = append(whole, frame(size)...)
	}
	// The PES packets are of 250 bytes; a frame begins in each.
	starts := []int{}
	for at, size := 0, 100; size < 130; at, size = at+size, size+1 {
		starts = append(starts, at)
	}
	for at := 0; at < len(whole); at += 250 {
		i, _ := slices.BinarySearch(starts, at)
		a.decode.unit(unit{data: whole[at:min(at+250, len(whole))], hasPTS: i < len(starts), pts: int64(i) * 1920})
	}
	packets := f.end()[0]
	if len(packets) != 30 {
		t.Fatalf("%d frames", len(packets))
	}
	for i, p := range packets {
		if size := 100 + i; len(p.Payload) != size-7 || p.Payload[size-8] != byte(size) {
			t.Errorf("frame %d has %d bytes", i, len(p.Payload))
		}
	}
	if got := steps(packets); len(got) != 1 || got[1024] != 29 {
		t.Errorf("distances %v", got)
	}
}

// No PID holds more than its kind needs, and a map that names a PID twice, or
// metadata on every PID, opens no more than one.
func TestBounds(t *testing.T) {
	for whole, limit := range map[bool]int{true: maxVideoPES, false: maxOtherPES} {
		damaged, size := 0, 0
		s := pes{whole: whole, yield: func(u unit) {
			if u.damaged {
				damaged++
			}
		}}
		payload := []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1}
		s.feed(&tsPacket{start: true, payload: payload}, false)
		payload = make([]byte, 184)
		for range limit/184 + 10 {
			s.feed(&tsPacket{payload: payload}, false)
			size = max(size, len(s.buf))
		}
		s.flush()
		if size > limit || size < limit-2*184 || damaged != 1 {
			t.Errorf("video %t: %d bytes are held, %d damaged", whole, size, damaged)
		}
	}
	id3 := descriptors{tagMetadata, 13, 0xff, 0xff, 'I', 'D', '3', ' ', 0xff, 'I', 'D', '3', ' ', 0, 0xf}
	f := newFilm(t)
	f.r.program(programMap{number: 1, streams: []elementary{
		{pid: 0x100, streamType: 0x0f},
		{pid: 0x100, streamType: 0x0f},
		{pid: 0x101, streamType: 0x15, descriptors: id3},
		{pid: 0x101, streamType: 0x15, descriptors: id3},
		{pid: 0x102, streamType: 0x15, descriptors: id3},
	}})
	if len(f.r.tracks) != 1 || len(f.r.demuxer.streams) != 2 || len(f.r.unused) != 1 {
		t.Errorf("%d tracks, %d PIDs, unused %v", len(f.r.tracks), len(f.r.demuxer.streams), f.r.unused)
	}
}

// A packet with the counter of the one before is its copy where its payload is
// the same, and once; else all those between are missing.
func TestContinuity(t *testing.T) {
	a, b := []byte("aaaa"), []byte("bbbb")
	var c continuity
	for i, w := range []struct {
		counter byte
		payload []byte
		table   bool
		copied  bool
		lost    int
	}{
		{3, a, false, false, 0},
		{4, a, false, false, 0},
		{4, a, false, true, 0},
		{4, a, false, false, 15},
		{4, b, false, false, 15},
		{6, b, false, false, 1},
		{6, b, true, true, 0},
		{6, b, true, true, 0},
		{6, a, true, false, 15},
		{7, a, true, false, 0},
	} {
		if copied, lost := c.next(&tsPacket{counter: w.counter, payload: w.payload}, w.table); copied != w.copied || lost != w.lost {
			t.Errorf("packet %d: copied %t, lost %d", i, copied, lost)
		}
	}
}

// The length of a frame of MPEG audio, by its header (ISO/IEC 11172-3 §2.4.3.1,
// 13818-3 §2.4.3.1).
func TestMPEGAudioLength(t *testing.T) {
	for _, c := range []struct {
		header []byte
		size   int
	}{
		{[]byte{0xff, 0xfd, 0x84, 0, 0}, 384}, // MPEG-1, layer II, 128 kbit/s, 48 kHz
		{[]byte{0xff, 0xfb, 0x90, 0, 0}, 417}, // MPEG-1, layer III, 128 kbit/s, 44.1 kHz
		{[]byte{0xff, 0xfb, 0x92, 0, 0}, 418}, // ... padded
		{[]byte{0xff, 0xf5, 0x84, 0, 0}, 384}, // MPEG-2, layer II, 64 kbit/s, 24 kHz
		{[]byte{0xff, 0xf3, 0x84, 0, 0}, 192}, // MPEG-2, layer III, 64 kbit/s, 24 kHz
		{[]byte{0xff, 0xf3, 0x86, 0, 0}, 193}, // ... padded
	} {
		if got, err := (mpegAudio{}).size(c.header); err != nil || got != c.size {
			t.Errorf("% x: %d, %v; want %d", c.header, got, err, c.size)
		}
	}
	if _, err := (mpegAudio{}).size([]byte{0xff, 0xff, 0x84, 0, 0}); err == nil {
		t.Error("layer I is taken")
	}
}

// What cannot be taken is named; what is there beside it is taken.
func TestUnused(t *testing.T) {
	f := newFilm(t)
	f.feed(read(t, muxed(t, "h264", "-c:v", "mpeg2video", "-c:a", "copy")), 1316, 0, 6*time.Second)
	if tracks := f.end(); len(tracks) != 1 || len(f.unused) != 1 || f.unused[0] != (ingest.Unused{Kind: "video", Codec: "mpeg2video"}) {
		t.Errorf("%d tracks, unused %v", len(tracks), f.unused)
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add([]byte{syncByte}, uint16(1))
	pat := section(0, 1, 0, 1, 0xf0, 0x00)
	pmt := section(2, 1, 0xe1, 0x00, 0xf0, 0x00,
		0x1b, 0xe1, 0x00, 0xf0, 0x00, 0x0f, 0xe1, 0x01, 0xf0, 0x06, 0x0a, 4, 'e', 'n', 'g', 0,
		0x11, 0xe1, 0x02, 0xf0, 0, 0x06, 0xe1, 0x03, 0xf0, 10, 5, 4, 'O', 'p', 'u', 's', 0x7f, 2, 0x80, 2,
		0x81, 0xe1, 0x04, 0xf0, 0, 0x03, 0xe1, 0x05, 0xf0, 0, 0x86, 0xe1, 0x06, 0xf0, 0)
	seed := append(inPacket(0, pat), inPacket(0x1000, pmt)...)
	for pid := uint16(0x100); pid < 0x107; pid++ {
		seed = append(seed, inPacket(pid, []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, 0, 0, 1, 0x65, 0xff, 0xf1, 0x4c, 0x80, 1, 0x1f, 0xfc})...)
	}
	f.Add(seed, uint16(188))
	f.Fuzz(func(_ *testing.T, b []byte, piece uint16) {
		s := ingest.NewStream("fuzz", ingest.StreamOptions{})
		defer s.Close(nil)
		r := New(Config{Attach: func(tracks []*media.Track, _ []ingest.Unused) (*ingest.Publisher, error) {
			return s.Attach(ingest.PublisherInfo{SharedClock: true}, tracks)
		}})
		for at := 0; at < len(b); at += int(piece) + 1 {
			if r.Feed(b[at:min(at+int(piece)+1, len(b))], s.Created()+time.Duration(at)*time.Millisecond) != nil {
				return
			}
		}
		_ = r.End()
	})
}

// section makes a section with its CRC.
func section(table byte, extension uint16, body ...byte) []byte {
	n := 5 + len(body) + 4
	b := append([]byte{table, 0xb0 | byte(n>>8), byte(n), byte(extension >> 8), byte(extension), 0xc1, 0, 0}, body...)
	c := crc(b)
	return append(b, byte(c>>24), byte(c>>16), byte(c>>8), byte(c))
}

// inPacket makes a packet that begins with a section or a PES packet.
func inPacket(pid uint16, content []byte) []byte {
	b := append([]byte{syncByte, 0x40 | byte(pid>>8), byte(pid), 0x10}, content...)
	if content[0] != 0 || content[1] != 0 || content[2] != 1 {
		b = append(append(b[:4:4], 0), content...)
	}
	for len(b) < packetSize {
		b = append(b, 0xff)
	}
	return b
}
