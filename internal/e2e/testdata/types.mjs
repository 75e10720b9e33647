// What millrace.d.ts declares is there at run time: the half of media, run by millrace run with a clip. The declarations come
// as JSON (see members.mjs), missing ones are printed.
import { readFileSync } from 'node:fs';
import * as millrace from 'millrace';

const { exports, members } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const missing = exports.filter((name) => !(name in millrace)).map((name) => `export ${name}`);
function look(type, object) {
  if (!members[type]) missing.push(`${type} is not declared`);
  for (const { name, optional } of members[type] ?? []) if (!optional && !(name in object)) missing.push(`${type}.${name}`);
}

const { open, decode, filter, Packet } = millrace;
const source = await open(process.argv[3]);
look('Source', source);
look('TrackStream', source.video);
look('Filter', filter('null'));
for (const track of source.tracks) look('Track', track);
const frames = source.pipe(decode());
const kinds = new Set();
for await (const frame of frames) {
  look('Frame', frame);
  for (const plane of frame.planes) look('Plane', plane);
  kinds.add(frame.kind);
  if (kinds.size === 2) break;
}
const again = await open(process.argv[3]);
for await (const packet of again.video) {
  if (!(packet instanceof Packet)) missing.push('a packet is no Packet');
  look('Packet', packet);
  break;
}
look('OptionInfo', millrace.options('encoder', 'libx264')[0]);
const shot = millrace.snapshot({ count: 1 });
shot.on('snapshot', (s) => look('Snapshot', s));
const third = await open(process.argv[3]);
await new Promise((resolve) => third.video.pipe(shot).on('finish', resolve));
try {
  millrace.encode({ codec: 'libx264', crv: 3 });
} catch (error) {
  look('MediaError', error);
}
console.log(JSON.stringify([...new Set(missing)]));
process.exit();
