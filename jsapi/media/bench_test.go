package media_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/media"
)

// Packets through a script's Transform between two stages; the issue asks for
// 300,000 a second on one core.
func BenchmarkTransformBetweenStages(b *testing.B) {
	script := `
		import { pipeline } from 'node:stream/promises';
		import { Transform } from 'node:stream';
		import { mux, tee } from 'millrace';
		export default async function (source) {
			let n = 0;
			await pipeline(source, new Transform({ objectMode: true, transform(packet, _, done) {
				if (packet.key) n++;
				done(null, packet);
			} }), mux('null'), async (bytes) => { for await (const b of bytes); });
		}`
	c := newClip(b.N)
	c.payload = func(int) string { return "payload" }
	before := processor(b)
	b.ResetTimer()
	if _, err := run(b, media.Options{Engine: &standIn{quiet: true}, Source: c}, script); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/(processor(b)-before).Seconds(), "packets/cpu-s")
}

// processor is the time that this process has had of processors: a machine
// that does other things too does not change it.
func processor(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The same without the script, for comparison.
func BenchmarkJoinedStages(b *testing.B) {
	script := `
		import { pipeline } from 'node:stream/promises';
		import { mux } from 'millrace';
		export default async function (source) {
			await pipeline(source, mux('null'), async (bytes) => { for await (const b of bytes); });
		}`
	c := newClip(b.N)
	c.payload = func(int) string { return "payload" }
	before := processor(b)
	b.ResetTimer()
	if _, err := run(b, media.Options{Engine: &standIn{quiet: true}, Source: c}, script); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/(processor(b)-before).Seconds(), "packets/cpu-s")
}
