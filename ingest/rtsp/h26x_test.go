package rtsp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unit is what comes out of the depacketiser.
type unit struct {
	ts      uint32
	payload []byte
	key     bool
}

func depacketizer(c media.Codec) (d *h26x, units *[]unit, dropped *int) {
	units, dropped = &[]unit{}, new(int)
	d = newH26x(c, func(ts uint32, payload []byte, key bool) {
		*units = append(*units, unit{ts, payload, key})
	}, func() { *dropped++ })
	return d, units, dropped
}

// packets are those of n pictures, as our own packetiser makes them.
func packets(t testing.TB, n int, size func(int) int) (all []*rtp.Packet, payloads [][]byte) {
	t.Helper()
	c := newClip(t)
	s, err := newSender(c.track, 96)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p := c.next(size(i))
		list, err := s.packetize(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		payloads = append(payloads, p.Payload)
	}
	return all, payloads
}

// feedAll feeds packets and tells of gaps as receiver.packet does.
func feedAll(d *h26x, list []*rtp.Packet) {
	for i, p := range list {
		d.feed(p, i > 0 && p.SequenceNumber != list[i-1].SequenceNumber+1)
	}
}

func TestDepacketize(t *testing.T) {
	list, payloads := packets(t, 60, func(i int) int { return 2 + i*137%6000 })
	d, units, dropped := depacketizer(media.H264)
	feedAll(d, list)
	if len(*units) != 60 || *dropped != 0 {
		t.Fatalf("%d units, %d dropped", len(*units), *dropped)
	}
	for i, u := range *units {
		if !bytes.Equal(u.payload, payloads[i]) || u.key != (i%25 == 0) || u.ts-(*units)[0].ts != uint32(i*3600) {
			t.Errorf("unit %d differs", i)
		}
	}
	if !d.asm.Sets.Complete() {
		t.Error("parameter sets were not seen")
	}
}

// Senders that never set the marker: a unit ends with the next timestamp.
func TestNoMarker(t *testing.T) {
	list, payloads := packets(t, 20, func(i int) int { return 100 + i*500 })
	for _, p := range list {
		p.Marker = false
	}
	d, units, _ := depacketizer(media.H264)
	feedAll(d, list)
	if len(*units) != 19 {
		t.Fatalf("%d units", len(*units))
	}
	for i, u := range *units {
		if !bytes.Equal(u.payload, payloads[i]) || u.ts-(*units)[0].ts != uint32(i*3600) {
			t.Errorf("unit %d differs", i)
		}
	}
}

// Whatever packets are lost, each unit that comes out is whole, and only those
// that lost something are missing.
func TestLossDropsOnlyDamaged(t *testing.T) {
	for _, marker := range []bool{true, false} {
		t.Run(fmt.Sprint("marker ", marker), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			for range 200 {
				list, payloads := packets(t, 30, func(i int) int { return 2 + i*911%5000 })
				whole := map[uint32]bool{}
				byTS := map[uint32][]byte{}
				first := list[0].Timestamp
				for i := range payloads {
					whole[first+uint32(i*3600)] = true
					byTS[first+uint32(i*3600)] = payloads[i]
				}
				var kept []*rtp.Packet
				for i, p := range list {
					p.Marker = p.Marker && marker
					if i > 0 && rng.IntN(8) == 0 {
						whole[p.Timestamp] = false
						continue
					}
					kept = append(kept, p)
				}
				d, units, _ := depacketizer(media.H264)
				feedAll(d, kept)
				seen := map[uint32]bool{}
				for _, u := range *units {
					if !bytes.Equal(u.payload, byTS[u.ts]) {
						t.Fatalf("a damaged unit came out: %d bytes of %d", len(u.payload), len(byTS[u.ts]))
					}
					seen[u.ts] = true
				}
				for ts, ok := range whole {
					last := ts == first+29*3600
					if ok && !seen[ts] && !last && marker {
						t.Fatalf("a whole unit was dropped")
					}
				}
			}
		})
	}
}

// A picture of several slices that loses one of them is damaged.
func TestLostSlice(t *testing.T) {
	slice := func(seq uint16, first, marker bool) *rtp.Packet {
		b := []byte{0x41, 0x1a, 1}
		if first {
			b[1] = 0x9a
		}
		return &rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: uint32(seq / 3), Marker: marker}, Payload: b}
	}
	for lost, want := range map[uint16]int{3: 2, 4: 2, 5: 2, 100: 3} {
		d, units, _ := depacketizer(media.H264)
		var list []*rtp.Packet
		for seq := range uint16(9) {
			if seq != lost {
				list = append(list, slice(seq, seq%3 == 0, seq%3 == 2))
			}
		}
		feedAll(d, list)
		if len(*units) != want {
			t.Errorf("without packet %d: %d units, want %d", lost, len(*units), want)
		}
	}
}

