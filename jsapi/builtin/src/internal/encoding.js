'use strict';
const native = internalBinding('bytes');
const { coded, argument } = require('./errors.js');

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return new Uint8Array(native.encode(`${text}`, 'utf8')); }
  encodeInto(text, into) {
    if (typeof text !== 'string') throw argument('src', 'of type string', text);
    if (!(into instanceof Uint8Array)) throw argument('dest', 'an instance of Uint8Array', into);
    let read = 0;
    let written = 0;
    for (const c of text) {
      const bytes = new Uint8Array(native.encode(c, 'utf8'));
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += c.length;
    }
    return { read, written };
  }
}
Object.defineProperty(TextEncoder.prototype, Symbol.toStringTag, { value: 'TextEncoder', configurable: true });

class TextDecoder {
  #decoder; #fatal; #ignoreBOM; #name;
  constructor(label = 'utf-8', options = {}) {
    this.#fatal = !!options?.fatal;
    this.#ignoreBOM = !!options?.ignoreBOM;
    this.#name = native.encodingName(`${label}`);
    if (!this.#name) throw coded(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
  }

  get encoding() { return this.#name; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  decode(input, options) {
    let bytes = input ?? new Uint8Array(0);
    if (bytes instanceof ArrayBuffer) bytes = new Uint8Array(bytes);
    if (!ArrayBuffer.isView(bytes)) throw argument('list', 'an instance of ArrayBuffer or ArrayBufferView', input);
    const stream = !!options?.stream;
    this.#decoder ??= native.decoder(this.#name, this.#fatal, this.#ignoreBOM);
    const text = this.#decoder(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), !stream);
    if (!stream || text === null) this.#decoder = undefined;
    if (text === null) {
      throw coded(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', `The encoded data was not valid for encoding ${this.#name}`);
    }
    return text;
  }
}
Object.defineProperty(TextDecoder.prototype, Symbol.toStringTag, { value: 'TextDecoder', configurable: true });

module.exports = { TextEncoder, TextDecoder };
require('./names.js').named(module.exports, ['TextEncoder', 'TextDecoder']);
