package e2e

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

const identity = `
import { pipeline } from 'node:stream/promises';
import { hls } from 'millrace';
export default async function (source, ctx) {
  ctx.log.info('it begins', { named: typeof ctx.env.PATH, other: typeof ctx.env.HOME });
  await pipeline(source, hls());
}`

// script writes a pipeline script and says what a stream's configuration says of it.
func script(t *testing.T, text string) (file, config string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "front.js")
	rewrite(t, file, text)
	return file, fmt.Sprintf("pipeline: %q", file)
}

func rewrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// logged waits until the server has logged all of these.
func (s *server) logged(within time.Duration, what ...string) {
	s.t.Helper()
	for _, text := range what {
		s.eventually(within, "the log says "+text, func() error {
			if !strings.Contains(s.Output(), text) {
				return fmt.Errorf("it does not:\n%s", s.Output())
			}
			return nil
		})
	}
}

// listing waits until a rendition lists n segments.
func (s *server) listing(path, rendition string, n int) *presentation {
	s.t.Helper()
	var p *presentation
	s.eventually(30*time.Second, fmt.Sprintf("%d segments of %s are listed", n, rendition), func() (err error) {
		if p, err = load(s.hls(path)); err != nil {
			return err
		}
		if p.media[rendition] == nil || len(p.media[rendition].Segments) < n {
			return fmt.Errorf("they are not")
		}
		return nil
	})
	return p
}

