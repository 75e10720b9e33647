package media_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	im "github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/transcode"
)

// twoRungs is a host's ladder that gives each packet of video twice, in
// segments of ten pictures.
type twoRungs struct {
	out     media.LadderOutput
	segment uint64
}

func (l *twoRungs) Start(context.Context, []media.HLSTrack) error {
	return l.out.Plan(&transcode.Plan{Renditions: []transcode.Rendition{{Name: "high", Kind: im.Video}, {Name: "low", Kind: im.Video}}}, false)
}

func (l *twoRungs) Write(_ context.Context, p *im.Packet) error {
	if p.Key {
		l.segment++
		if err := l.out.Cut(im.Cut{Segment: l.segment, Discontinuity: 1, PTS: p.PTS, ClockRate: 90000}); err != nil {
			return err
		}
	}
	var all sync.WaitGroup // as encoders do
	for _, name := range []string{"high", "low"} {
		all.Go(func() { _ = l.out.Write(name, im.Placed{Packet: p, Segment: l.segment, Discontinuity: 1}) })
	}
	all.Wait()
	return nil
}

func (l *twoRungs) WriteFrame(context.Context, *im.Track, transcode.Frame, uint32, time.Duration) error {
	return nil
}
func (l *twoRungs) End(context.Context) error { return nil }
func (l *twoRungs) Abort(error)               {}

// protocol is a presentation that notes what comes.
type protocol struct {
	lines map[string][]string // of a rendition; of all others ""
}

func (p *protocol) note(of, format string, args ...any) error {
	p.lines[of] = append(p.lines[of], fmt.Sprintf(format, args...))
	return nil
}

func (p *protocol) Plan(plan *transcode.Plan, _ bool) error {
	return p.note("", "plan %d", len(plan.Renditions))
}
func (p *protocol) Cut(c im.Cut) error { return p.note("", "cut %d at %d", c.Segment, c.PTS) }
func (p *protocol) Write(r string, w im.Placed) error {
	return p.note(r, "%d in %d %s", w.PTS, w.Segment, w.Payload)
}
func (p *protocol) GivenUp(transcode.Degradation) error { return p.note("", "given up") }
func (p *protocol) Suspended() error                    { return p.note("", "suspended") }
func (p *protocol) Handed() error                       { return p.note("", "handed") }
func (p *protocol) End(context.Context) error           { return p.note("", "end") }
func (p *protocol) Abort(error)                         { _ = p.note("", "abort") }

// What a ladder makes goes through a script as it is, and its cuts with it.
func TestBehindALadder(t *testing.T) {
	for name, c := range map[string]struct {
		way       string
		high, low int
	}{
		"native":    {`ladder(), tee(),`, 30, 30},
		"transform": {`ladder(), new Transform({ objectMode: true, transform(p, _, done) { done(null, p) } }),`, 30, 30},
		"generator": {`ladder(), async function* (all) { for await (const p of all) yield p },`, 30, 30},
		"slow":      {`ladder(), new Transform({ objectMode: true, transform(p, _, done) { setTimeout(done, 1, null, p) } }),`, 30, 30},
		"dropped":   {`ladder(), new Transform({ objectMode: true, transform(p, _, done) { done(null, p.rendition.name === 'low' ? null : p) } }),`, 30, 0},
		"made anew": {`ladder(), new Transform({ objectMode: true, transform(p, _, done) { done(null, new Packet({ like: p, data: p.data })) } }),`, 30, 30},
	} {
		t.Run(name, func(t *testing.T) {
			got := &protocol{lines: map[string][]string{}}
			o := media.Options{Engine: &standIn{}, Source: newClip(60)}
			o.HLS = func(media.HLSSpec) (media.HLSSink, error) { return nil, fmt.Errorf("nothing is to be placed here") }
			o.Placed = func(media.HLSOptions) (media.PlacedSink, error) { return got, nil }
			o.Ladder = func(_ media.HLSSpec, out media.LadderOutput) (media.HLSSink, error) { return &twoRungs{out: out}, nil }
			_, err := run(t, o, `
				import { pipeline } from 'node:stream/promises';
				import { Transform } from 'node:stream';
				import { ladder, tee, hls, Packet } from 'millrace';
				export default async (source) => { await pipeline(source.video, `+c.way+` hls()) }`)
			if err != nil {
				t.Fatal(err)
			}
			if told := strings.Join(got.lines[""], "; "); told != "plan 2; cut 1 at 0; cut 2 at 36000; cut 3 at 72000; end" {
				t.Errorf("it was told %s", told)
			}
			if len(got.lines["high"]) != c.high || len(got.lines["low"]) != c.low {
				t.Errorf("%d and %d packets", len(got.lines["high"]), len(got.lines["low"]))
			}
			if !slices.Contains(got.lines["high"], "36000 in 2 p20") {
				t.Errorf("packets %q", got.lines["high"])
			}
		})
	}
}

