'use strict';
const { Stream } = require('node:stream');
const { coded, argument } = require('../errors.js');
const { validateHeaderName, validateHeaderValue } = require('./header.js');

const HIGH = 16384;

/**
 * OutgoingMessage is a response of a server or a request of a client. What extends it has _implicitHeader(), which
 * sets _header, and _transmit(data, end, done), which sends the header where that was not done, and the data.
 */
class OutgoingMessage extends Stream {
  constructor(options) {
    super();
    this.writable = true;
    this.destroyed = false;
    this.finished = false;
    this.chunkedEncoding = false;
    this.shouldKeepAlive = true;
    this.useChunkedEncodingByDefault = true;
    this.sendDate = false;
    this.socket = null;
    this._header = null; // names and values in turn, once they are decided
    this._headerSent = false;
    this._hasBody = true;
    this._contentLength = null;
    this._removed = undefined;
    this._trailer = [];
    this._fields = null; // lower case name: [name, value]
    this._pending = 0;
    this._callbacks = [];
    this._needDrain = false;
    this._sent = false;
    this._closed = false;
    this._high = options?.highWaterMark ?? HIGH;
    this.errored = null;
  }

  get writableEnded() { return this.finished; }
  get writableFinished() { return this.finished && this._sent; }
  get writableLength() { return this._pending; }
  get writableHighWaterMark() { return this._high; }
  get writableObjectMode() { return false; }
  get writableCorked() { return 0; }
  get writableNeedDrain() { return !this.destroyed && !this.finished && this._needDrain; }
  get closed() { return this._closed; }
  get headersSent() { return !!this._header; }
  get connection() { return this.socket; }
  set connection(socket) { this.socket = socket; }
  get _headers() { return this.getHeaders(); }

  cork() {}
  uncork() {}

  setTimeout(ms, callback) {
    if (callback) this.on('timeout', callback);
    if (this.socket) this.socket.setTimeout(ms);
    else this.once('socket', (socket) => socket.setTimeout(ms));
    return this;
  }

  setHeader(name, value) {
    if (this._header) throw sent('set');
    validateHeaderName(name);
    validateHeaderValue(name, value);
    (this._fields ??= Object.create(null))[name.toLowerCase()] = [name, value];
    return this;
  }

  setHeaders(headers) {
    if (this._header) throw sent('set');
    if (!headers || Array.isArray(headers) || typeof headers.keys !== 'function' || typeof headers.get !== 'function') {
      throw argument('headers', 'an instance of Headers or Map', headers);
    }
    for (const [name, value] of headers) {
      if (name === 'set-cookie') this.appendHeader(name, value);
      else this.setHeader(name, value);
    }
    return this;
  }

  appendHeader(name, value) {
    if (this._header) throw sent('append');
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const had = this._fields?.[name.toLowerCase()];
    if (!had) return this.setHeader(name, value);
    had[1] = [].concat(had[1], value);
    return this;
  }

  getHeader(name) {
    if (typeof name !== 'string') throw argument('name', 'of type string', name);
    return this._fields?.[name.toLowerCase()]?.[1];
  }

  getHeaderNames() { return this._fields ? Object.keys(this._fields) : []; }
  getRawHeaderNames() { return this._fields ? Object.values(this._fields).map(([name]) => name) : []; }
  getHeaders() {
    const all = Object.create(null);
    for (const key in this._fields) all[key] = this._fields[key][1];
    return all;
  }

  hasHeader(name) {
    if (typeof name !== 'string') throw argument('name', 'of type string', name);
    return this._fields?.[name.toLowerCase()] !== undefined;
  }

  removeHeader(name) {
    if (typeof name !== 'string') throw argument('name', 'of type string', name);
    if (this._header) throw sent('remove');
    const key = name.toLowerCase();
    (this._removed ??= new Set()).add(key);
    if (this._fields) delete this._fields[key];
  }

