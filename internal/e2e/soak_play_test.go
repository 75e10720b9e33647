//go:build soak

package e2e

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSoakHalfHour watches the demo's camera for half an hour: every segment
// of every rendition is fetched and held to what its playlist says of it, each
// stretch of a window is decoded in one variant after the other, and the
// server's memory is followed.
func TestSoakHalfHour(t *testing.T) {
	length := soakTime(t, 30*time.Minute)
	s := start(t, "127.0.0.1", "demo", `streams: [{path: demo, encoder: {nice: 0}, hls: {window: 30s}}]`)
	var p *presentation
	s.eventually(20*time.Second, "the demo is live", func() (err error) {
		if p, err = load(s.hls("demo")); err == nil && len(p.media) < 4 {
			err = fmt.Errorf("it has %q", p.names())
		}
		return err
	})
	w := &vigil{t: t, s: s, seen: map[string]*seenRendition{}, starts: map[uint64]time.Duration{}, samples: map[uint64]int{}}
	begin := time.Now()
	const look = 10 * time.Second
	for n := 1; time.Since(begin) < length; n++ {
		<-time.After(time.Until(begin.Add(time.Duration(n) * look)))
		if p, err := load(s.hls("demo")); err != nil {
			t.Error(err)
		} else {
			w.playlists(p)
		}
		if n%2 == 0 {
			w.memory()
		}
		if n%3 == 0 { // as often as the window is another
			t.Run((time.Duration(n) * look).String(), func(t *testing.T) { w.play(t, n/3) })
		}
	}
	w.conclude(begin)
}

// vigil is what one soak has seen.
type vigil struct {
	t    *testing.T
	s    *server
	seen map[string]*seenRendition
	// of segments, by number, the same in all variants
	starts  map[uint64]time.Duration
	samples map[uint64]int

	camera time.Time     // when its first picture was due
	skew   time.Duration // the largest
	beeps  int
	frames testmedia.Continuity
	usage  []held
}

// seenRendition is what was seen of one rendition.
type seenRendition struct {
	first, next uint64        // segments
	start       time.Duration // of the first
	end         time.Duration // of the newest, by its media
	listed      time.Duration // sum of EXTINF
	date        time.Time     // of the one to come, by the newest
	skipped     time.Duration // pictures that the camera left out of the newest
}

const aacFrame = 1024 * time.Second / 48000

// playlists fetches what is new, and checks it.
func (w *vigil) playlists(p *presentation) {
	w.t.Helper()
	for name, m := range p.media {
		if m.TargetDuration != 3 {
			w.t.Errorf("%s: TARGETDURATION is %d", name, m.TargetDuration)
		}
		if n := discontinuities(m); n > 0 {
			w.t.Errorf("%s: %d discontinuities", name, n)
		}
		if i := slices.IndexFunc(m.Segments, func(s playlist.Segment) bool { return s.Gap }); i >= 0 {
			w.t.Errorf("%s: segment %d is a GAP", name, m.MediaSequence+uint64(i))
		}
		list, err := p.download(name)
		if err != nil {
			w.t.Error(err)
			continue
		}
		for _, seg := range list {
			w.segment(name, seg)
		}
	}
}

// segment checks one that was not seen yet.
func (w *vigil) segment(name string, seg segment) {
	w.t.Helper()
	r := w.seen[name]
	if r == nil {
		r = &seenRendition{first: seg.number, next: seg.number, start: seg.start, end: seg.start}
		w.seen[name] = r
	}
	switch {
	case seg.number < r.next:
		return
	case seg.number > r.next:
		w.t.Errorf("%s: segment %d was never listed", name, r.next)
	}
	frame, sound := frame30, name == "audio"
	if sound {
		frame = aacFrame
	}
	// What the camera leaves out at the end of a segment is not in its media.
	skipped := time.Duration(0)
	if !sound {
		skipped = max(0, seg.Duration.Round(frame)-time.Duration(seg.samples)*frame)
	}
	if off := (seg.start - r.end).Abs(); off > r.skipped+time.Millisecond {
		w.t.Errorf("%s: segment %d begins %v beside the end of the one before", name, seg.number, off)
	}
	if off := (seg.length - seg.Duration).Abs(); off > frame+skipped {
		w.t.Errorf("%s: segment %d has %v of media, EXTINF says %v", name, seg.number, seg.length, seg.Duration)
	}
	if !sound && !seg.key {
		w.t.Errorf("%s: segment %d does not begin with a keyframe", name, seg.number)
	}
	cut, known := w.starts[seg.number]
	switch {
	case !known && !sound:
		w.starts[seg.number], w.samples[seg.number] = seg.start, seg.samples
	case known && !sound && seg.samples != w.samples[seg.number]:
		w.t.Errorf("%s: segment %d has %d pictures, in another variant %d", name, seg.number, seg.samples, w.samples[seg.number])
	case known && !sound && seg.start != cut:
		w.t.Errorf("%s: segment %d starts at %v, in another variant at %v", name, seg.number, seg.start, cut)
	case known && sound && (seg.start < cut || seg.start-cut > frame+time.Millisecond):
		w.t.Errorf("%s: segment %d starts at %v, its picture at %v", name, seg.number, seg.start, cut)
	}
	// a millisecond to round to, and one to follow the sender's drift by
	if off := seg.ProgramDateTime.Sub(r.date); !r.date.IsZero() && off.Abs() > 3*time.Millisecond {
		w.t.Errorf("%s: segment %d is dated %v after it should be", name, seg.number, off)
	}
	r.skipped = skipped
	r.next, r.end, r.date = seg.number+1, seg.start+seg.length, seg.ProgramDateTime.Add(seg.Duration)
	r.listed += seg.Duration
}

