'use strict';
// WHATWG's streams made of Node's, and those of text.
const streams = require('npm:web-streams-polyfill');
const { ReadableStream } = streams;

/** Streams of Node become these, and these Node's. */
function fromNode(readable) {
  const iterator = readable[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value);
    },
    async cancel(reason) { readable.destroy(reason instanceof Error ? reason : undefined); },
  }, { highWaterMark: 0 });
}

class TextDecoderStream {
  constructor(label, options) {
    const decoder = new TextDecoder(label, options);
    const pair = new streams.TransformStream({
      transform(chunk, controller) { const text = decoder.decode(chunk, { stream: true }); if (text) controller.enqueue(text); },
      flush(controller) { const text = decoder.decode(); if (text) controller.enqueue(text); },
    });
    this.readable = pair.readable;
    this.writable = pair.writable;
  }
}
class TextEncoderStream {
  constructor() {
    const encoder = new TextEncoder();
    const pair = new streams.TransformStream({ transform(chunk, controller) { controller.enqueue(encoder.encode(`${chunk}`)); } });
    this.readable = pair.readable;
    this.writable = pair.writable;
  }
}

module.exports = { TextDecoderStream, TextEncoderStream, fromNode };
