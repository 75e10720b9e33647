'use strict';
// Blob and File: bytes that do not change.
const bytes = Symbol('bytes');

function part(p) {
  if (p instanceof Blob) return p[bytes];
  if (p instanceof ArrayBuffer) return Buffer.from(p.slice(0));
  if (ArrayBuffer.isView(p)) return Buffer.from(p.buffer.slice(p.byteOffset, p.byteOffset + p.byteLength));
  return Buffer.from(`${p}`);
}

function bounds(size, start = 0, end = size) {
  const at = (n) => (n < 0 ? Math.max(size + n, 0) : Math.min(n, size));
  return [at(start), Math.max(at(end), at(start))];
}

class Blob {
  constructor(parts = [], options = {}) {
    Object.defineProperty(this, bytes, { value: Buffer.concat([...parts].map(part)) });
    const type = `${options?.type ?? ''}`;
    Object.defineProperty(this, 'type', { value: /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase(), enumerable: true });
  }

  get size() { return this[bytes].length; }
  slice(start, end, type = '') {
    return new Blob([this[bytes].subarray(...bounds(this.size, start, end))], { type });
  }

  async arrayBuffer() {
    const b = this[bytes];
    return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
  }

  async bytes() { return new Uint8Array(await this.arrayBuffer()); }
  async text() { return new TextDecoder().decode(this[bytes]); }
  stream() { return require('../node/stream.js').Readable.from([Buffer.from(this[bytes])], { objectMode: false }); }
}
Object.defineProperty(Blob.prototype, Symbol.toStringTag, { value: 'Blob', configurable: true });

class File extends Blob {
  constructor(parts, name, options) {
    super(parts, options);
    this.name = `${name}`;
    this.lastModified = options?.lastModified ?? Date.now();
  }
}
Object.defineProperty(File.prototype, Symbol.toStringTag, { value: 'File', configurable: true });

module.exports = require('./names.js').named({ Blob, File }, ['Blob', 'File']);
