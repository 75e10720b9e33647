// Makes a small MP4 of any file, and tells how far it is.
//
//   millrace run transcode-progress.js big.mov small.mp4
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, encode, filter, open, record } from 'millrace';

const [input, output] = process.argv.slice(2);
if (!output) {
  console.error('usage: millrace run transcode-progress.js INPUT OUTPUT');
  process.exit(2);
}

const source = await open(input);
const began = Date.now();
let first;
let shown = -1;
const progress = new Transform({
  objectMode: true,
  transform(packet, _, done) {
    first ??= packet.time;
    const percent = Math.floor(100 * (packet.time - first) / source.duration);
    if (percent > shown) {
      shown = percent;
      const speed = (packet.time - first) / ((Date.now() - began) / 1000);
      process.stderr.write(`\r${String(percent).padStart(3)} %  ${speed.toFixed(1)}x `);
    }
    done(null, packet);
  },
});

const file = record(output);
if (source.tracks.some((t) => t.kind === 'audio')) {
  source.audio.pipe(decode()).pipe(encode({ codec: 'aac', bitrate: '96k' })).pipe(file);
}
await pipeline(source.video, decode(), filter('scale=-2:360'), encode({ codec: 'libx264', crf: 26, preset: 'veryfast' }), progress, file);
console.error(`\r100 %  ${output} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
