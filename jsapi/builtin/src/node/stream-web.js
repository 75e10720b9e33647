'use strict';
// The npm package web-streams-polyfill: WHATWG's streams, loaded with the first of them that is asked for.
const lazy = require('../internal/lazy.js');

for (const name of [
  'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'TransformStream',
  'TransformStreamDefaultController', 'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
]) lazy(exports, name, () => require('npm:web-streams-polyfill')[name]);
for (const name of ['TextDecoderStream', 'TextEncoderStream']) lazy(exports, name, () => require('../internal/stream-web.js')[name]);
lazy(exports, 'fromNode', () => require('../internal/stream-web.js').fromNode, false);
