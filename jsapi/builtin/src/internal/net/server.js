'use strict';
const EventEmitter = require('node:events');
const { coded, check } = require('../errors.js');
const { isIP } = require('./ip.js');
const { Socket, normalize, port, objectOf } = require('./socket.js');
const native = internalBinding('net');

/** place is where listen() is to listen: { path } or { host, port }. */
function place(args) {
  const [options, callback] = normalize(args);
  if (options.fd !== undefined || options._handle) {
    throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'listen() takes a port or a path here, no descriptor');
  }
  if (typeof options.path === 'string') return [{ path: options.path, signal: options.signal }, callback];
  const given = args.length === 0 || typeof args[0] === 'function' || args[0] == null || typeof args[0] === 'object' && 'port' in args[0];
  if (options.port === undefined && !given) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'The argument \'options\' must have the property "port" or "path".');
  }
  return [{ host: options.host, port: port(options.port ?? 0, 'options.port'), signal: options.signal }, callback];
}

/** listening gives open() the place with an address in place of a name, at once where that can be. */
function resolved(server, where, open) {
  if (where.path !== undefined || !where.host || isIP(where.host)) {
    open(where);
    return;
  }
  require('node:dns').lookup(where.host, (error, address) => {
    if (error) server.emit('error', error);
    else open({ ...where, host: address });
  });
}

class Server extends EventEmitter {
  constructor(options, listener) {
    super();
    if (typeof options === 'function') [options, listener] = [{}, options];
    if (options != null && typeof options !== 'object') check.object(options, 'options');
    this._options = options ?? {};
    this.allowHalfOpen = !!this._options.allowHalfOpen;
    this.pauseOnConnect = !!this._options.pauseOnConnect;
    this.maxConnections = undefined;
    this._handle = null;
    this._connections = 0;
    this._ref = true;
    this._path = undefined;
    if (listener) this.on('connection', listener);
  }

  get listening() { return !!this._handle; }

  listen(...args) {
    const [where, callback] = place(args);
    if (this._handle) throw coded(Error, 'ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
    if (callback) this.once('listening', callback);
    if (where.signal) {
      if (where.signal.aborted) process.nextTick(() => this.close());
      else where.signal.addEventListener('abort', () => this.close(), { once: true });
    }
    resolved(this, where, (to) => this._listen(to));
    return this;
  }

  _open(to) { return native.listen(to.path ?? '', to.host ?? '', to.port ?? 0, (handle) => this._accept(handle)); }

  _listen(to) {
    try {
      this._handle = this._open(to);
    } catch (error) {
      if (error.code === 'ERR_ACCESS_DENIED') throw error;
      process.nextTick(() => this.emit('error', error));
      return;
    }
    this._path = to.path;
    if (!this._ref) this._handle.ref(false);
    process.nextTick(() => { if (this._handle) this.emit('listening'); });
  }

  _accept(handle) {
    if (this.maxConnections != null && this._connections >= this.maxConnections) {
      const { address, family, port: from } = handle.remote();
      handle.close();
      this.emit('drop', { remoteAddress: address, remoteFamily: family, remotePort: from });
      return;
    }
    const socket = new Socket({ handle, allowHalfOpen: this.allowHalfOpen, pauseOnCreate: this.pauseOnConnect, readable: true, writable: true });
    if (this.pauseOnConnect) socket.pause();
    if (this._options.noDelay) socket.setNoDelay(true);
    if (this._options.keepAlive) socket.setKeepAlive(true, this._options.keepAliveInitialDelay);
    this._connections++;
    socket.server = this;
    socket._server = this;
    this.emit('connection', socket);
  }

  address() { return this._handle ? objectOf(this._handle.address()) : null; }
  getConnections(callback) { process.nextTick(callback, null, this._connections); return this; }

  close(callback) {
    if (typeof callback === 'function') {
      if (this._handle) this.once('close', callback);
      else this.once('close', () => callback(coded(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.')));
    }
    const handle = this._handle;
    this._handle = null;
    handle?.close();
    this._emitCloseIfDrained();
    return this;
  }

  [Symbol.asyncDispose]() { return new Promise((done) => { this.close(() => done()); }); }

  _emitCloseIfDrained() {
    if (this._handle || this._connections > 0) return;
    process.nextTick(() => { if (!this._handle && this._connections === 0) this.emit('close'); });
  }

  ref() { this._ref = true; this._handle?.ref(true); return this; }
  unref() { this._ref = false; this._handle?.ref(false); return this; }
}

module.exports = { Server, place, resolved };
