package packager

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// TestRandomTimelines plays random sources through random presentations on a
// virtual clock and holds what is published to the rules of RFC 8216bis at
// each step; see observer.
func TestRandomTimelines(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 20
	}
	list := []uint64{878} // a frame longer than others in a segment that a break ends
	for seed := range seeds {
		list = append(list, uint64(seed))
	}
	for _, seed := range list {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newWorld(t, seed).run() })
		})
	}
}

func FuzzRandomTimelines(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) { newWorld(t, seed).run() })
	})
}

// world is a random source and the presentation it is played into.
type world struct {
	*sim
	rnd     *rand.Rand
	cfg     Config
	video   frames
	jitter  bool          // frames of varying length
	late    time.Duration // packets arrive up to so much later than they are due
	whole   bool          // nothing goes wrong by chance
	audio   bool
	gop     time.Duration
	coded   []string // coded renditions, behind by lag packets
	lag     map[string]int
	queue   map[string][]media.Placed
	dead    map[string]uint64 // coded renditions without a worker, until that discontinuity
	segment uint64
	disc    uint64
	lastCut time.Duration
	broken  bool
	start   time.Time
	now     time.Duration // on the stream's timeline
	track   *media.Track
	obs     *observer
	written map[string]int
	silent  bool // sound was missing somewhere
	marker  *marker

	captioner *captioner // nil where there are no subtitles
}