// Nobody can join a ladder that hls() alone has begun to read. That is told as
// long as the ladder is there, which here is a matter of time: its hls() fails.
func TestLateBehindALadder(t *testing.T) {
	const want = "ERR_MEDIA_LINK ladder: it goes into hls() alone and has begun"
	var got string
	var err error
	for range 20 {
		o := media.Options{Engine: &standIn{}, Source: newClip(60)}
		begun := make(chan struct{})
		o.HLS = func(media.HLSSpec) (media.HLSSink, error) {
			close(begun)
			return nil, fmt.Errorf("it ends here")
		}
		got, err = run(t, o, `
			import { ladder, hls } from 'millrace';
			export default async (source) => {
				const rungs = ladder(), end = hls();
				source.video.pipe(rungs).pipe(end);
				await new Promise((go) => end.once('error', go));
				await new Promise((go) => rungs.once('error', (e) => go(console.log(e.code, e.message))).on('data', () => {}));
				source.destroy();
			}`)
		<-begun
		if err == nil && strings.HasPrefix(got, want) {
			return
		}
	}
	t.Errorf("got %q, want %q; error %v", got, want, err)
}

// A presentation that the host does not open is none, whatever came beside the
// error; one that it opens too late is given up.
func TestPlacedRefusedOrLate(t *testing.T) {
	o := media.Options{Engine: &standIn{}, Source: newClip(60)}
	o.HLS = func(media.HLSSpec) (media.HLSSink, error) { return nil, fmt.Errorf("nothing is to be placed here") }
	o.Ladder = func(_ media.HLSSpec, out media.LadderOutput) (media.HLSSink, error) { return &twoRungs{out: out}, nil }
	o.Placed = func(media.HLSOptions) (media.PlacedSink, error) { return (*protocol)(nil), fmt.Errorf("no room") }
	const head = `
		import { pipeline } from 'node:stream/promises';
		import { Transform } from 'node:stream';
		import { ladder, hls } from 'millrace';
		export default async (source) => {`
	got, err := run(t, o, head+`
			const same = new Transform({ objectMode: true, transform(p, _, done) { done(null, p) } });
			await pipeline(source.video, ladder(), same, hls()).catch((e) => console.log(e.code, e.message));
		}`)
	if err != nil || got != "ERR_MEDIA_HLS hls: no room\n" {
		t.Errorf("got %q, error %v", got, err)
	}

	late := &protocol{lines: map[string][]string{}}
	o.Source = newClip(60)
	opened := 0
	o.Placed = func(media.HLSOptions) (media.PlacedSink, error) {
		opened++
		return late, nil
	}
	if _, err := run(t, o, head+`
			const busy = () => { for (const from = Date.now(); Date.now() - from < 200;); };
			source.video.pipe(ladder()).once('data', async (p) => {
				const end = hls();
				end.write(p);
				for (let i = 0; i < 9; i++) await new Promise(process.nextTick); // it is with the stage
				busy(); // the stage waits for the loop
				end.destroy();
				busy(); // and does not any more
				setTimeout(() => source.destroy(), 50);
			});
		}`); err != nil {
		t.Fatal(err)
	}
	if told := late.lines[""]; strings.Count(strings.Join(told, "; "), "abort") != opened {
		t.Errorf("%d times it was opened, and told %q", opened, told)
	}
}

// longRunning is a ladder that has had more to tell than is kept.
type longRunning struct{ twoRungs }

func (l *longRunning) Start(ctx context.Context, tracks []media.HLSTrack) error {
	err := l.twoRungs.Start(ctx, tracks)
	for range 1500 {
		_ = l.out.GivenUp(transcode.Degradation{})
	}
	_ = l.out.Suspended()
	return err
}

// An hls() that comes late knows the plan, and begins with its first packet's
// segment.
func TestComesLateBehindALadder(t *testing.T) {
	got := &protocol{lines: map[string][]string{}}
	o := media.Options{Engine: &standIn{}, Source: newClip(60)}
	o.HLS = func(media.HLSSpec) (media.HLSSink, error) { return nil, fmt.Errorf("nothing is to be placed here") }
	o.Placed = func(media.HLSOptions) (media.PlacedSink, error) { return got, nil }
	o.Ladder = func(_ media.HLSSpec, out media.LadderOutput) (media.HLSSink, error) {
		return &longRunning{twoRungs{out: out}}, nil
	}
	if _, err := run(t, o, `
		import { finished } from 'node:stream/promises';
		import { once } from 'node:events';
		import { ladder, hls } from 'millrace';
		export default async (source) => {
			let end;
			for await (const p of source.video.pipe(ladder())) {
				if (p.pts < 40000) continue;
				end ??= hls();
				if (!end.write(p)) await once(end, 'drain');
			}
			end.end();
			await finished(end);
		}`); err != nil {
		t.Fatal(err)
	}
	told := slices.DeleteFunc(slices.Clone(got.lines[""]), func(l string) bool { return l == "given up" })
	if told := strings.Join(told, "; "); told != "plan 2; cut 2 at 36000; cut 3 at 72000; end" {
		t.Errorf("it was told %s", told)
	}
	if len(got.lines["high"]) != 18 || len(got.lines["low"]) != 18 {
		t.Errorf("%d and %d packets", len(got.lines["high"]), len(got.lines["low"]))
	}
}
