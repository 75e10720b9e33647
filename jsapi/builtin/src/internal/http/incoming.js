'use strict';
const { Readable } = require('node:stream');
const { fields, distinct } = require('./header.js');

/**
 * IncomingMessage is a request that a server got, or a response that a client got. Its body comes from source:
 * read(callback(error, bytes)), undefined at the end, and trailers() after it.
 */
class IncomingMessage extends Readable {
  constructor(socket) {
    super({ highWaterMark: socket?.readableHighWaterMark });
    this.socket = socket;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.httpVersion = '1.1';
    this.complete = false;
    this.rawHeaders = [];
    this.rawTrailers = [];
    this.joinDuplicateHeaders = false;
    this.aborted = false;
    this.upgrade = null;
    this.url = '';
    this.method = null;
    this.statusCode = null;
    this.statusMessage = null;
    this._consumed = false;
    this._dumped = false;
    this._atEnd = false;
    this._spared = false; // its end is not its socket's
    this._source = undefined;
    this._reading = false;
  }

  _begin(minor, flat, source) {
    if (minor !== 1) {
      this.httpVersionMinor = minor;
      this.httpVersion = `1.${minor}`;
    }
    this.rawHeaders = flat;
    this._source = source;
  }

  get connection() { return this.socket; }
  set connection(socket) { this.socket = socket; }
  get headers() { return this._headers ??= fields(this.rawHeaders); }
  set headers(value) { this._headers = value; }
  get headersDistinct() { return this._distinct ??= distinct(this.rawHeaders); }
  set headersDistinct(value) { this._distinct = value; }
  get trailers() { return this._trailers ??= fields(this.rawTrailers); }
  set trailers(value) { this._trailers = value; }
  get trailersDistinct() { return distinct(this.rawTrailers); }

  setTimeout(ms, callback) {
    if (callback) this.on('timeout', callback);
    this.socket?.setTimeout(ms);
    return this;
  }

  _read() {
    this._consumed = true;
    if (this._reading || this._atEnd) return;
    if (!this._source) {
      this._finish();
      return;
    }
    this._reading = true;
    this._source.read((error, bytes) => {
      this._reading = false;
      if (this.destroyed) return;
      if (error) {
        if (this._dumped) this._finish();
        else this._cut(error);
        return;
      }
      this.socket?._refresh?.();
      if (bytes === undefined) {
        this.rawTrailers = this._source.trailers();
        this._finish();
        return;
      }
      if (!this._source.ended?.()) {
        this.push(Buffer.from(bytes));
        return;
      }
      // The end came along: whoever reads hears of both at once, as with Node's parser.
      this.rawTrailers = this._source.trailers();
      this._readableState.sync = true;
      this.push(Buffer.from(bytes));
      this._finish();
      this._readableState.sync = false;
    });
  }

  _finish() {
    this.complete = true;
    this._atEnd = true;
    this.push(null);
  }

  // The other end went away.
  _cut(error) {
    if (this.destroyed || this.readableEnded) return;
    if (error === undefined) {
      error = new Error('aborted');
      error.code = 'ECONNRESET';
    }
    this.destroy(error);
  }

  // Reads what nobody wants, so that the connection can be used again.
  _dump() {
    if (this._dumped) return;
    this._dumped = true;
    this.resume();
  }

  _dumpAndCloseReadable() { this._dump(); }

  _destroy(error, done) {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit('aborted');
    }
    if (this.aborted && !this._spared && this.socket && !this.socket.destroyed) this.socket.destroy(error);
    // Nobody has to look at a client's leaving.
    process.nextTick(() => done(this.listenerCount('error') === 0 ? null : error));
  }
}

module.exports = { IncomingMessage };
