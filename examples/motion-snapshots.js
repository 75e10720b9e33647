// Looks at two frames a second, and saves a JPEG whenever the picture has changed. The stream itself passes untouched.
//
//   # millrace.yaml
//   env: [SNAPSHOTS]
//   streams: [{path: cam, pipeline: motion-snapshots.js}]
//
//   SNAPSHOTS=/var/lib/motion millrace serve -c millrace.yaml
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, filter, hls, ladder } from 'millrace';

const threshold = 0.01; // of the mean difference in brightness

export default async function (source, { log, stream, env, send }) {
  const folder = env.SNAPSHOTS ?? 'snapshots';
  await mkdir(folder, { recursive: true });

  let before;
  const watch = new Writable({
    objectMode: true,
    async write(frame, _, done) {
      try {
        const moved = before ? await frame.diff(before) : 0;
        if (moved > threshold) {
          const file = join(folder, `${stream.path.replaceAll('/', '-')}-${Math.round(frame.time * 1000)}.jpg`);
          await writeFile(file, await frame.toJPEG({ quality: 80 }));
          log.info('motion', { moved, file });
          send('motion', { moved, file, time: frame.time });
        }
        before?.close();
        before = frame.retain();
        done();
      } catch (error) {
        done(error);
      }
    },
  });
  await Promise.all([
    pipeline(source.video, decode(), filter('fps=2,scale=640:-2'), watch),
    pipeline(source, ladder('auto'), hls()),
  ]);
}
