'use strict';
const { Blob } = require('node:buffer');
const { FormData, newBoundary, encode, decode } = require('./form.js');

const state = Symbol('body');

/**
 * extract makes a body of what a script gives: its type, and either bytes, a promise of bytes, or chunks, an
 * async iterator that makes them as they are wanted.
 */
function extract(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return { bytes: Buffer.from(value), type: 'text/plain;charset=UTF-8' };
  if (value instanceof URLSearchParams) return { bytes: Buffer.from(`${value}`), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  if (value instanceof ArrayBuffer) return { bytes: Buffer.from(value.slice(0)) };
  if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)) };
  if (value instanceof Blob) return { later: async () => Buffer.from(await value.arrayBuffer()), type: value.type || undefined };
  if (value instanceof FormData) {
    const boundary = newBoundary();
    return { later: () => encode(value, boundary), type: `multipart/form-data; boundary=${boundary}` };
  }
  if (typeof value.getReader === 'function') {
    if (value.locked) throw new TypeError('Response body object should not be disturbed or locked');
    return { stream: value, chunks: () => fromReader(value) };
  }
  if (typeof value[Symbol.asyncIterator] === 'function') return { chunks: () => value[Symbol.asyncIterator]() };
  return { bytes: Buffer.from(`${value}`), type: 'text/plain;charset=UTF-8' };
}

async function* fromReader(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

const asBytes = (chunk) => {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return Buffer.from(chunk);
  throw new TypeError('Received non-Uint8Array chunk');
};

async function collect(body) {
  if (body.bytes) return body.bytes;
  if (body.later) return body.later();
  const parts = [];
  for await (const chunk of { [Symbol.asyncIterator]: body.chunks }) parts.push(asBytes(chunk));
  return Buffer.concat(parts);
}

/** Body is what Request and Response share. */
class Body {
  constructor(body) {
    Object.defineProperty(this, state, { value: { body, used: false, stream: body?.stream } });
  }

  get body() {
    const s = this[state];
    if (!s.body) return null;
    if (!s.stream) {
      const { ReadableStream } = require('../../node/stream-web.js');
      const { body } = s; // clone() puts another in its place
      let iterator;
      s.stream = new ReadableStream({
        type: 'bytes',
        pull: async (controller) => {
          iterator ??= body.chunks ? body.chunks() : (async function* () { yield await collect(body); })();
          const { done, value } = await iterator.next();
          if (!done && value.byteLength > 0) {
            const b = asBytes(value);
            controller.enqueue(new Uint8Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength)));
          } else if (done || value.byteLength === 0) {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
        cancel: async (reason) => {
          s.used = true;
          await body.cancel?.(reason);
        },
      });
    }
    return s.stream;
  }

  get bodyUsed() { return this[state].used || !!this[state].stream?._disturbed; }

  async _consume() {
    const s = this[state];
    if (s.used || s.stream?.locked || s.stream?._disturbed) throw new TypeError('Body is unusable: Body has already been read');
    if (!s.body) return Buffer.alloc(0);
    s.used = true;
    if (s.stream && !s.body.stream) return collect({ chunks: () => fromReader(s.stream) });
    return collect(s.body);
  }

  async text() { return new TextDecoder().decode(await this._consume()); }
  async json() { return JSON.parse(await this.text()); }
  async arrayBuffer() {
    const b = await this._consume();
    return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
  }

  async bytes() { return new Uint8Array(await this.arrayBuffer()); }
  async blob() { return new Blob([await this._consume()], { type: this.headers.get('content-type') ?? '' }); }
  async formData() { return decode(await this._consume(), this.headers.get('content-type') ?? ''); }

  /** _split is a second body like this one, for clone(). */
  _split() {
    const s = this[state];
    if (this.bodyUsed || s.stream?.locked) throw new TypeError(`${this.constructor.name}.clone: Body has already been consumed.`);
    if (!s.body || s.body.bytes || s.body.later) return s.body;
    const [one, two] = this.body.tee();
    s.stream = one;
    s.body = { ...s.body, stream: one, chunks: () => fromReader(one) };
    return { stream: two, chunks: () => fromReader(two) };
  }
}

module.exports = { Body, extract, collect, asBytes, bodyOf: (o) => o[state].body, markUsed(o) { o[state].used = true; } };