// play decodes what the window holds of one variant and compares sound and
// picture.
func (w *vigil) play(t *testing.T, n int) {
	p, err := load(w.s.hls("demo"))
	if err != nil {
		t.Fatal(err)
	}
	v := p.multi.Variants[n%len(p.multi.Variants)]
	r, holes := p.decode(t, v)
	if len(holes) > 0 {
		t.Errorf("%s: the sound has holes: %v", v.URI, holes)
	}
	c := testmedia.CheckContinuity(r.Frames(), 0)
	if c.Doubled+c.Backwards > 0 || r.Unreadable() > 0 {
		t.Errorf("%s: %v, %d unreadable", v.URI, c, r.Unreadable())
	}
	w.frames.Frames += c.Frames
	w.frames.Lost += c.Lost // the camera itself leaves out what it has no time for
	w.retime(r)
	checkSkews(t, path.Dir(v.URI), r, 20, maxSkew)
	w.beeps += len(r.Beeps)
	for _, skew := range r.Skews() {
		w.skew = max(w.skew, skew.Abs())
	}
}

// retime has each picture show when it was due instead of when it was drawn:
// on a machine that is busy the camera draws some of them late.
func (w *vigil) retime(r *tools.Recording) {
	due := func(p *tools.Seen) time.Duration { return time.Duration(p.Frame) * time.Second / 30 }
	for i := range r.Pictures {
		p := &r.Pictures[i]
		if start := p.Wall.Add(-due(p)); p.Readable && (w.camera.IsZero() || start.Before(w.camera)) {
			w.camera = start
		}
	}
	for i := range r.Pictures {
		p := &r.Pictures[i]
		p.Wall = w.camera.Add(due(p))
	}
}

func (w *vigil) memory() {
	h, err := w.s.held()
	if err != nil {
		w.t.Error(err)
		return
	}
	w.usage = append(w.usage, h)
}

// conclude says what was seen, and checks what only the whole tells.
func (w *vigil) conclude(begin time.Time) {
	w.t.Helper()
	for name, r := range w.seen {
		media := r.end - r.start
		w.t.Logf("%s: %d segments, %v of media, EXTINF says %v", name, r.next-r.first, media, r.listed)
		if off := (media - r.listed).Abs(); off > frame30 {
			w.t.Errorf("%s: EXTINF adds up to %v beside the media", name, off)
		}
	}
	w.t.Logf("sound and picture: %d beeps, at most %v apart; pictures: %v", w.beeps, w.skew, w.frames)
	st, err := w.s.stream("demo")
	if err != nil || st.Worker == nil {
		w.t.Fatal(errors.Join(err, fmt.Errorf("worker %+v", st.Worker)))
	}
	w.t.Logf("the stream at the end: %+v, worker %+v", st.Input, *st.Worker)
	if st.Worker.Restarts > 0 || st.Worker.Dropped > 0 || st.Input.Lost+st.Input.Dropped > 0 {
		w.t.Errorf("worker %+v, input %+v", *st.Worker, st.Input)
	}
	third := len(w.usage) / 3
	if third == 0 {
		w.t.Fatal("memory was never looked at")
	}
	early, late := most(w.usage[third:2*third]), most(w.usage[2*third:])
	w.t.Logf("in the second third at most %v, in the last %v", early, late)
	if late.resident-early.resident > 8<<20 || late.workers-early.workers > 16<<20 {
		w.t.Error("memory grows")
	}
	if late.files > early.files+8 || late.goroutines > early.goroutines+8 {
		w.t.Error("descriptors or goroutines grow")
	}
	w.t.Logf("watched for %v", time.Since(begin).Round(time.Second))
}

// most is the most that was held of each.
func most(list []held) (m held) {
	for _, h := range list {
		m.goroutines, m.files, m.children = max(m.goroutines, h.goroutines), max(m.files, h.files), max(m.children, h.children)
		m.resident, m.workers = max(m.resident, h.resident), max(m.workers, h.workers)
	}
	return m
}
