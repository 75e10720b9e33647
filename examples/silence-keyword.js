// Mutes the sound for as long as somebody says so on a TCP socket: a moderator, or a program that listens for a word.
// "mute" and "unmute", a line each, or "beep 3" for three seconds of silence.
//
//   # millrace.yaml
//   env: [KEYWORDS]
//   streams: [{path: cam, pipeline: silence-keyword.js}]
//
//   nc -lk 7000                                                  # type into this
//   KEYWORDS=localhost:7000 millrace serve -c millrace.yaml
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { decode, encode, filter, hls, ladder } from 'millrace';

export default async function (source, { log, env }) {
  const volume = filter('volume=1.0');
  let timer;
  let over = false;
  /** @type {import('node:net').Socket} */
  let socket;
  function mute(on) {
    clearTimeout(timer);
    volume.command('volume', 'volume', on ? '0' : '1');
    log.info(on ? 'muted' : 'sound is on');
  }
  function listen() {
    const [host, port] = (env.KEYWORDS ?? 'localhost:7000').split(':');
    socket = connect({ host, port: Number(port) });
    const lines = createInterface({ input: socket });
    for (const each of [socket, lines]) each.on('error', () => {}); // 'close' follows
    socket.on('close', () => over || setTimeout(listen, 1000));
    lines.on('line', (line) => {
      const [word, seconds] = line.trim().split(' ');
      if (word === 'mute' || word === 'beep') mute(true);
      if (word === 'unmute') mute(false);
      if (word === 'beep') timer = setTimeout(mute, Number(seconds ?? 1) * 1000, false);
    });
  }
  listen();

  const rungs = ladder('auto');
  source.video.pipe(rungs);
  source.audio.pipe(decode()).pipe(volume).pipe(encode({ codec: 'aac', bitrate: '128k' })).pipe(rungs);
  await pipeline(rungs, hls());
  over = true;
  socket.destroy();
}
