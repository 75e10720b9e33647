'use strict';
// The module millrace.
const where = {
  media: 'in pipeline scripts and in millrace run',
};

/** absent stands for what this process has no natives for. */
function absent(names, half) {
  return Object.fromEntries(names.map((name) => [name, function () {
    const error = new Error(`${name}() does not work here; it does ${where[half]}`);
    error.code = 'ERR_MEDIA_UNAVAILABLE';
    throw error;
  }]));
}

function load(half, make, names) {
  try {
    return make();
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') throw error;
    return absent(names, half);
  }
}

const media = load('media', () => require('./media.js'), [
  'Packet', 'Frame', 'open', 'decode', 'filter', 'encode', 'ladder', 'mux', 'tee', 'hls', 'record', 'snapshot', 'probe', 'options',
]);

Object.defineProperties(module.exports, Object.getOwnPropertyDescriptors(media));

// The half of an app: http, io and streams are objects, whose every method says where they work.
const elsewhere = (name) => new Proxy(Object.assign(() => {}, {}), {
  get: (_, key) => (typeof key === 'symbol' ? undefined : elsewhere(`${name}.${key}`)),
  apply() {
    const error = new Error(`${name}() works in the app of a server only (app: in its configuration)`);
    error.code = 'ERR_APP_UNAVAILABLE';
    throw error;
  },
});

function app() {
  try {
    return require('./app.js');
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') throw error;
    return Object.fromEntries(['on', 'off', 'http', 'io', 'streams', 'Stream', 'every', 'schedule'].map((name) => [name, elsewhere(name)]));
  }
}

Object.defineProperties(module.exports, Object.getOwnPropertyDescriptors(app()));