  addTrailers(headers) {
    for (const [name, value] of Array.isArray(headers) ? headers : Object.entries(headers)) {
      validateHeaderName(name, 'Trailer name');
      validateHeaderValue(name, value);
      for (const one of [].concat(value)) this._trailer.push(name, `${one}`);
    }
  }

  flushHeaders() {
    if (!this._header) this._implicitHeader();
    if (!this._headerSent) this._transmit(undefined, false, () => {});
  }

  /** _flat is the header fields that were set, and those of more besides, which win. */
  _flat(more) {
    const flat = [];
    const add = (name, value) => {
      if (Array.isArray(value)) for (const one of value) flat.push(name, `${one}`);
      else flat.push(name, `${value}`);
    };
    for (const key in this._fields) if (!more?.has(key)) add(...this._fields[key]);
    return flat;
  }

  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    const data = bytes(chunk, encoding);
    if (this.finished) {
      this._fail(coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end'), callback);
      return false;
    }
    if (this.destroyed) {
      const error = coded(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
      if (callback) process.nextTick(callback, error);
      return false;
    }
    if (!this._header) this._implicitHeader();
    if (!this._hasBody) {
      if (callback) process.nextTick(callback);
      return true;
    }
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    if (size === 0 && this._headerSent) {
      if (callback) process.nextTick(callback);
      return !this._needDrain;
    }
    this._pending += size;
    this._transmit(data, false, (error) => {
      this._pending -= size;
      callback?.(error);
      if (error) {
        this.destroy(error);
        return;
      }
      if (this._needDrain && this._pending === 0 && !this.finished && !this.destroyed) {
        this._needDrain = false;
        this.emit('drain');
      }
    });
    const room = this._pending < this._high;
    if (!room) this._needDrain = true;
    return room;
  }

  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') [chunk, encoding, callback] = [undefined, undefined, chunk];
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    if (this.finished) {
      if (typeof callback === 'function') {
        if (this._sent) process.nextTick(callback, coded(Error, 'ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished'));
        else this.once('finish', callback);
      }
      if (chunk != null) this._fail(coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end'));
      return this;
    }
    let data = chunk == null ? undefined : bytes(chunk, encoding);
    if (!this._header) {
      this._contentLength = data === undefined ? 0 : typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
      this._implicitHeader();
    }
    if (!this._hasBody) data = undefined;
    if (typeof callback === 'function') this.once('finish', callback);
    this.finished = true;
    if (this.destroyed) return this;
    this._transmit(data, true, (error) => {
      if (error) {
        this.destroy(error);
        return;
      }
      this._sent = true;
      this.emit('prefinish');
      this.emit('finish');
    });
    return this;
  }

  _fail(error, callback) {
    process.nextTick(() => {
      callback?.(error);
      if (!this.destroyed) this.emit('error', error);
    });
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    this._abandon(error);
    return this;
  }

  _abandon(error) { this.socket?.destroy(error); }

  /** _over ends the message for good: the callbacks of what was never sent hear of it. */
  _over() {
    this.destroyed = true;
    for (const callback of this._callbacks.splice(0)) {
      callback(coded(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'));
    }
    if (this._closed) return;
    this._closed = true;
    this.emit('close');
  }

  pipe() { this.emit('error', coded(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable')); }

  [Symbol.for('nodejs.rejection')](error) { this.destroy(error); }
  _implicitHeader() { throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _implicitHeader() method is not implemented'); }
}

const sent = (verb) => coded(Error, 'ERR_HTTP_HEADERS_SENT', `Cannot ${verb} headers after they are sent to the client`);

/** bytes is a chunk as the natives take it: text, which they send as UTF-8, or bytes. */
function bytes(chunk, encoding) {
  if (typeof chunk === 'string') {
    return !encoding || encoding === 'utf8' || encoding === 'utf-8' ? chunk : Buffer.from(chunk, encoding);
  }
  if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
  if (chunk instanceof Uint8Array) return chunk;
  throw argument('chunk', 'of type string or an instance of Buffer or Uint8Array', chunk);
}

module.exports = { OutgoingMessage, sent };
