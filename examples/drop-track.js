// Leaves the sound out: nobody hears what the camera's microphone does. A Transform that sees every packet decides what
// passes; here by kind, and it could as well look at the time of day.
//
//   # millrace.yaml
//   streams: [{path: cam, pipeline: drop-track.js}]
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hls, ladder } from 'millrace';

export default async function (source, { log }) {
  let dropped = 0;
  const picture = new Transform({
    objectMode: true,
    transform(packet, _, done) {
      if (packet.kind === 'video') return done(null, packet);
      if (dropped++ === 0) log.info('the sound is left out', { codec: packet.codec });
      done();
    },
  });
  await pipeline(source, picture, ladder('auto'), hls());
}
