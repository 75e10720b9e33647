package mpegts

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/testmedia/tools"
)

// Samples of SCTE 35 §14.
const (
	sampleInsert = "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo="
	sampleSignal = "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg=="
)

func sampleOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseSplice(t *testing.T) {
	s, err := parseSplice(sampleOf(t, sampleInsert))
	if err != nil {
		t.Fatal(err)
	}
	if i := s.insert; s.command != commandInsert || !s.hasPTS || s.pts != 0x07369c02e || *i != (spliceInsert{event: 0x4800008f, out: true, duration: 0x52ccf5, autoReturn: true}) {
		t.Errorf("%+v %+v", s, i)
	}
	if s, err = parseSplice(sampleOf(t, sampleSignal)); err != nil {
		t.Fatal(err)
	}
	if s.command != commandTimeSignal || s.pts != 0x072bd0050 || len(s.segments) != 1 || s.segments[0] != (segmentation{event: 0x4800008e, kind: 0x34, duration: 0x1a599b0}) {
		t.Errorf("%+v", s)
	}
	broken := sampleOf(t, sampleInsert)
	broken[20] ^= 1
	if _, err := parseSplice(broken); err == nil {
		t.Error("a wrong CRC is taken")
	}
}

func TestAdjustment(t *testing.T) {
	b := tools.SpliceInsert(7, true, 1<<33-10, 0)
	b[8] = 30 // pts_adjustment
	b = b[:len(b)-4]
	c := crc(b)
	s, err := parseSplice(append(b, byte(c>>24), byte(c>>16), byte(c>>8), byte(c)))
	if err != nil || s.pts != 20 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzSplice(f *testing.F) {
	f.Add(sampleOf(f, sampleInsert))
	f.Add(sampleOf(f, sampleSignal))
	f.Add(tools.SpliceInsert(1, false, 5, 0))
	f.Fuzz(func(_ *testing.T, b []byte) {
		// With the right CRC, or nothing behind it is looked at.
		if len(b) > 18 {
			n := min(3+(int(b[1])<<8|int(b[2]))&0x0fff, len(b))
			if n > 4 {
				c := crc(b[:n-4])
				copy(b[n-4:], []byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)})
			}
		}
		_, _ = parseSplice(b)
	})
}

// marked feeds a film with splices in it and returns the markers.
func marked(t *testing.T, splices func(first int64) []tools.Splice) []media.Marker {
	t.Helper()
	var list []media.Marker
	f := &film{t: t, stream: ingest.NewStream("film", ingest.StreamOptions{OnMark: func(m media.Marker) { list = append(list, m) }})}
	f.sub = f.stream.Subscribe(media.SubscribeOptions{Name: "test", MaxBytes: 1 << 30})
	f.r = New(Config{
		Attach: func(tracks []*media.Track, _ []ingest.Unused) (*ingest.Publisher, error) {
			return f.stream.Attach(ingest.PublisherInfo{SharedClock: true}, tracks)
		},
		Fault: func(err error) { t.Error(err) },
	})
	file := muxed(t, "h264-b")
	first := tools.FirstPTS(read(t, file))
	f.feed(tools.SpliceFile(t, file, splices(first)...), 1316, 0, 6*time.Second)
	begin := f.end()[0][0].PTS
	for i := range list {
		if list[i].ID == "" {
			t.Errorf("marker %d has no ID", i)
		}
		list[i].At -= media.Duration(begin, wireRate) // from the first picture on
	}
	return list
}

func TestBreaks(t *testing.T) {
	var out, in, auto []byte
	list := marked(t, func(first int64) []tools.Splice {
		out, in = tools.SpliceInsert(7, true, first+2*wireRate, 0), tools.SpliceInsert(7, false, first+3*wireRate, 0)
		auto = tools.SpliceInsert(8, true, first+4*wireRate, wireRate/2)
		return []tools.Splice{
			{At: 0, Section: out}, // before anything has a time
			{At: time.Second, Section: out},
			{At: 1500 * time.Millisecond, Section: out},
			{At: 2500 * time.Millisecond, Section: in},
			{At: 2600 * time.Millisecond, Section: in},
			{At: 3 * time.Second, Section: auto},
			{At: 3500 * time.Millisecond, Section: auto},
		}
	})
	if len(list) != 4 {
		t.Fatalf("%d markers: %+v", len(list), list)
	}
	for i, want := range []media.Marker{
		{Kind: media.DateRange, At: 2 * time.Second, Class: spliceClass, Duration: -1, Out: out},
		{Kind: media.DateRangeEnd, At: 3 * time.Second, In: in},
		{Kind: media.DateRange, At: 4 * time.Second, Class: spliceClass, Duration: -1, Planned: 500 * time.Millisecond, Out: auto},
		{Kind: media.DateRangeEnd, At: 4500 * time.Millisecond},
	} {
		got := list[i]
		if got.Kind != want.Kind || (got.At-want.At).Abs() > time.Millisecond || got.Class != want.Class || got.Duration != want.Duration ||
			got.Planned != want.Planned || string(got.Out) != string(want.Out) || string(got.In) != string(want.In) {
			t.Errorf("marker %d is %+v, want %+v", i, got, want)
		}
	}
	if list[0].ID != list[1].ID || list[2].ID != list[3].ID || list[0].ID == list[2].ID {
		t.Errorf("IDs %q %q %q %q", list[0].ID, list[1].ID, list[2].ID, list[3].ID)
	}
}

