package e2e

import (
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/testmedia/tools"
)

// A hook puts a pipeline script to a publisher's stream, and app and script
// talk to each other.
func TestAppChoosesPipeline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "app.js")
	writeFile(t, file, `
import { on, streams, every } from 'millrace';
on('publish', ({ path }) => (path === 'cam' ? { pipeline: 'front.js', ladder: 'passthrough' } : undefined));
on('segment', ({ path, rendition, url, duration, number }) => { if (path === 'plain') console.log('segment', url, duration > 0, Number.isInteger(number)); });
on('publisher:join', ({ path, protocol }) => console.log('joined', path, protocol));
streams.on('pong', (value, stream) => { console.log('pong from', stream.path, value.n, value.bytes.toString()); asking.stop(); });
const asking = every('200ms', () => { if (streams.get('cam')?.state === 'live') streams.send('cam', 'ping', { n: 20, bytes: Buffer.from('xyz') }); });
`)
	writeFile(t, filepath.Join(dir, "front.js"), `
import { pipeline } from 'node:stream/promises';
import { ladder, hls } from 'millrace';
export default async function (source, ctx) {
  ctx.on('ping', ({ n, bytes }) => ctx.send('pong', { n: n + 1, bytes }));
  await pipeline(source, ladder('passthrough'), hls());
}
`)
	s := serveApp(t, file, `streams: [{path: "**", ladder: passthrough, hls: {segment: 500ms, part: 100ms, window: 4s}}]`)
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	s.publish("plain", clip)
	s.said("joined plain rtsp")
	s.said("segment /hls/plain/")
	s.said("pong from cam 21 xyz")
	s.live("cam", 1)
}
