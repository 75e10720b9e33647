package rtsp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// newJoiner is a joiner for the mode that everybody uses, AAC-hbr.
func newJoiner() *aacJoiner {
	d := &rtpmpeg4audio.Decoder{SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	return &aacJoiner{headers: auHeaders{13, 3}, decode: d.Decode}
}

// fragment is a packet with a part of an access unit of the given size.
func fragment(seq uint16, ts uint32, size int, part []byte, last bool) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: last},
		Payload: append([]byte{0, 16, byte(size >> 5), byte(size << 3)}, part...),
	}
}

// Access units of 5.1 at a high rate do not fit a packet; FFmpeg's fragments
// tell the size of the whole.
func TestAACFragments(t *testing.T) {
	au := bytes.Repeat([]byte("0123456789"), 300)
	whole := func(seq uint16) *rtp.Packet { return fragment(seq, 3072, 10, au[:10], true) }
	for _, c := range []struct {
		name    string
		packets []*rtp.Packet
		want    []int // sizes of what comes out
		faults  int
	}{
		{"three", []*rtp.Packet{
			fragment(1, 0, 3000, au[:1400], false), fragment(2, 0, 3000, au[1400:2800], false), fragment(3, 0, 3000, au[2800:], true), whole(4),
		}, []int{3000, 10}, 0},
		{"no marker", []*rtp.Packet{fragment(1, 0, 3000, au[:1400], false), fragment(2, 0, 3000, au[1400:], false), whole(3)}, []int{3000, 10}, 0},
		{"first lost", []*rtp.Packet{fragment(2, 0, 3000, au[1400:2800], false), fragment(3, 0, 3000, au[2800:], true), whole(4)}, []int{10}, 1},
		{"second lost", []*rtp.Packet{fragment(1, 0, 3000, au[:1400], false), fragment(3, 0, 3000, au[2800:], true), whole(4)}, []int{10}, 1},
		{"last lost", []*rtp.Packet{fragment(1, 0, 3000, au[:1400], false), fragment(2, 0, 3000, au[1400:2800], false), whole(4)}, []int{10}, 0},
		{"last lost, the next one in parts", []*rtp.Packet{
			fragment(1, 0, 3000, au[:1400], false), fragment(3, 1024, 2000, au[:1400], false), fragment(4, 1024, 2000, au[1400:2000], true),
		}, []int{2000}, 0},
		{"more than said", []*rtp.Packet{fragment(1, 0, 2000, au[:1400], false), fragment(2, 0, 2000, au[:1400], true), whole(3)}, []int{10}, 1},
		{"sizes of fragments, as gortsplib sends", []*rtp.Packet{
			fragment(1, 0, 1400, au[:1400], false), fragment(2, 0, 1600, au[1400:], true), whole(3),
		}, []int{3000, 10}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJoiner()
			var got []int
			faults := 0
			for _, p := range c.packets {
				list, err := j.feed(p)
				if err != nil && !needsMore(err) {
					faults++
				}
				for _, frame := range list {
					got = append(got, len(frame))
					if !bytes.Equal(frame, au[:len(frame)]) {
						t.Errorf("a frame of %d bytes is another one", len(frame))
					}
				}
			}
			if len(got) != len(c.want) || faults != c.faults {
				t.Fatalf("frames of %v bytes and %d faults, want %v and %d", got, faults, c.want, c.faults)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("frames of %v bytes, want %v", got, c.want)
				}
			}
		})
	}
}

// What is sent says the size of the whole in each fragment, and is read again.
func TestAACFragmentsSent(t *testing.T) {
	track, err := codec.AAC(&mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelCount: 6})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSender(track, 97)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{100, 1440, 1460, 3000, 5000} {
		payload := bytes.Repeat([]byte{7}, size)
		packets, err := s.encode(&media.Packet{Track: track, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		j := newJoiner()
		var got [][]byte
		for _, p := range packets {
			if said, _, ok := j.headers.locate(p.Payload); !ok || said != size {
				t.Errorf("a packet says %d bytes, there are %d", said, size)
			}
			list, err := j.feed(p)
			if err != nil && !errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded) {
				t.Error(err)
			}
			got = append(got, list...)
		}
		if len(got) != 1 || !bytes.Equal(got[0], payload) {
			t.Errorf("%d bytes in %d packets came out as %d frames", size, len(packets), len(got))
		}
	}
}

func TestLATMFrames(t *testing.T) {
	long := append([]byte{255, 255, 10}, make([]byte, 520)...)
	for _, c := range []struct {
		in   []byte
		n    int
		want []int // nil: an error
	}{
		{[]byte{3, 1, 2, 3}, 1, []int{3}},
		{[]byte{3, 1, 2, 3, 9, 9}, 1, []int{3}}, // other data
		{[]byte{1, 1, 2, 1, 2}, 2, []int{1, 2}},
		{long, 1, []int{520}},
		{append([]byte{255, 0}, make([]byte, 255)...), 1, []int{255}},
		{[]byte{0}, 1, []int{}},
		{nil, 1, nil},
		{[]byte{255}, 1, nil},
		{[]byte{4, 1, 2, 3}, 1, nil},
		{[]byte{3, 1, 2, 3}, 2, nil},
	} {
		list, err := latmFrames(c.in, c.n)
		if (err != nil) != (c.want == nil) || len(list) != len(c.want) {
			t.Errorf("%v: %v, %v", c.in, list, err)
			continue
		}
		for i := range list {
			if len(list[i]) != c.want[i] {
				t.Errorf("%v: %v", c.in, list)
			}
		}
	}
}

// GStreamer's configuration goes on with what follows the AudioSpecificConfig
// in an mp4 file, where a StreamMuxConfig has its frameLengthType.
func TestLATMFromGStreamer(t *testing.T) {
	list, unused, err := parseSDP(t, []byte("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\n"+
		"a=rtpmap:96 MP4A-LATM/48000\r\na=fmtp:96 cpresent=0;config=40002320adca00\r\n"))
	if err != nil || len(list) != 1 || len(unused) != 0 {
		t.Fatalf("%v, %v, %v", list, unused, err)
	}
	if _, ok := list[0].format.(*format.MPEG4AudioLATM); !ok || list[0].track.Channels != 2 {
		t.Errorf("%T with %v", list[0].format, list[0].track)
	}
	got, err := list[0].decode.(*frames).decode(&rtp.Packet{
		Header: rtp.Header{Version: 2, Marker: true}, Payload: []byte{5, 0x21, 1, 2, 3, 4},
	})
	if err != nil || len(got) != 1 || len(got[0]) != 5 {
		t.Errorf("%v, %v", got, err)
	}
}
