package media_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// An hour of 30 pictures and 47 frames of sound a second goes through a
// script's Transform, and memory stays as it was after the first minutes. The
// race detector, which makes it twenty times slower, sees five minutes.
func TestMemoryOverAnHour(t *testing.T) {
	hour := 3600 * (30 + 47)
	if raced {
		hour /= 12
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var before, after int64
	c := newClip(hour)
	c.payload = func(n int) string {
		switch n {
		case hour / 10:
			before = heap()
		case hour - 100:
			after = heap()
		}
		return strings.Repeat("x", 1000)
	}
	got, err := run(t, media.Options{Engine: &standIn{quiet: true}, Source: c}, `
		import { pipeline } from 'node:stream/promises';
		import { Transform } from 'node:stream';
		import { mux } from 'millrace';
		export default async function (source) {
			let n = 0;
			await pipeline(source, new Transform({ objectMode: true, transform(packet, _, done) {
				n++;
				if (packet.key && packet.data.length !== 1000) throw new Error('it is not whole');
				done(null, packet);
			} }), mux('null'), async (bytes) => { for await (const b of bytes); });
			console.log(n);
		}`)
	if err != nil || strings.TrimSpace(got) != strconv.Itoa(hour) {
		t.Fatalf("got %q, error %v", got, err)
	}
	t.Logf("%d KiB after a tenth, %d KiB at the end", before>>10, after>>10)
	if grown := after - before; grown > 2<<20 {
		t.Errorf("memory grew by %d KiB", grown>>10)
	}
}