func TestOddPayloads(t *testing.T) {
	for _, c := range []struct {
		name    string
		codec   media.Codec
		payload string
		want    string
		damaged bool
	}{
		{"single", media.H264, "658801", "00000003658801", false},
		{"aggregate", media.H264, "780003658801" + "0002419a", "00000003658801" + "00000002419a", false},
		{"aggregate with padding", media.H264, "7800036588010000", "00000003658801", false},
		{"aggregate cut short", media.H264, "7800096588", "", true},
		{"whole FU", media.H264, "7cc58801", "00000003658801", false},
		{"FU without end", media.H264, "7c858801", "", true},
		{"FU without start", media.H264, "7c458801", "", true},
		{"annex B", media.H264, "00000001658801", "00000003658801", false},
		{"annex B, several", media.H264, "0000000109f000000001658801", "00000003658801", false},
		{"glued to the SPS, fragmented", media.H264, "7cc7420000000168ce000000016588", "000000026588", false},
		{"unknown type", media.H264, "7d00", "", true},
		{"empty", media.H264, "", "", false},
		{"h265 single", media.H265, "260180", "00000003260180", false},
		{"h265 aggregate", media.H265, "6001" + "0003260180", "00000003260180", false},
		{"h265 aggregate and a byte", media.H265, "6001" + "0003260180" + "00", "", true},
		{"h265 whole FU", media.H265, "6201d380", "00000003260180", false},
		{"h265 short", media.H265, "26", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, units, dropped := depacketizer(c.codec)
			d.feed(&rtp.Packet{Header: rtp.Header{Marker: true}, Payload: unhex(t, c.payload)}, false)
			var got []byte
			for _, u := range *units {
				got = append(got, u.payload...)
			}
			if hex.EncodeToString(got) != c.want || (*dropped > 0) != c.damaged {
				t.Errorf("%x, %d dropped", got, *dropped)
			}
		})
	}
}

// FuzzRTP feeds each kind of receiver arbitrary packets, as a publisher may
// send them.
func FuzzRTP(f *testing.F) {
	sdps := []string{
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n",
		"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/48000/2\r\na=fmtp:96 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\r\n",
		"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/48000/2\r\na=fmtp:96 cpresent=0; config=400023203fc0\r\n",
		"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n",
		"m=audio 0 RTP/AVP 8\r\n",
		"m=audio 0 RTP/AVP 14\r\n",
		"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/44100/2\r\n",
		"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 AC3/48000/6\r\n",
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\n",
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP9/90000\r\n",
	}
	f.Add(uint8(0), []byte{0, 0, 0, 4, 0x65, 0x88, 1, 2})
	f.Add(uint8(1), []byte{0x80, 0, 0, 3, 0x26, 1, 0x80})
	f.Add(uint8(2), []byte{0x80, 0, 0, 6, 0, 16, 0, 16, 1, 2})
	f.Add(uint8(6), []byte{0x80, 0, 0, 9, 0, 0, 0, 0, 0xff, 0xfb, 0x90, 0x64, 0})
	f.Add(uint8(9), append([]byte{0x80, 0, 0, 22}, unhex(f, "1008000000043d06d4fbf9004030191400a1")...))
	f.Add(uint8(10), append([]byte{0x80, 0, 0, 16}, unhex(f, "0c824983420014100b560638241c184a")...))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		list, _, err := parseSDP(t, []byte("v=0\r\ns=x\r\nt=0 0\r\n"+sdps[int(kind)%len(sdps)]))
		if err != nil {
			t.Fatal(err)
		}
		r := list[0]
		s := ingest.NewStream("x", ingest.StreamOptions{})
		defer s.Close(nil)
		if r.pub, err = s.Attach(ingest.PublisherInfo{}, tracks(list)); err != nil {
			t.Fatal(err)
		}
		sub := s.Subscribe(media.SubscribeOptions{})
		defer sub.Close()
		var seq uint16
		var ts uint32
		for len(data) >= 4 {
			seq += 1 + uint16(data[1]&1)
			ts += uint32(data[2]) * 90
			n := min(int(data[3]), len(data)-4)
			r.packet(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: ts, Marker: data[0]&0x80 != 0}, Payload: data[4 : 4+n]})
			data = data[4+n:]
		}
		for _, tr := range s.Tracks() {
			if _, err := describe("x", []*media.Track{tr}); err != nil {
				t.Fatalf("a track that came in cannot go out: %v", err)
			}
		}
		if k := s.Keyframe(); k != nil && len(k.Payload) < 5 {
			t.Fatalf("keyframe of %d bytes", len(k.Payload))
		}
	})
}
