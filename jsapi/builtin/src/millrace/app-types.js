'use strict';
// Content types by the ending of a file's name.
const text = (kind) => `${kind}; charset=utf-8`;

exports.types = {
  html: text('text/html'), htm: text('text/html'), css: text('text/css'), js: text('text/javascript'), mjs: text('text/javascript'),
  txt: text('text/plain'), csv: text('text/csv'), md: text('text/markdown'), vtt: text('text/vtt'), xml: text('application/xml'),
  json: text('application/json'), map: text('application/json'), svg: 'image/svg+xml', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg',
  gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', ico: 'image/x-icon', woff: 'font/woff', woff2: 'font/woff2', ttf: 'font/ttf',
  mp4: 'video/mp4', m4s: 'video/iso.segment', webm: 'video/webm', ts: 'video/mp2t', m3u8: 'application/vnd.apple.mpegurl', mpd: 'application/dash+xml',
  mp3: 'audio/mpeg', m4a: 'audio/mp4', aac: 'audio/aac', wav: 'audio/wav', ogg: 'audio/ogg', pdf: 'application/pdf', wasm: 'application/wasm',
  zip: 'application/zip', gz: 'application/gzip', bin: 'application/octet-stream',
};
