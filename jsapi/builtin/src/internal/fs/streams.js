'use strict';
const { Readable, Writable } = require('node:stream');
const { toPath, toFlags, toMode, toOptions } = require('./args.js');
const { argument, range } = require('../errors.js');
const native = internalBinding('fs');

function place(value, name) {
  if (typeof value !== 'number') throw argument(name, 'of type number', value);
  if (!(value >= 0) || value > Number.MAX_SAFE_INTEGER || (Number.isFinite(value) && !Number.isInteger(value))) {
    throw range(name, `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`, value);
  }
  return value;
}

/** begin is what both kinds of stream have: a path or a descriptor, and who closes it. */
function begin(stream, path, o, flags) {
  stream.fd = null;
  stream._handle = undefined;
  if (typeof o.fd === 'number') stream.fd = o.fd;
  else if (o.fd) {
    stream._handle = o.fd;
    stream.fd = o.fd.fd;
  }
  stream.path = stream.fd === null || path !== undefined && path !== null ? toPath(path) : undefined;
  stream.flags = o.flags ?? flags;
  stream.mode = toMode(o.mode, 0o666);
  stream.autoClose = o.autoClose ?? true;
}

const construct = {
  _construct(done) {
    if (this.fd !== null) {
      done();
      return;
    }
    native.open(this.path, toFlags(this.flags), this.mode, (error, fd) => {
      if (error) {
        done(error);
        return;
      }
      this.fd = fd;
      done();
      this.emit('open', fd);
      this.emit('ready');
    });
  },
  _destroy(error, done) {
    const { fd } = this;
    if (fd === null || !this.autoClose && !this._closing) {
      done(error);
      return;
    }
    this.fd = null;
    const close = () => {
      if (this._handle) this._handle.close().then(() => done(error), (other) => done(error ?? other));
      else native.close(fd, (other) => done(error ?? other));
    };
    if (this._busy) this.once(idle, close);
    else close();
  },
  close(callback) {
    if (callback) {
      if (this.closed) process.nextTick(callback);
      else this.on('close', callback);
    }
    this._closing = true;
    if (this instanceof Writable && !this.autoClose) this.on('finish', this.destroy);
    if (this instanceof Writable) this.end();
    else this.destroy();
  },
};
const idle = Symbol('idle');

class ReadStream extends Readable {
  constructor(path, options) {
    const o = toOptions(options);
    super({ ...o, highWaterMark: o.highWaterMark ?? 65536, autoDestroy: o.autoClose ?? true, emitClose: o.emitClose ?? true });
    begin(this, path, o, 'r');
    this.start = o.start;
    this.end = o.end ?? Infinity;
    this.bytesRead = 0;
    this._at = -1;
    if (o.start !== undefined) this._at = place(o.start, 'start');
    if (this.end !== Infinity) place(this.end, 'end');
    if (o.start !== undefined && o.start > this.end) throw range('start', `<= "end" (here: ${this.end})`, o.start);
    this._left = this.end === Infinity ? Infinity : this.end - Math.max(this._at, 0) + 1;
  }

  get pending() { return this.fd === null; }

  _read(n) {
    n = Math.min(n, this._left);
    if (n <= 0) {
      this.push(null);
      return;
    }
    this._busy = true;
    native.read(this.fd, n, this._at, (error, bytes) => {
      this._busy = false;
      if (this.destroyed) {
        this.emit(idle);
        return;
      }
      if (error) {
        this.destroy(error);
        return;
      }
      const size = bytes.byteLength;
      this.bytesRead += size;
      this._left -= size;
      if (this._at >= 0) this._at += size;
      this.push(size > 0 ? Buffer.from(bytes) : null);
    });
  }
}

class WriteStream extends Writable {
  constructor(path, options) {
    const o = toOptions(options);
    super({ ...o, decodeStrings: false, defaultEncoding: undefined, autoDestroy: o.autoClose ?? true, emitClose: o.emitClose ?? true });
    begin(this, path, o, o.start === undefined ? 'w' : 'r+');
    if (o.flags === undefined && o.start !== undefined) this.flags = 'r+';
    this.start = o.start;
    this.bytesWritten = 0;
    this._at = o.start === undefined ? -1 : place(o.start, 'start');
    this._flush = o.flush;
    if (o.encoding) this.setDefaultEncoding(o.encoding);
  }

  get pending() { return this.fd === null; }

  _write(data, encoding, done) {
    if (typeof data === 'string' && encoding !== 'utf8' && encoding !== 'utf-8') data = Buffer.from(data, encoding);
    this._busy = true;
    native.write(this.fd, data, this._at, (error, n) => {
      this._busy = false;
      if (this.destroyed) this.emit(idle);
      if (!error) {
        this.bytesWritten += n;
        if (this._at >= 0) this._at += n;
      }
      done(error);
    });
  }

  _writev(chunks, done) {
    this._write(Buffer.concat(chunks.map(({ chunk, encoding }) => typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)), 'buffer', done);
  }

  _final(done) {
    if (this._flush) native.fsync(this.fd, done);
    else done();
  }
}

for (const Class of [ReadStream, WriteStream]) {
  for (const name of Object.keys(construct)) {
    Object.defineProperty(Class.prototype, name, { value: construct[name], writable: true, configurable: true });
  }
}
WriteStream.prototype.destroySoon = WriteStream.prototype.end;

module.exports = { ReadStream, WriteStream };
