package packager

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/store"
)

// BenchmarkServe sends what viewers ask for over keep-alive connections, and
// beside it the same file by the barest handler there is.
func BenchmarkServe(b *testing.B) {
	const size = 624_000
	f := frames{track: videoTrack(media.Rational{Num: 25, Den: 1}), rate: media.Rational{Num: 25, Den: 1}, size: size * 5 / 54}
	s := newSim(b, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	for n := range 17 {
		at := time.Duration(n) * 2 * time.Second
		s.cut(uint64(100+n), 1, at, time.Now().Add(at))
		for _, pk := range f.between(at, at+2*time.Second) {
			s.put("720p", uint64(100+n), 1, pk)
		}
	}
	path := filepath.Join(b.TempDir(), "segment")
	writeFile(b, path, s.get("720p/105.m4s").Body.Bytes())
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(path)
		if err != nil {
			b.Error(err)
			return
		}
		defer f.Close()
		info, _ := f.Stat()
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
		_, _ = io.CopyN(w, f, info.Size())
	})
	b.Run("segment", func(b *testing.B) { serve(b, s, "/720p/105.m4s", "") })
	b.Run("segment-bare", func(b *testing.B) { serve(b, bare, "/", "") })
	b.Run("segment-range", func(b *testing.B) { serve(b, s, "/720p/105.m4s", "Range: bytes=1000-40999\r\n") })
	b.Run("playlist", func(b *testing.B) { serve(b, s, "/720p/index.m3u8", "") })
	b.Run("playlist-gzip", func(b *testing.B) { serve(b, s, "/720p/index.m3u8", "Accept-Encoding: gzip\r\n") })
	text := s.get("720p/index.m3u8").Body.Bytes()
	b.Run("playlist-bare", func(b *testing.B) {
		serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }), "/", "")
	})
}

func serve(b *testing.B, h http.Handler, path, header string) {
	server := httptest.NewServer(h)
	defer server.Close()
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n")
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		in := bufio.NewReaderSize(c, 64<<10)
		for pb.Next() {
			if _, err := c.Write(request); err != nil {
				b.Error(err)
				return
			}
			length := -1
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					b.Error(err)
					return
				}
				if len(line) <= 2 {
					break
				}
				if len(line) > 16 && string(line[:16]) == "Content-Length: " {
					length, _ = strconv.Atoi(string(line[16 : len(line)-2]))
				}
			}
			if _, err := in.Discard(length); length <= 0 || err != nil {
				b.Errorf("body of %d bytes: %v", length, err)
				return
			}
		}
	})
}

// BenchmarkWrite is the way of one second of 720p at 25 frames with audio.
func BenchmarkWrite(b *testing.B) {
	f := frames{track: videoTrack(media.Rational{Num: 25, Den: 1}), rate: media.Rational{Num: 25, Den: 1}, size: 62_000, reorder: 2}
	s := newSim(b, Config{Store: store.Memory{}},
		Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	defer s.Close()
	video, audio := f.between(0, 2*time.Second), aac().between(0, 2*time.Second)
	bytes := 0
	for _, pk := range append(append([]*media.Packet(nil), video...), audio...) {
		bytes += len(pk.Payload)
	}
	b.SetBytes(int64(bytes / 2))
	b.ReportAllocs()
	// Times move on in place; nobody looks at packets twice here.
	for n := 0; b.Loop(); n++ {
		at := time.Duration(n) * time.Second
		if n%2 == 0 {
			s.cut(uint64(100+n/2), 1, at, time.Now())
			for _, pk := range append(video[:len(video):len(video)], audio...) {
				if n > 0 {
					pk.PTS += media.Ticks(2*time.Second, pk.Track.ClockRate)
					pk.DTS += media.Ticks(2*time.Second, pk.Track.ClockRate)
				}
				name := "720p"
				if pk.Track.Kind == media.Audio {
					name = "audio"
				}
				if err := s.Write(name, media.Placed{Packet: pk, Segment: uint64(100 + n/2), Discontinuity: 1}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// TestMemory holds a stream of 2.5 Mbit/s with seven segments to what it may
// cost: media of two windows in memory files, and next to nothing on the heap.
func TestMemory(t *testing.T) {
	const streams = 20
	f := frames{track: videoTrack(media.Rational{Num: 25, Den: 1}), rate: media.Rational{Num: 25, Den: 1}, size: 57_000, reorder: 2}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	before := heap()
	var all []*sim
	var file int64
	for range streams {
		s := newSim(t, Config{Window: 14 * time.Second},
			Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
		defer s.Close()
		all = append(all, s)
		for n := range 15 {
			at := time.Duration(n) * 2 * time.Second
			s.cut(uint64(100+n), 1, at, time.Now().Add(at))
			for _, pk := range f.between(at, at+2*time.Second) {
				s.put("720p", uint64(100+n), 1, pk)
			}
			for _, pk := range aac().between(at, at+2*time.Second) {
				s.put("audio", uint64(100+n), 1, pk)
			}
		}
		for _, r := range s.Stats().Renditions {
			file += r.Bytes
		}
	}
	used := int64(heap()-before) / streams
	t.Logf("%d bytes of media, %d bytes of heap a stream", file/streams, used)
	// The packets of the open part and the one held back are in there.
	if used > 400_000 {
		t.Errorf("%d bytes of heap a stream", used)
	}
	if st := all[0].Stats().Renditions[0]; st.Listed != 7 || st.Held != 14 {
		t.Errorf("%d segments listed, %d held", st.Listed, st.Held)
	}
	runtime.KeepAlive(all)
}

func BenchmarkRender(b *testing.B) {
	s := newSim(b, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	s.fill("720p", 100, 120)
	r := (*s.names.Load())["720p"]
	w := r.window.Load()
	b.ReportAllocs()
	for b.Loop() {
		r.render(w)
	}
}
