'use strict';
const EventEmitter = require('node:events');
const { toBytes, toOptions, decoded, toMode, toTime } = require('./args.js');
const { statsOf } = require('./stats.js');
const { aborted, argument, range } = require('../errors.js');
const native = internalBinding('fs');

/** call is a native operation as a promise. */
const call = (name, ...args) => new Promise((done, fail) => {
  native[name](...args, (error, value) => (error ? fail(error) : done(value)));
});

/** span is where in a buffer, and where in the file, a read or write is. */
function span(buffer, offset, length, position, name) {
  if (offset !== null && typeof offset === 'object') ({ offset = 0, length = buffer.byteLength - (offset ?? 0), position = null } = offset);
  offset ??= 0;
  if (!Number.isInteger(offset) || offset < 0 || offset > buffer.byteLength) throw range('offset', `>= 0 && <= ${buffer.byteLength}`, offset);
  length ??= buffer.byteLength - offset;
  if (!Number.isInteger(length) || length < 0 || length > buffer.byteLength - offset) {
    throw range('length', `>= 0 && <= ${buffer.byteLength - offset}`, length);
  }
  if (typeof position === 'bigint') position = Number(position);
  return { offset, length, position: typeof position === 'number' && position >= 0 ? position : -1, name };
}

/** readInto reads into a part of a buffer: callback(error, bytes read). */
function readInto(fd, buffer, offset, length, position, callback) {
  if (!ArrayBuffer.isView(buffer)) throw argument('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
  const s = span(buffer, offset, length, position);
  if (s.length === 0) {
    process.nextTick(callback, null, 0);
    return;
  }
  native.read(fd, s.length, s.position, (error, bytes) => {
    if (error) {
      callback(error);
      return;
    }
    new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(new Uint8Array(bytes), s.offset);
    callback(null, bytes.byteLength);
  });
}

/** part is the bytes of a write: callback forms of both strings and buffers. */
function part(data, offset, length, position) {
  if (typeof data === 'string') {
    // (string, position, encoding)
    const encoding = typeof length === 'string' ? length : 'utf8';
    return [Buffer.from(data, encoding), typeof offset === 'number' ? offset : -1];
  }
  if (!ArrayBuffer.isView(data)) throw argument('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  const s = span(data, offset, length, position);
  return [new Uint8Array(data.buffer, data.byteOffset + s.offset, s.length), s.position];
}

class FileHandle extends EventEmitter {
  #fd;
  #closing;
  constructor(fd) { super(); this.#fd = fd; }

  get fd() { return this.#fd; }
  getAsyncId() { return 0; }

  read(buffer, offset, length, position) {
    if (buffer === undefined || !ArrayBuffer.isView(buffer)) {
      const o = buffer ?? {};
      buffer = o.buffer ?? Buffer.alloc(16384);
      ({ offset, length, position } = o);
    }
    return new Promise((done, fail) => {
      readInto(this.#fd, buffer, offset, length, position, (error, bytesRead) => (error ? fail(error) : done({ bytesRead, buffer })));
    });
  }

  async readv(buffers, position) {
    let bytesRead = 0;
    for (const buffer of buffers) {
      const { bytesRead: n } = await this.read(buffer, 0, buffer.byteLength, typeof position === 'number' ? position + bytesRead : null);
      bytesRead += n;
      if (n < buffer.byteLength) break;
    }
    return { bytesRead, buffers };
  }

  async write(data, offset, length, position) {
    const [bytes, at] = part(data, offset, length, position);
    return { bytesWritten: await call('write', this.#fd, bytes, at), buffer: data };
  }

  async writev(buffers, position) {
    const all = Buffer.concat(buffers.map((b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength)));
    return { bytesWritten: await call('write', this.#fd, all, typeof position === 'number' ? position : -1), buffers };
  }

  async readFile(options) {
    const o = toOptions(options);
    if (o.signal?.aborted) throw aborted(o.signal.reason);
    return decoded(await call('readFile', this.#fd, 0), o.encoding);
  }

  async writeFile(data, options) {
    const o = toOptions(options, { encoding: 'utf8' });
    await writeEverything(this.#fd, data, o);
  }

  appendFile(data, options) { return this.writeFile(data, options); }
  async stat(options) { return statsOf(await call('fstat', this.#fd, !!options?.bigint), !!options?.bigint); }
  async truncate(size = 0) { await call('ftruncate', this.#fd, size); }
  async sync() { await call('fsync', this.#fd); }
  async datasync() { await call('fdatasync', this.#fd); }
  async chmod(mode) { await call('fchmod', this.#fd, toMode(mode)); }
  async chown(uid, gid) { await call('fchown', this.#fd, uid, gid); }
  async utimes(atime, mtime) { await call('futimes', this.#fd, toTime(atime, 'atime'), toTime(mtime, 'mtime')); }

  createReadStream(options) { return new (require('./streams.js').ReadStream)(undefined, { ...options, fd: this }); }
  createWriteStream(options) { return new (require('./streams.js').WriteStream)(undefined, { ...options, fd: this }); }
  readLines(options) { return require('node:readline').createInterface({ input: this.createReadStream(options), crlfDelay: Infinity }); }

  close() {
    if (this.#closing) return this.#closing;
    if (this.#fd === -1) return Promise.resolve();
    const fd = this.#fd;
    this.#fd = -1;
    this.#closing = call('close', fd).then(() => { this.emit('close'); });
    return this.#closing;
  }

  [Symbol.asyncDispose]() { return this.close(); }
}

/** writeEverything writes bytes, text, or what an iterable gives. */
async function writeEverything(fd, data, o) {
  const check = () => { if (o.signal?.aborted) throw aborted(o.signal.reason); };
  check();
  if (typeof data !== 'string' && !ArrayBuffer.isView(data) && (data?.[Symbol.asyncIterator] || data?.[Symbol.iterator])) {
    for await (const chunk of data) {
      check();
      await call('write', fd, toBytes(chunk, o.encoding), -1);
    }
    return;
  }
  await call('write', fd, toBytes(data, o.encoding), -1);
}

module.exports = { FileHandle, call, readInto, part, writeEverything };
