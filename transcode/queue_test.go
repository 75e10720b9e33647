package transcode

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// script writes items into a queue: "K" and "k" a video keyframe, "v" another
// video packet, "a" an audio packet, "|" a cut, "<" takes one. Capitals count
// 500 bytes, the others 50.
func script(q *queue, text string) {
	for i, c := range text {
		it := item{at: time.Duration(i) * time.Second}
		track, size := &media.Track{ID: 0, Kind: media.Video}, 50
		switch c {
		case '|':
			it.message = &wire.Cut{Segment: uint64(i)}
			q.put(it)
			continue
		case '<':
			q.take(nil)
			continue
		case 'a':
			track = &media.Track{ID: 1, Kind: media.Audio}
		case 'K', 'V':
			size = 500
		}
		it.placed.Packet = &media.Packet{Track: track, Key: c == 'k' || c == 'K' || c == 'a', PTS: int64(i), Payload: make([]byte, size)}
		q.put(it)
	}
}

// places tells where in their script the items stood.
func places(items []item) string {
	var s []string
	for _, it := range items {
		if it.placed.Packet != nil {
			s = append(s, strconv.FormatInt(it.placed.PTS, 10))
		} else {
			s = append(s, "|"+strconv.FormatUint(it.message.(*wire.Cut).Segment, 10))
		}
	}
	return strings.Join(s, " ")
}

func TestLiveQueueDrops(t *testing.T) {
	const endless = time.Hour
	for _, c := range []struct {
		name, script string
		maxBytes     int
		maxAge       time.Duration
		want         string
		dropped      uint64
	}{
		{"fits", "|kvva", 1 << 20, endless, "|0 1 2 3 4", 0},
		{"begins with a keyframe", "|vvakv", 1 << 20, endless, "|0 3 4 5", 2},
		{"drops to the next keyframe", "kvvv<<<vkv", 540, endless, "8 9", 2},
		{"a keyframe that does not fit", "kvvKvv<<kv", 600, endless, "2 8 9", 3},
		{"audio has no keyframe to wait for", "kvvvaa<<<a", 540, endless, "9", 3},
		{"cuts always fit", "kvv|||", 540, endless, "0 1 2 |3 |4 |5", 0},
		{"old", "kvv<vvkv", 1 << 20, 3 * time.Second, "1 2 4", 3},
		{"one always fits", "K", 10, endless, "0", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(true, c.maxBytes, c.maxAge, map[int]bool{0: true})
			q.attach(true)
			script(q, c.script)
			if got := places(q.items); got != c.want {
				t.Errorf("holds %q, want %q", got, c.want)
			}
			if q.dropped != c.dropped {
				t.Errorf("%d dropped, want %d", q.dropped, c.dropped)
			}
			sum := 0
			for _, it := range q.items {
				sum += it.size()
			}
			if q.bytes != sum {
				t.Errorf("counts %d bytes, holds %d", q.bytes, sum)
			}
		})
	}
}

func TestQueuePrimes(t *testing.T) {
	for _, c := range []struct {
		name, script string
		audioOnly    bool
		maxBytes     int
		want         string
		needKey      bool
	}{
		{"nothing", "", false, 1 << 20, "", true},
		{"no keyframe yet", "|vva", false, 1 << 20, "|0", true},
		{"since the newest keyframe", "|kvvakvav", false, 1 << 20, "5 6 7 8", false},
		{"with the cut before it", "|kvv|kva", false, 1 << 20, "|4 5 6 7", false},
		{"with all cuts before it", "|kvv|||kv", false, 1 << 20, "|4 |5 |6 7 8", false},
		{"and the cuts after it", "kv|v|v", false, 1 << 20, "0 1 |2 3 |4 5", false},
		{"outgrown", "kVVVvv", false, 1500, "", true},
		{"outgrown, and again", "kVVVvv|kv", false, 1500, "|6 7 8", false},
		{"audio alone, since the cut", "|aaa|aa", true, 1 << 20, "|4 5 6", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			video := map[int]bool{0: true}
			if c.audioOnly {
				video = map[int]bool{}
			}
			for _, attached := range []bool{false, true} {
				q := newQueue(true, c.maxBytes, time.Hour, video)
				if attached {
					q.attach(true)
				}
				script(q, c.script)
				q.detach()
				if got := places(q.attach(true)); got != c.want {
					t.Errorf("attached %t: primes with %q, want %q", attached, got, c.want)
				}
				if !c.audioOnly && q.needKey[0] != c.needKey {
					t.Errorf("needs a keyframe: %t", q.needKey[0])
				}
				q.detach()
				if got := places(q.attach(false)); got != "" || !c.audioOnly && !q.needKey[0] {
					t.Errorf("unprimed: %q", got)
				}
			}
		})
	}
}

func TestFileQueueBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(false, 400, 0, map[int]bool{0: true})
		done := make(chan struct{})
		go func() {
			defer close(done)
			script(q, "kvvvvv")
		}()
		synctest.Wait()
		if len(q.items) != 0 {
			t.Fatal("took packets before there was a worker")
		}
		q.attach(true)
		synctest.Wait()
		if got := places(q.items); got != "0 1" {
			t.Fatalf("holds %q", got)
		}
		for i := range 4 {
			it, ok := q.take(nil)
			if !ok || it.placed.PTS != int64(i) {
				t.Fatalf("took %+v", it)
			}
			synctest.Wait()
		}
		<-done
		q.close()
		if q.put(item{placed: media.Placed{Packet: &media.Packet{Track: &media.Track{}}}}) {
			t.Error("a closed queue takes packets")
		}
	})
}

func TestQueueTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(true, 1000, time.Hour, nil)
		q.attach(true)
		stop := make(chan struct{})
		var got []bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				_, ok := q.take(stop)
				got = append(got, ok)
				if !ok {
					return
				}
			}
		}()
		synctest.Wait()
		script(q, "a")
		synctest.Wait()
		close(stop)
		<-done
		if len(got) != 2 || !got[0] || got[1] {
			t.Errorf("%v", got)
		}
	})
}
