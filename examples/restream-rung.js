// Sends one rung of the ladder on to a second server, as Matroska over HTTP, while all of them are served here. Each is
// encoded once: what is forwarded is what viewers get.
//
//   # millrace.yaml
//   env: [RESTREAM, RUNG]
//   streams: [{path: cam, pipeline: restream-rung.js}]
//
//   ffmpeg -listen 1 -i http://0.0.0.0:9000/cam -c copy -f rtsp rtsp://localhost:8554/cam     # beside the second one
//   RESTREAM=http://second:9000/cam RUNG=180p millrace serve -c millrace.yaml
import { request } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hls, ladder, mux } from 'millrace';

export default async function (source, { log, env }) {
  const url = env.RESTREAM ?? 'http://localhost:9000/cam';
  const rung = env.RUNG ?? '360p';
  const rungs = ladder([{ height: 360, bitrate: '700k' }, { height: 180, bitrate: '250k' }]);
  const over = new AbortController();

  /** one lets the rung through from its next keyframe on, and the sound beside it. */
  function one() {
    let begun = false;
    return new Transform({
      objectMode: true,
      transform(packet, _, done) {
        const { kind, name } = packet.rendition;
        begun ||= name === rung && packet.key;
        done(null, begun && (kind === 'audio' || name === rung) ? packet : null);
      },
    });
  }

  async function forward() {
    for (let pause = 1000; !over.signal.aborted; pause = Math.min(2 * pause, 30_000)) {
      const post = request(url, { method: 'POST', headers: { 'content-type': 'video/x-matroska' } });
      try {
        await pipeline(rungs.pipe(one()), mux('matroska'), post); // a slow server loses pictures, and holds up nobody
        return;
      } catch (error) {
        log.warn('the second server is not there', { url, error: error.message, again: `${pause} ms` });
        await sleep(pause, undefined, { signal: over.signal }).catch(() => {});
      }
    }
  }
  const forwarding = forward();
  await pipeline(source, rungs, hls());
  over.abort();
  await forwarding;
}
