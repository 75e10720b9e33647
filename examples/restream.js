// Sends the stream on to a second server over HTTP, as Matroska, while it is served here as usual. The second server is
// anything that takes such a POST; ffmpeg turns it into what others want.
//
//   # millrace.yaml
//   env: [RESTREAM]
//   streams: [{path: cam, pipeline: restream.js}]
//
//   ffmpeg -listen 1 -i http://0.0.0.0:9000/cam -c copy -f rtsp rtsp://localhost:8554/cam     # beside the second one
//   RESTREAM=http://second:9000/cam millrace serve -c millrace.yaml
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hls, ladder, mux, tee } from 'millrace';

export default async function (source, { log, env }) {
  const url = env.RESTREAM ?? 'http://localhost:9000/cam';
  const over = new AbortController();

  async function forward() {
    for (let pause = 1000; !over.signal.aborted; pause = Math.min(2 * pause, 30_000)) {
      const branch = tee({ lossy: true }); // a slow server loses pictures, and holds up nobody
      const post = request(url, { method: 'POST', headers: { 'content-type': 'video/x-matroska' } });
      try {
        await pipeline(source.pipe(branch), mux('matroska'), post);
        return;
      } catch (error) {
        log.warn('the second server is not there', { url, error: error.message, again: `${pause} ms` });
        await sleep(pause, undefined, { signal: over.signal }).catch(() => {});
      }
    }
  }
  const forwarding = forward();
  await pipeline(source, ladder('auto'), hls());
  over.abort();
  await forwarding;
}
