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
