'use strict';
const { Duplex } = require('node:stream');
const { coded, argument, check } = require('../errors.js');
const { isIP } = require('./ip.js');
const native = internalBinding('net');

const kTimer = Symbol('timer');
const kSeen = Symbol('seen');

/** listening is what connect and listen take: (options), (port, host), (path), each with a callback at the end. */
function normalize(args) {
  if (args.length === 0) return [{}, null];
  let options = {};
  const first = args[0];
  if (typeof first === 'object' && first !== null) options = first;
  else if (typeof first === 'string' && !/^\d+$/.test(first)) options.path = first;
  else {
    options.port = first;
    if (args.length > 1 && typeof args[1] === 'string') options.host = args[1];
  }
  const last = args[args.length - 1];
  return [options, typeof last === 'function' ? last : null];
}

function port(value, name = 'Port') {
  const n = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
  if ((typeof value !== 'number' && typeof value !== 'string') || !(n >= 0 && n < 65536) || n !== Math.trunc(n)) {
    throw coded(RangeError, 'ERR_SOCKET_BAD_PORT', `${name} should be >= 0 and < 65536. Received ${describe(value)}.`);
  }
  return n;
}
const describe = (v) => typeof v === 'number' || typeof v === 'string' ? `type ${typeof v} (${typeof v === 'string' ? `'${v}'` : v})` : `${v}`;