// A time signal with a segmentation descriptor begins what its type says.
func TestSignal(t *testing.T) {
	section := sampleOf(t, sampleSignal)
	list := marked(t, func(int64) []tools.Splice { return []tools.Splice{{At: time.Second, Section: section}} })
	if len(list) != 1 {
		t.Fatalf("%d markers", len(list))
	}
	if m := list[0]; string(m.Out) != string(section) || m.Planned != 307*time.Second || m.Duration >= 0 || m.Attributes["X-SEGMENTATION-TYPE"] != float64(0x34) {
		t.Errorf("%+v", m)
	}
}

// Timed ID3 is metadata at its time.
func TestID3(t *testing.T) {
	var list []media.Marker
	f := newFilm(t)
	f.stream = ingest.NewStream("film", ingest.StreamOptions{OnMark: func(m media.Marker) { list = append(list, m) }})
	f.sub = f.stream.Subscribe(media.SubscribeOptions{Name: "test"})
	begin := f.stream.Created() + time.Second
	feed := func(pid uint16, content []byte) {
		if err := f.r.Feed(inPacket(pid, content), begin); err != nil {
			t.Fatal(err)
		}
	}
	adts := []byte{0xff, 0xf1, 0x4c, 0x80, 1, 0x1f, 0xfc, 1} // of LC, 48 kHz, stereo
	tag := []byte("ID3\x04\x00\x00\x00\x00\x00\x00")
	head := func(pts, size byte) []byte {
		return []byte{0, 0, 1, 0xbd, 0, 8 + size, 0x80, 0x80, 5, 0x21, 0, 1, pts, 1}
	}
	// Two packets that follow each other are sure to be packets.
	feed(pidNull, []byte{0xff, 0xff, 0xff})
	feed(0, section(0, 1, 0, 1, 0xf0, 0x00))
	feed(0x1000, section(2, 1, 0xe1, 0x00, 0xf0, 0x00, 0x0f, 0xe1, 0x00, 0xf0, 0x00,
		0x15, 0xe1, 0x01, 0xf0, 15, 0x26, 13, 0xff, 0xff, 'I', 'D', '3', ' ', 0xff, 'I', 'D', '3', ' ', 0, 0xf))
	feed(0x101, append(head(90, byte(len(tag))), tag...))
	feed(0x100, append(head(0, byte(len(adts))), adts...))
	feed(pidNull, []byte{0xff, 0xff, 0xff})
	packets := f.end()[0]
	if len(packets) != 1 || len(list) != 1 {
		t.Fatalf("%d frames, %d markers, %v", len(packets), len(list), f.faults)
	}
	m := list[0]
	after := m.At - media.Duration(packets[0].PTS, packets[0].Track.ClockRate)
	if want := media.Duration(90<<7, wireRate); m.Kind != media.Metadata || string(m.ID3) != string(tag) || (after-want).Abs() > time.Millisecond {
		t.Errorf("%+v, %v behind the first frame, want %v", m, after, want)
	}
}

// Faults that may come with every packet have the same text each time, or
// they could not be thinned out.
func TestConstantFaults(t *testing.T) {
	texts := map[string]bool{}
	r := New(Config{Fault: func(err error) { texts[err.Error()] = true }})
	for event := range uint32(20) {
		r.breaks.segment(&segmentation{event: event, cancel: true}, 0, nil)
		metadata{r}.unit(unit{hasPTS: true, data: make([]byte, 3+event)})
		metadata{r}.unit(unit{hasPTS: true, data: append([]byte("ID3"), make([]byte, 1<<20+event)...)})
		_, err := mpegAudio{}.size([]byte{byte(event), 0, 0, 0, 0})
		r.fault(err)
		_, err = dolby{}.size([]byte{0x0b, 0x77, 0, 0, 0xc0 | byte(event), 0, 0, 0})
		r.fault(err)
	}
	if len(texts) > 3 {
		t.Errorf("%d texts: %v", len(texts), texts)
	}
}

// Instants, however many, do not make an open break forgotten.
func TestRememberedBreak(t *testing.T) {
	r := New(Config{Fault: func(err error) { t.Error(err) }})
	k := &r.breaks
	k.begin(breakKey{event: 7}, 0, 0, false, nil)
	for n := range int64(3) {
		k.instant("signal", 0, n*same, nil)
	}
	if len(k.open) != 2 {
		t.Errorf("%d are remembered, want the break and one instant", len(k.open))
	}
	for event := range uint32(2 * maxBreaks) {
		k.segment(&segmentation{event: event, kind: 0x50}, 0, nil)
	}
	if b := k.find(breakKey{event: 7}); len(k.open) != maxBreaks || b == nil || b.ended {
		t.Errorf("%d are remembered, the break is %+v", len(k.open), b)
	}
}