// A script that only wires gives viewers what the publisher sent.
func TestPipelineIdentity(t *testing.T) {
	t.Parallel()
	_, set := script(t, identity)
	s := serve(t, "env: [PATH]\nstreams: [{path: cam, "+set+"}]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("cam", clip)
	s.live("cam", 1)
	p := s.listing("cam", "720p", 5)
	p.checkAligned(t, frame30)
	s.logged(time.Second, "it begins", "named=string", "other=undefined")
	r := tools.MustRead(t, 30*time.Second, s.hls("cam"), tools.ReadOptions{Length: 5 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	for _, skew := range r.Skews() {
		if skew.Abs() > 40*time.Millisecond {
			t.Errorf("the sound is %v late", skew)
		}
	}
}

// A Transform of the script's sees every packet, and a ladder follows it.
func TestPipelineTransform(t *testing.T) {
	t.Parallel()
	_, set := script(t, `
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { ladder, hls } from 'millrace';
export default async function (source, { log }) {
  const counter = new Transform({ objectMode: true, transform(packet, _, done) {
    if (packet.key && packet.track.kind === 'video') log.info('keyframe', { pts: packet.pts });
    done(null, packet);
  } });
  await pipeline(source, counter, ladder([{ height: 360, bitrate: '700k' }, { height: 180, bitrate: '300k' }]), hls({ lowLatency: true }));
}`)
	s := serve(t, "streams: [{path: cam, "+set+"}]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("cam", clip)
	s.live("cam", 2)
	p := s.listing("cam", "180p", 5)
	p.checkAligned(t, frame30)
	s.logged(time.Second, "msg=keyframe")
	r := tools.MustRead(t, 30*time.Second, s.hls("cam"), tools.ReadOptions{Length: 4 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// A Transform behind the ladder sees what viewers get, rendition by rendition;
// another version of the script goes on where it ends, without a
// discontinuity.
func TestPipelineBehindALadder(t *testing.T) {
	t.Parallel()
	file, set := script(t, "")
	version := func(name string) {
		rewrite(t, file, `
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { ladder, hls } from 'millrace';
export default async function (source, { log }) {
  const seen = new Set();
  const look = new Transform({ objectMode: true, transform(packet, _, done) {
    const { name, width, height } = packet.rendition;
    if (!seen.has(name)) log.info('`+name+` sees '+ name, { width, height });
    seen.add(name);
    done(null, packet);
  } });
  await pipeline(source, ladder([{ height: 360, bitrate: '700k' }, { height: 180, bitrate: '300k' }]), look, hls());
}`)
	}
	version("one")
	s := serve(t, "streams: [{path: cam, "+set+"}]")
	clip, recipe := longClip(t)
	s.publish("cam", clip)
	s.live("cam", 2)
	s.listing("cam", "180p", 3)
	version("another")
	s.logged(30*time.Second, "another sees 180p", "the changed script has taken over", "discontinuity=false")
	first := s.listing("cam", "180p", 1).media["180p"]
	p := s.listing("cam", "180p", len(first.Segments)+3)
	p.checkAligned(t, frame30)
	r, _ := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// Decoded pictures are drawn on, and encoded again; sound goes on beside them.
func TestPipelineWatermark(t *testing.T) {
	t.Parallel()
	_, set := script(t, `
import { pipeline } from 'node:stream/promises';
import { decode, filter, ladder, hls } from 'millrace';
export default async function (source) {
  const rungs = ladder([{ height: 360, bitrate: '900k' }]);
  await Promise.all([
    pipeline(source.video, decode(), filter("drawtext=text='MILLRACE':fontsize=60:x=w-tw-20:y=h-th-20:fontcolor=red:box=1:boxcolor=red"), rungs, hls()),
    pipeline(source.audio, rungs),
  ]);
}`)
	s := serve(t, "streams: [{path: cam, "+set+"}]")
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("cam", clip)
	s.live("cam", 1)
	p := s.listing("cam", "360p", 5)
	p.checkAligned(t, frame30)
	r := tools.MustRead(t, 30*time.Second, s.hls("cam"), tools.ReadOptions{Length: 4 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	if len(r.Skews()) == 0 {
		t.Error("there is no sound")
	}
	if share := red(t, s.hls("cam")); share < 0.02 {
		t.Errorf("%.3f of the lower right quarter is as red as what was drawn", share)
	}
}

// red is how much of the lower right quarter of a stream's picture is red.
func red(t *testing.T, url string) float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shot.png")
	shot := tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{"-v", "error", "-i", url, "-frames:v", "1", file}})
	if !shot.Ends(20 * time.Second) {
		t.Fatal("no picture comes")
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b, n, all := img.Bounds(), 0, 0
	for y := b.Dy() / 2; y < b.Dy(); y++ {
		for x := b.Dx() / 2; x < b.Dx(); x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			if all++; r > 0xc000 && g < 0x4000 && bl < 0x4000 {
				n++
			}
		}
	}
	return float64(n) / float64(all)
}

// everySecond is a clip with a keyframe a second.
func everySecond(r *testmedia.Recipe) { r.Video.GOP = 30 }

// A script's worker is killed: viewers have a new segment within 3 s, behind a
// discontinuity, and no frame twice.
func TestPipelineWorkerKilled(t *testing.T) {
	t.Parallel()
	_, set := script(t, identity)
	s := serve(t, "streams: [{path: cam, hls: {segment: 1s}, "+set+"}]")
	clip, _ := tools.Clip(t, "h264-720p30", everySecond)
	s.publish("cam", clip)
	s.live("cam", 1)
	s.listing("cam", "720p", 3)
	workers := s.children()
	if len(workers) != 1 {
		t.Fatalf("there are %d workers for one script", len(workers))
	}
	kill(t, workers[0])
	killed := time.Now()
	s.eventually(10*time.Second, "a segment behind a discontinuity", func() error {
		p, err := load(s.hls("cam"))
		if err != nil {
			return err
		}
		if i := discontinuity(p.media["720p"]); i < 0 || i == len(p.media["720p"].Segments) {
			return fmt.Errorf("there is none")
		}
		return nil
	})
	if took := time.Since(killed); took > 3*time.Second {
		t.Errorf("viewers waited %v", took)
	}
	p := s.listing("cam", "720p", 6)
	for _, seg := range p.media["720p"].Segments { // sound may have had nothing yet of the last one
		if seg.Gap {
			t.Error("the picture has a gap")
		}
	}
	if st, err := s.stream("cam"); err != nil || st.State != status.Live || st.Worker == nil || st.Worker.Restarts != 1 {
		t.Errorf("status %+v, %v", st, err)
	}
}

const failing = `
import { pipeline } from 'node:stream/promises';
import { hls } from 'millrace';
export default async function (source) {
  setTimeout(() => {
    throw new TypeError('it had to come');
  }, 5000);
  await pipeline(source, hls());
}`

// A script that throws fails its stream, or gives way to the built-in ladder,
// as the configuration says; the error names the line.
func TestPipelineThrows(t *testing.T) {
	t.Parallel()
	file, set := script(t, failing)
	s := serve(t, fmt.Sprintf("streams: [{path: strict, %s}, {path: lenient, ladder: passthrough, onScriptError: passthrough, %s}]", set, set))
	clip, recipe := tools.Clip(t, "h264-720p30")
	s.publish("strict", clip)
	s.publish("lenient", clip)
	s.live("strict", 1)
	s.live("lenient", 1)
	where := file + ":6:"
	s.eventually(20*time.Second, "strict has failed", func() error {
		st, err := s.stream("strict")
		if err == nil && (st.State != status.Failed || !strings.Contains(st.Error, where) || !strings.Contains(st.Error, "TypeError: it had to come")) {
			err = fmt.Errorf("it is %s: %s", st.State, st.Error)
		}
		return err
	})
	s.eventually(20*time.Second, "lenient goes on behind a discontinuity", func() error {
		p, err := load(s.hls("lenient"))
		if err != nil {
			return err
		}
		if i := discontinuity(p.media["720p"]); i < 0 || i > len(p.media["720p"].Segments)-5 {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	st, err := s.stream("lenient")
	if err != nil || st.State != status.Live || !strings.Contains(st.Error, where) {
		t.Errorf("lenient: %+v, %v", st, err)
	}
	r := tools.MustRead(t, 30*time.Second, s.hls("lenient"), tools.ReadOptions{Length: 3 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// A changed script takes over without a discontinuity, since it makes the
// same; one that does not compile leaves the other running and says why.
func TestPipelineReload(t *testing.T) {
	t.Parallel()
	file, set := script(t, identity)
	s := serve(t, "streams: [{path: cam, "+set+"}]")
	clip, recipe := tools.Clip(t, "h264-720p30", everySecond)
	s.publish("cam", clip)
	s.live("cam", 1)
	s.listing("cam", "720p", 2)
	first := s.children()
	rewrite(t, file, strings.Replace(identity, "it begins", "it is another", 1))
	s.logged(20*time.Second, "it is another", "taken over")
	rewrite(t, file, identity+"\nthis is no script")
	s.logged(20*time.Second, "is not used", file+":8:6")
	p := s.listing("cam", "720p", 8)
	for name, list := range p.media {
		for i, seg := range list.Segments {
			if seg.Gap || i > 0 && seg.Discontinuities > 0 {
				t.Errorf("%s: segment %d is a gap, or behind a discontinuity", name, i)
			}
		}
	}
	p.checkAligned(t, frame30)
	s.eventually(5*time.Second, "one worker is left", func() error {
		if now := s.children(); len(now) != 1 || now[0] == first[0] {
			return fmt.Errorf("%d are, the first was %d", now, first)
		}
		return nil
	})
	r := tools.MustRead(t, 30*time.Second, s.hls("cam"), tools.ReadOptions{Length: 5 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// App and pipeline script speak with each other, with bytes and dates.
func TestPipelineAndApp(t *testing.T) {
	t.Parallel()
	_, set := script(t, `
import { hls } from 'millrace';
import { pipeline } from 'node:stream/promises';
export default async function (source, ctx) {
  ctx.on('ask', (value) => ctx.send('answer', { path: ctx.stream.path, raw: value.raw, when: value.when, sum: value.list.reduce((a, b) => a + b) }));
  await pipeline(source, hls());
}`)
	app, _ := script(t, `
import { streams, http } from 'millrace';
const waiting = [];
streams.on('answer', (value, stream) => {
  const text = [stream.path, value.path, value.raw.toString(), value.when.getTime(), value.sum].join(' ');
  for (const res of waiting.splice(0)) res.send(text);
});
http.get('/ask', (req, res) => {
  waiting.push(res);
  streams.send('cam', 'ask', { raw: Buffer.from('bytes'), when: new Date(5), list: [1, 2, 3] });
});`)
	s := serve(t, fmt.Sprintf("app: %q\nstreams: [{path: cam, %s}]", app, set))
	clip, _ := tools.Clip(t, "h264-720p30")
	s.publish("cam", clip)
	s.live("cam", 1)
	s.eventually(20*time.Second, "the script answers", func() error {
		body, err := s.get("/app/ask")
		if err == nil && string(body) != "cam cam bytes 5 6" {
			err = fmt.Errorf("the answer is %q", body)
		}
		return err
	})
}

// A script that never gives way is stopped within seconds and told apart from
// the rest of the server, by the place in which it was.
func TestPipelineLoops(t *testing.T) {
	t.Parallel()
	file, set := script(t, `
export default async function (source) {
  for await (const packet of source) {
    while (packet) {
      Math.sqrt(2);
    }
  }
}`)
	s := serve(t, "streams: [{path: cam, "+set+"}, {path: other, ladder: passthrough}]")
	clip, _ := tools.Clip(t, "h264-720p30")
	s.publish("other", clip)
	s.live("other", 1)
	s.publish("cam", clip)
	begun := time.Now()
	s.eventually(20*time.Second, "the script is stopped", func() error {
		st, err := s.stream("cam")
		if err == nil && (st.State != status.Failed || !strings.Contains(st.Error, file+":")) {
			err = fmt.Errorf("the stream is %s: %s", st.State, st.Error)
		}
		return err
	})
	t.Logf("stopped after %v", time.Since(begun))
	if st, err := s.stream("other"); err != nil || st.State != status.Live {
		t.Errorf("the other stream: %+v, %v", st, err)
	}
}