class Socket extends Duplex {
  constructor(options) {
    if (typeof options === 'number') options = { fd: options };
    if (options?.fd !== undefined) {
      throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'new net.Socket({ fd }) is not available: sockets come from connect() and from servers');
    }
    const { handle, onread, signal, ...rest } = options ?? {};
    super({ ...rest, allowHalfOpen: !!rest.allowHalfOpen, emitClose: false, autoDestroy: true, decodeStrings: false, signal });
    this.connecting = false;
    this._hadError = false;
    this._parent = null;
    this._host = null;
    this._handle = null;
    this._reading = false;
    this._ref = true;
    this.timeout = 0;
    this.server = null;
    this._server = null;
    this.bytesRead = 0;
    this._bytesWritten = 0;
    if (handle) {
      this._adopt(handle);
      if (!rest.pauseOnCreate && rest.manualStart !== true) this.read(0);
    }
    this.on('end', () => {
      if (!this.allowHalfOpen) this.write = writeAfterEnd;
    });
  }

  _adopt(handle) {
    this._handle = handle;
    if (!this._ref) handle.ref(false);
  }

  connect(...args) {
    const [options, callback] = Array.isArray(args[0]) ? args[0] : normalize(args);
    if (callback) this.once('connect', callback);
    if (options.port === undefined && options.path == null) {
      throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified');
    }
    if (this.destroyed) {
      this._reset();
    }
    this.connecting = true;
    this._refresh();
    if (options.path != null) {
      check.string(options.path, 'options.path');
      this._dial({ path: options.path });
      return this;
    }
    const to = { port: port(options.port), host: options.host ?? 'localhost', localAddress: options.localAddress,
      localPort: options.localPort, family: options.family };
    check.string(to.host, 'options.host');
    if (to.localAddress !== undefined && !isIP(to.localAddress)) {
      throw coded(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${to.localAddress}`);
    }
    this._host = to.host;
    if (options.timeout) this.setTimeout(options.timeout);
    if (options.noDelay) this.setNoDelay(true);
    if (options.keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    if (typeof options.lookup === 'function' && !isIP(to.host)) this._lookup(options, to);
    else this._dial(to);
    return this;
  }

  // A socket may connect again after it was closed.
  _reset() {
    this._handle = null;
    this._undestroy();
    this._reading = false;
  }

  _lookup(options, to) {
    options.lookup(to.host, { family: options.family, hints: options.hints, all: false }, (error, address, family) => {
      if (Array.isArray(address)) [{ address, family }] = address;
      this.emit('lookup', error, address, family, to.host);
      if (!this.connecting) return;
      if (error) this.destroy(error);
      else this._dial({ ...to, host: address });
    });
  }

  _dial(to) {
    this._cancel = native.connect(to, (error, handle) => {
      this._cancel = undefined;
      if (this.destroyed) {
        handle?.close();
        return;
      }
      this.connecting = false;
      if (error) {
        this.destroy(error);
        return;
      }
      this._adopt(handle);
      if (this._noDelay !== undefined) handle.noDelay(this._noDelay);
      if (this._keepAlive) handle.keepAlive(...this._keepAlive);
      this._refresh();
      this._connected();
    });
  }

  _connected() {
    this.emit('connect');
    this.emit('ready');
    if (!this.destroyed && !this.isPaused()) this.read(0);
  }

  _read() {
    if (this.connecting) {
      this.once('connect', () => this._read());
      return;
    }
    if (!this._handle || this._reading) return;
    this._reading = true;
    this._handle.read((error, bytes) => {
      this._reading = false;
      if (this.destroyed) return;
      if (error) {
        this.destroy(error);
        return;
      }
      if (bytes === undefined) {
        this.push(null);
        this.read(0);
        return;
      }
      this.bytesRead += bytes.byteLength;
      this._refresh();
      this.push(Buffer.from(bytes));
    });
  }

  _write(data, encoding, done) {
    if (typeof data === 'string' && encoding === 'buffer') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'Second argument must be a buffer');
    if (this.connecting) {
      const go = () => { this.removeListener('close', gone); this._write(data, encoding, done); };
      const gone = () => { this.removeListener('connect', go); done(closedBefore()); };
      this.once('connect', go);
      this.once('close', gone);
      return;
    }
    if (!this._handle) {
      done(coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
      return;
    }
    if (typeof data === 'string' && encoding !== 'utf8' && encoding !== 'utf-8') data = Buffer.from(data, encoding);
    this._bytesWritten += typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    this._refresh();
    this._handle.write(data, (error) => {
      this._refresh();
      done(error);
    });
  }

  _writev(chunks, done) {
    this._write(Buffer.concat(chunks.map(({ chunk, encoding }) => typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)),
      'buffer', done);
  }

  _final(done) {
    if (this.connecting) {
      this.once('connect', () => this._final(done));
      return;
    }
    if (!this._handle) {
      done();
      return;
    }
    // The other end may be gone already, which is no error of shutting down.
    this._handle.shutdown((error) => done(error?.code === 'ENOTCONN' || error?.code === 'ECANCELED' ? null : error));
  }

  _destroy(error, done) {
    this.connecting = false;
    clearTimeout(this[kTimer]);
    this[kTimer] = undefined;
    this._cancel?.();
    const handle = this._handle;
    if (handle) {
      this[kSeen] = { local: handle.local(), remote: handle.remote() };
      if (this._resetting) handle.reset();
      else handle.close();
      this._handle = null;
    }
    done(error);
    process.nextTick(() => this.emit('close', !!error));
    const server = this._server;
    if (server) {
      this._server = null;
      server._connections--;
      server._emitCloseIfDrained();
    }
  }

  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  resetAndDestroy() {
    this._resetting = true;
    return this.destroy(this.connecting ? closedBefore() : undefined);
  }

  setTimeout(ms, callback) {
    if (this.destroyed) return this;
    check.number(ms, 'msecs');
    this.timeout = ms;
    clearTimeout(this[kTimer]);
    this[kTimer] = undefined;
    if (ms > 0) {
      this[kTimer] = setTimeout(() => this._onTimeout(), ms);
      this[kTimer].unref();
      if (callback) this.once('timeout', callback);
    } else if (callback) this.removeListener('timeout', callback);
    return this;
  }

  _onTimeout() { this.emit('timeout'); }
  _refresh() { this[kTimer]?.refresh(); }
  _unrefTimer() { this._refresh(); }

  setNoDelay(on = true) {
    this._noDelay = !!on;
    this._handle?.noDelay?.(this._noDelay);
    return this;
  }

  setKeepAlive(on = false, delay = 0) {
    this._keepAlive = [!!on, delay];
    this._handle?.keepAlive?.(...this._keepAlive);
    return this;
  }

  ref() { this._ref = true; this._handle?.ref?.(true); return this; }
  unref() { this._ref = false; this._handle?.ref?.(false); return this; }

  _address(which) { return (this._handle ? this._handle[which]() : this[kSeen]?.[which]) ?? {}; }
  address() { return objectOf(this._address('local')); }
  get remoteAddress() { return this._address('remote').address; }
  get remoteFamily() { return this._address('remote').family; }
  get remotePort() { return this._address('remote').port; }
  get localAddress() { return this._address('local').address; }
  get localFamily() { return this._address('local').family; }
  get localPort() { return this._address('local').port; }
  get bytesWritten() { return this._bytesWritten; }
  get pending() { return !this._handle || this.connecting; }
  get bufferSize() { return this._handle ? this.writableLength : undefined; }
  get readyState() {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }
}

// Node gives address, family, port in this order.
const objectOf = (a) => typeof a === 'string' ? a : a.address === undefined ? {} : { address: a.address, family: a.family, port: a.port };

const closedBefore = () => coded(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established');

function writeAfterEnd(chunk, encoding, done) {
  if (!this.writableEnded) return Duplex.prototype.write.call(this, chunk, encoding, done);
  if (typeof encoding === 'function') done = encoding;
  const error = new Error('This socket has been ended by the other party');
  error.code = 'EPIPE';
  if (done) process.nextTick(done, error);
  this.destroy(error);
  return false;
}

module.exports = { Socket, normalize, port, argument, objectOf };
