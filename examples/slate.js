// Shows a slate while the camera is lost: the last picture, darkened, with a text, and silence. Players notice nothing but
// that, since it is one and the same stream.
//
//   # millrace.yaml
//   streams: [{path: cam, pipeline: slate.js, hold: 10m}]
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, encode, filter, Frame, hls, ladder } from 'millrace';

const fps = 10;

export default async function (source, { log, stream }) {
  const live = source.video.pipe(decode());
  const mixed = new PassThrough({ objectMode: true, highWaterMark: 4 });
  const darken = filter("eq=brightness=-0.3,drawtext=text='We are right back':x=(w-tw)/2:y=(h-th)/2:fontsize=h/10:fontcolor=white");

  let last; // the newest picture
  let timer;
  live.on('data', (frame) => {
    last?.close();
    last = frame.clone();
    mixed.write(frame);
  });

  stream.on('lost', () => {
    if (!last) return;
    log.info('slate');
    const began = performance.now();
    const from = last.time;
    timer = setInterval(() => {
      const picture = last.clone();
      picture.time = from + (performance.now() - began) / 1000;
      darken.write(picture);
    }, 1000 / fps);
  });
  stream.on('back', () => clearInterval(timer));
  live.on('end', () => {
    clearInterval(timer);
    mixed.end();
  });
  darken.on('data', (frame) => mixed.write(frame));

  const rungs = ladder('auto');
  mixed.pipe(rungs);
  source.audio.pipe(rungs);
  await pipeline(rungs, hls());
}
