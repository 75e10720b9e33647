package timeline

import (
	"encoding/binary"
	"testing"
	"time"
)

// FuzzPlace feeds arbitrary stamps of two tracks: whatever comes, decode times
// strictly increase, presentation is never before decoding, and nothing is
// negative.
func FuzzPlace(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 10, 0, 5, 1, 0, 0, 0, 0, 0, 0, 20, 0, 5}, uint8(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		bits := []int{32, 33, 64, 32}[mode&3]
		tl := New()
		tl.Restart(mode&4 != 0)
		tl.SetTrack(video, Config{Video: true, Wire: 90000, Bits: bits, Rate: 90000, Reorder: int(mode>>3&7) - 1})
		tl.SetTrack(audio, Config{Wire: 90000, Bits: bits, Rate: 48000})
		var ck checker
		at := time.Duration(0)
		for len(data) >= 10 {
			kind, raw := data[0], binary.BigEndian.Uint64(data[:8])&0xffffffffffffff
			at += time.Duration(data[8]) * time.Millisecond
			s := Sample{PTS: int64(raw), Arrival: at}
			if kind&2 != 0 {
				s.HasDTS, s.DTS = true, s.PTS-int64(int8(data[9]))*1000
			}
			if kind&4 != 0 {
				s.NTP = time.Unix(int64(raw>>20), int64(data[9])*1e6)
			}
			id := int(kind & 1)
			if id == audio {
				s.Duration = int64(data[9]) * 8
			}
			if kind&0xf8 == 0xf8 {
				tl.Restart(kind&4 != 0)
				tl.SetTrack(video, Config{Video: true, Wire: 90000, Bits: bits, Rate: 90000, Reorder: -1})
				tl.SetTrack(audio, Config{Wire: 90000, Bits: bits, Rate: 44100})
				ck.last = nil
			}
			if st, ok := tl.Place(id, s); ok {
				ck.check(t, id, st)
			}
			data = data[10:]
		}
	})
}

func FuzzReorder(f *testing.F) {
	f.Add([]byte{0, 4, 2, 1, 3}, uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, depth uint8) {
		r := reorder{depth: int(depth % (maxReorder + 1))}
		for i, b := range data {
			pts := int64(i)*10 + int64(b)
			if dts := r.push(pts, 10); dts > pts {
				t.Fatalf("decode time %d after presentation %d", dts, pts)
			}
			if len(r.due) > r.depth {
				t.Fatalf("%d pictures held back, depth %d", len(r.due), r.depth)
			}
		}
	})
}