func newWorld(t *testing.T, seed uint64) *world {
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := &world{
		rnd: rnd, lag: map[string]int{}, queue: map[string][]media.Placed{}, dead: map[string]uint64{},
		segment: 1000, disc: 500, start: time.Now(), written: map[string]int{}, marker: newMarker(seed),
	}
	rates := []media.Rational{{Num: 24000, Den: 1001}, {Num: 25, Den: 1}, {Num: 30000, Den: 1001}, {Num: 30, Den: 1}, {Num: 50, Den: 1}, {Num: 60000, Den: 1001}, {Num: 12, Den: 1}}
	rate := rates[rnd.IntN(len(rates))]
	known := rate
	if rnd.IntN(3) == 0 {
		known = media.Rational{} // has to be measured
	}
	w.jitter = !known.Known() && rnd.IntN(2) == 0
	w.track = videoTrack(known)
	w.video = frames{track: w.track, rate: rate, size: 2000, reorder: rnd.IntN(4)}
	segments := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	w.cfg = Config{
		Segment: segments[rnd.IntN(3)], Part: time.Duration(200+rnd.IntN(900)) * time.Millisecond,
		Window: time.Duration(4+rnd.IntN(20)) * time.Second, Markers: true,
	}
	w.cfg.LowLatency = rnd.IntN(4) > 0
	w.gop = w.cfg.Segment / time.Duration(1+rnd.IntN(4))
	rs := []Rendition{{Name: "source", Kind: media.Video, Copy: true}}
	for i := range rnd.IntN(3) {
		name := fmt.Sprintf("rung%d", i)
		rs = append(rs, Rendition{Name: name, Kind: media.Video, Bitrate: 800_000})
		w.coded = append(w.coded, name)
		w.lag[name] = rnd.IntN(40)
	}
	if w.audio = rnd.IntN(4) > 0; w.audio {
		rs = append(rs, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	}
	if seed%2 == 0 {
		w.captioner = &captioner{rnd: rand.New(rand.NewPCG(seed, 3)), said: map[string]media.Cue{}}
		w.cfg.Subtitles = []Subtitles{{ID: "en", Language: "en"}}
	}
	w.sim = newSim(t, w.cfg, rs...)
	w.obs = &observer{world: w, seen: map[string]*view{}, starts: map[uint64]int64{}, discs: map[uint64]uint64{}}
	return w
}

func (w *world) run() {
	defer func() { w.Close() }()
	w.broken = true
	for range 2 + w.rnd.IntN(4) {
		w.session(time.Duration(3+w.rnd.IntN(25)) * time.Second)
		if w.rnd.IntN(2) == 0 { // else another publisher takes over at once
			w.flush()
			w.Suspend()
			w.obs.look()
			w.now += time.Duration(1+w.rnd.IntN(8000)) * time.Millisecond
		} else {
			w.silent = true // its first sound may come before its first picture
		}
		w.broken = true
		if w.rnd.IntN(2) == 0 {
			tr := *w.track
			tr.Width += 16
			tr.Revision++
			w.track = &tr
			w.video.track = w.track
		}
	}
	w.flush()
	if err := w.End(); err != nil {
		w.t.Fatal(err)
	}
	w.obs.ended = true
	w.obs.look()
	w.obs.conservation()
	w.obs.shownCues()
	before := mediaFiles(w.t)
	w.Close()
	if after := mediaFiles(w.t); after != 0 {
		w.t.Errorf("%d media files before Close, %d after", before, after)
	}
}

// session plays a publisher from now on.
func (w *world) session(length time.Duration) {
	begin := w.now
	video := w.video
	video.gop = int(int64(w.gop) * int64(video.rate.Num) / int64(video.rate.Den) / int64(time.Second))
	packets := video.between(begin, begin+length)
	if w.jitter {
		w.vary(packets)
	}
	var sound []*media.Packet
	if w.audio {
		sound = aac().between(begin, begin+length)
	}
	silent := !w.whole && w.rnd.IntN(6) == 0 // no sound in the middle third
	w.silent = w.silent || silent
	for i, pk := range packets {
		dts := max(media.Duration(pk.DTS, 90000), begin)
		arrives := w.start.Add(dts)
		if w.late > 0 {
			arrives = arrives.Add(time.Duration(w.rnd.Int64N(int64(w.late))))
		}
		if time.Now().Before(arrives) {
			time.Sleep(time.Until(arrives))
		}
		pts := media.Duration(pk.PTS, 90000)
		if pk.Key && (w.broken || pts-w.lastCut >= w.cfg.Segment*3/4) {
			// Audio that the cut does not concern comes first, as the Cutter sees to.
			sound = w.play(sound, pts)
			w.makeCut(pts)
		}
		w.mark()
		w.caption()
		w.place("source", pk)
		for _, name := range w.coded {
			w.code(name, pk)
		}
		if middle := i > len(packets)/3 && i < len(packets)*2/3; i%7 == 0 && (!silent || !middle) {
			sound = w.play(sound, dts-100*time.Millisecond)
		}
		if w.rnd.IntN(400) == 0 && len(w.coded) > 0 {
			w.kill()
		}
		if i%9 == 0 {
			w.obs.look()
		}
		w.now = max(w.now, pts+50*time.Millisecond)
	}
	w.play(sound, w.now+time.Hour)
}

// vary makes frames last between half and one and a half of their time.
func (w *world) vary(packets []*media.Packet) {
	shift := map[int64]int64{}
	var times []int64
	for _, p := range packets {
		times = append(times, p.PTS)
	}
	slices.Sort(times)
	for i, at := range times {
		if i > 0 {
			shift[at] = w.rnd.Int64N((times[i]-times[i-1])/2) - (times[i]-times[i-1])/4
		}
	}
	for _, p := range packets {
		p.PTS += shift[p.PTS]
		p.DTS += shift[p.DTS]
	}
}

func (w *world) makeCut(pts time.Duration) {
	w.segment++
	if w.broken {
		w.disc++
		w.broken = false
	}
	w.lastCut = pts
	w.cut(w.segment, w.disc, pts, w.start.Add(pts))
}

func (w *world) place(rendition string, pk *media.Packet) {
	w.written[rendition]++
	w.put(rendition, w.segment, w.disc, pk)
}

// play writes the audio before a point in time, into the newest segment, and
// returns the rest.
func (w *world) play(sound []*media.Packet, until time.Duration) []*media.Packet {
	n := 0
	for ; n < len(sound) && media.Duration(sound[n].PTS, 48000) < until; n++ {
		if w.segment > 1000 && media.Duration(sound[n].PTS, 48000) >= w.lastCut {
			w.place("audio", sound[n])
		}
	}
	return sound[n:]
}

// code hands a packet to a coder, which returns it some packets later.
func (w *world) code(name string, pk *media.Packet) {
	if until, dead := w.dead[name]; dead {
		if w.disc < until {
			return
		}
		delete(w.dead, name)
	}
	w.queue[name] = append(w.queue[name], media.Placed{Packet: pk, Segment: w.segment, Discontinuity: w.disc})
	for len(w.queue[name]) > w.lag[name] {
		w.deliver(name)
	}
}

func (w *world) deliver(name string) {
	pk := w.queue[name][0]
	w.queue[name] = w.queue[name][1:]
	w.written[name]++
	w.put(name, pk.Segment, pk.Discontinuity, pk.Packet)
}

// kill ends the worker: what it had is lost, its successor begins with the
// next discontinuity.
func (w *world) kill() {
	for _, name := range w.coded {
		w.queue[name] = nil
		w.dead[name] = w.disc + 1
	}
	w.Lost(w.coded...)
	w.broken = true
}

func (w *world) flush() {
	for _, name := range w.coded {
		for len(w.queue[name]) > 0 {
			w.deliver(name)
		}
	}
}

// observer looks at all playlists and compares them with what it saw before.
type observer struct {
	*world
	seen    map[string]*view
	starts  map[uint64]int64  // first PTS of each video segment
	discs   map[uint64]uint64 // discontinuity of each segment
	gone    []removed
	ended   bool
	samples map[string]int
	carried map[string]bool // events, by rendition
	control *playlist.ServerControl
}

type view struct {
	last    *playlist.Media
	known   map[uint64]playlist.Segment // by number
	section map[uint64]string           // its EXT-X-MAP
	parts   map[string]playlist.Part    // by URI
	hint    string                      // of the next part
	ranges  map[string]string           // date ranges, by ID
}

type removed struct {
	path  string
	until time.Time
}

func (o *observer) look() {
	o.t.Helper()
	for _, r := range o.order {
		if m := o.playlist(r.name); m != nil {
			o.compare(r, m)
		}
	}
	for len(o.gone) > 0 && !time.Now().Before(o.gone[0].until) {
		o.gone = o.gone[1:] // not promised any more
	}
	for i := 0; i < len(o.gone); i += 5 {
		if w := o.do("HEAD", o.gone[i].path); w.Code != 200 {
			o.t.Errorf("%s was removed too early: %d", o.gone[i].path, w.Code)
		}
	}
}

// compare checks a playlist by itself and as a successor of the former one.
func (o *observer) compare(r *rendition, m *playlist.Media) {
	o.t.Helper()
	v := o.seen[r.name]
	if v == nil {
		v = &view{known: map[uint64]playlist.Segment{}, section: map[uint64]string{}, parts: map[string]playlist.Part{}}
		o.seen[r.name] = v
	}
	name := r.name
	if m.TargetDuration != int(o.target/time.Second) || m.Version != versionOf(r) || m.EndList != o.ended || m.Type != "" {
		o.t.Fatalf("%s: header %+v", name, m)
	}
	if old := v.last; old != nil {
		oldEnd, end := old.MediaSequence+uint64(len(old.Segments)), m.MediaSequence+uint64(len(m.Segments))
		if m.MediaSequence < old.MediaSequence || m.DiscontinuitySequence < old.DiscontinuitySequence || end < oldEnd {
			o.t.Fatalf("%s went back: %d/%d after %d/%d", name, m.MediaSequence, m.DiscontinuitySequence, old.MediaSequence, old.DiscontinuitySequence)
		}
		keep := max(o.cfg.Window, 3*o.target) // less than a second was missed by not looking
		for i := range min(m.MediaSequence-old.MediaSequence, uint64(len(old.Segments))) {
			if s := old.Segments[i]; !s.Gap {
				o.gone = append(o.gone, removed{name + "/" + s.URI, time.Now().Add(keep - time.Second)})
			}
		}
		var total time.Duration
		for _, s := range m.Segments {
			total += s.Duration
		}
		// Sound and texts may be shorter where they would begin before the pictures.
		short := total < o.cfg.Window-time.Millisecond && (r.kind == media.Video || m.MediaSequence > r.p.oldest.Load()+1)
		if m.MediaSequence > old.MediaSequence && (len(m.Segments) < 6 || total < 3*o.target || short) {
			o.t.Errorf("%s shrank to %d segments, %v", name, len(m.Segments), total)
		}
	}
	if o.cfg.LowLatency {
		o.lowLatency(r, v, m)
	}
	o.dates(r, v, m)
	disc, section, broke := m.DiscontinuitySequence, "", false
	for i, s := range m.Segments {
		number := m.MediaSequence + uint64(i)
		disc += uint64(s.Discontinuities)
		if s.URI != fmt.Sprint(number)+r.extension() {
			o.t.Fatalf("%s: segment %d is called %s", name, number, s.URI)
		}
		if d, ok := o.discs[number]; ok && d != disc {
			o.t.Errorf("%s: segment %d has discontinuity %d, elsewhere or before it was %d", name, number, disc, d)
		}
		o.discs[number] = disc
		if s.Map != nil {
			if section != "" && !broke && s.Discontinuities == 0 || s.Gap {
				o.t.Errorf("%s: EXT-X-MAP changes at segment %d without a discontinuity", name, number)
			}
			section = s.Map.URI
		}
		broke = s.Gap && (broke || s.Discontinuities > 0) // since the last media
		if section == "" && !s.Gap && r.text == nil {
			o.t.Errorf("%s: segment %d has no EXT-X-MAP", name, number)
		}
		if s.Duration.Round(time.Second) > o.target {
			o.t.Errorf("%s: segment %d lasts %v", name, number, s.Duration)
		}
		if i > 0 && s.Discontinuities == 0 {
			before := m.Segments[i-1]
			off := s.ProgramDateTime.Sub(before.ProgramDateTime.Add(before.Duration))
			if allowed := o.tolerance(r, s.Gap || before.Gap); off.Abs() > allowed {
				o.t.Errorf("%s: date of segment %d is off by %v", name, number, off)
			}
		}
		s.Map, s.Parts = nil, nil
		if old, ok := v.known[number]; ok {
			if fmt.Sprint(old) != fmt.Sprint(s) || !s.Gap && v.section[number] != section {
				o.t.Errorf("%s: segment %d was %+v and became %+v", name, number, old, s)
			}
			continue
		}
		v.known[number], v.section[number] = s, section
		if !s.Gap {
			o.segment(r, number, s)
		}
	}
	v.last = m
}

// tolerance is how far dates may be off: the rounding to milliseconds, an
// audio frame, and for audio beside a gap both its edges.
func (o *observer) tolerance(r *rendition, gap bool) time.Duration {
	switch {
	case r.kind == media.Video && o.jitter:
		return 80 * time.Millisecond
	case r.kind != media.Audio:
		return 2 * time.Millisecond
	case gap:
		return 700 * time.Millisecond // it may begin or end within a segment
	}
	return 25 * time.Millisecond
}

// segment checks a segment's media the moment it is listed.
func (o *observer) segment(r *rendition, number uint64, s playlist.Segment) {
	o.t.Helper()
	if r.text != nil {
		o.subtitles(r, number, s)
		return
	}
	rate := clock(r)
	path := r.name + "/" + s.URI
	whole := o.get(path).Body.Bytes()
	fs := o.fragments(path)
	first, end := int64(1<<62), int64(0)
	next := uint64(0)
	for i := range fs {
		at := fs[i].Base
		if next != 0 && at != next && (!o.cfg.LowLatency || max(at, next)-min(at, next) > 1) {
			o.t.Errorf("%s: fragment %d begins at %d, the one before ends at %d", path, i, at, next)
		}
		for _, sample := range fs[i].Samples {
			pts := int64(at) + int64(sample.Offset)
			first, end = min(first, pts), max(end, pts+int64(sample.Duration))
			at += uint64(sample.Duration)
		}
		next = at
		if o.samples == nil {
			o.samples = map[string]int{}
		}
		o.samples[r.name] += len(fs[i].Samples)
	}
	if !fs[0].Samples[0].Key {
		o.t.Errorf("%s does not begin with a key", path)
	}
	frame := media.Duration(r.usual(), rate)
	lasts := media.Duration(end-first, rate)
	allowed := frame * 2
	if o.jitter {
		allowed = frame * 4
	}
	if off := lasts - s.Duration; off.Abs() > allowed {
		o.t.Errorf("%s lasts %v, EXTINF is %v, a frame %v", path, lasts, s.Duration, frame)
	}
	if r.kind == media.Video {
		if at, ok := o.starts[number]; ok && at != first {
			o.t.Errorf("%s starts at %d, in another rendition at %d", path, first, at)
		}
		o.starts[number] = first
	}
	o.happened(r, path, whole, first, end)
	o.parts(r, number, whole)
}

// parts checks the parts that a low-latency playlist would list.
func (o *observer) parts(r *rendition, number uint64, whole []byte) {
	o.t.Helper()
	s := r.window.Load().segment(number)
	var at int64
	for i, p := range s.parts {
		id := fmt.Sprintf("%s/%d part %d of %d", r.name, number, i, len(s.parts))
		last := i == len(s.parts)-1 || s.parts[i+1].gap
		if p.duration > r.target {
			o.t.Errorf("%s lasts %v, more than %v", id, p.duration, r.target)
		}
		if p.gap {
			continue
		}
		if p.offset != at {
			o.t.Errorf("%s begins at byte %d, not %d", id, p.offset, at)
		}
		at += p.size
		fs, err := fmp4.ReadFragments(whole[p.offset : p.offset+p.size])
		if err != nil || len(fs) == 0 {
			o.t.Fatalf("%s: %d fragments, %v", id, len(fs), err)
		}
		var samples []fmp4.Sample
		var lasts uint64
		for _, f := range fs {
			samples, lasts = append(samples, f.Samples...), lasts+f.Duration()
		}
		// The I-frame that a segment begins with is a fragment of its own, behind
		// what happens meanwhile.
		alone := i == 0 && r.kind == media.Video && samples[0].Key
		if range1, err := fmp4.ReadFragments(whole[:s.iframeSize]); alone && (err != nil || len(range1) != 1 || len(fs[0].Samples) != 1) || i == 0 && !alone && s.iframeSize != 0 {
			o.t.Errorf("%s: an I-frame of %d bytes, begins with %d samples in %d", id, s.iframeSize, len(fs[0].Samples), fs[0].Size)
		}
		if len(fs) > 2 || len(fs) > 1 && !alone {
			o.t.Errorf("%s: %d fragments", id, len(fs))
		}
		if last && i < len(s.parts)-1 {
			// A frame that is too long is no reason for a gap if the part
			// could have been closed before it.
			before := media.Duration(int64(lasts)-int64(samples[len(samples)-1].Duration), clock(r))
			if before >= r.target*85/100 {
				o.t.Errorf("%s stands before a gap and was long enough without its last frame: %v of %v", id, before, r.target)
			}
		}
		keys := slices.ContainsFunc(samples, func(s fmp4.Sample) bool { return s.Key })
		if keys != p.independent {
			o.t.Errorf("%s: independent %v, has a key %v", id, p.independent, keys)
		}
		if p.duration < r.target*85/100 && !last {
			o.t.Errorf("%s lasts %v of %v", id, p.duration, r.target)
		}
	}
	if at != int64(len(whole)) {
		o.t.Errorf("parts of %s/%d have %d bytes, the segment %d", r.name, number, at, len(whole))
	}
}

func clock(r *rendition) int {
	if r.kind == media.Audio {
		return 48000
	}
	return 90000
}

// conservation checks that every packet, and no other but silence, is in a
// segment, or was counted as dropped, or was in a segment that was given up when its worker died.
func (o *observer) conservation() {
	for _, r := range o.order {
		got, want := o.samples[r.name]+int(r.dropped.Load())-int(r.filled.Load()), o.written[r.name]
		if got == want || got < want && slices.Contains(o.coded, r.name) {
			continue
		}
		o.t.Errorf("%s: %d packets written, %d arrived or were counted", r.name, want, got)
	}
	for _, r := range o.order {
		if n := r.filled.Load(); n > 0 && !o.silent {
			o.t.Errorf("%s: %d silent frames where no sound was missing", r.name, n)
		}
	}
}
