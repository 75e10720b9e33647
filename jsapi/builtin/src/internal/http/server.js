'use strict';
const { coded, check } = require('../errors.js');
const { Server: NetServer, place, resolved } = require('../net/server.js');
const { Socket } = require('../net/socket.js');
const { IncomingMessage } = require('./incoming.js');
const { ServerResponse } = require('./response.js');
const native = internalBinding('http');

/** ConnectionSocket is a connection whose bytes the native side reads and writes. */
class ConnectionSocket extends Socket {
  constructor(connection, server) {
    super({
      manualStart: true,
      handle: {
        local: () => connection.local, remote: () => connection.remote, close: connection.close, reset: connection.close,
        read() {}, ref() {}, shutdown(done) { done(); },
        write(data, done) { done(coded(Error, 'ERR_HTTP_SOCKET_ASSIGNED', 'The connection belongs to the HTTP server; answer with the response')); },
      },
    });
    this.server = server;
    if (connection.encrypted) Object.assign(this, { encrypted: true, authorized: false });
    this.parser = {};
    this._messages = new Set();
    this.on('error', () => {}); // what breaks a connection is told to its messages
    if (server.timeout) this.setTimeout(server.timeout);
  }

  _over() { this.destroy(); }

  _onTimeout() {
    const { server } = this;
    let heard = this.emit('timeout');
    for (const { req, res } of this._messages) {
      if (!req.complete) heard = req.emit('timeout', this) || heard;
      heard = res.emit('timeout', this) || heard;
    }
    heard = server.emit('timeout', this) || heard;
    if (!heard) this.destroy();
  }
}

class Server extends NetServer {
  constructor(options, listener) {
    if (typeof options === 'function') [options, listener] = [{}, options];
    if (options != null) check.object(options, 'options');
    super(options ?? {});
    const o = this._options;
    this._Incoming = o.IncomingMessage ?? IncomingMessage;
    this._Response = o.ServerResponse ?? ServerResponse;
    this.timeout = 0;
    this.keepAliveTimeout = o.keepAliveTimeout ?? 5000;
    this.requestTimeout = o.requestTimeout ?? 300000;
    this.headersTimeout = o.headersTimeout ?? Math.min(60000, this.requestTimeout || 60000);
    this.maxHeadersCount = null;
    this.maxRequestsPerSocket = 0;
    this.httpAllowHalfOpen = false;
    this._tls = undefined;
    if (listener) this.on('request', listener);
  }

  listen(...args) {
    // A listener that Go code brings.
    if (args[0]?.given?.()) {
      this._listen({ given: args[0] });
      return this;
    }
    return super.listen(...args);
  }

  _open(to) {
    this._ended = false;
    return native.serve(to.given ?? { path: to.path ?? '', host: to.host ?? '', port: to.port ?? 0 },
      () => ({
        headersTimeout: this.headersTimeout, requestTimeout: this.requestTimeout, keepAliveTimeout: this.keepAliveTimeout,
        maxHeaderSize: this._options.maxHeaderSize ?? 16384, maxConnections: this.maxConnections ?? 0, tls: this._tls,
      }),
      (...request) => this._deliver(...request),
      () => {
        this._ended = true;
        process.nextTick(() => this.emit('close'));
      });
  }

  _emitCloseIfDrained() {
    if (this._ended === undefined) process.nextTick(() => this.emit('close')); // it never listened
  }

  _socket(connection) {
    if (connection instanceof ConnectionSocket) return connection;
    const socket = new ConnectionSocket(connection, this);
    connection.become(socket);
    this.emit(this._tls ? 'secureConnection' : 'connection', socket);
    return socket;
  }

  _deliver(exchange, connection, method, url, minor, flat, hasBody, upgrade) {
    const socket = this._socket(connection);
    const req = new this._Incoming(socket);
    req.method = method;
    req.url = url;
    req._begin(minor, flat, hasBody ? exchange : undefined);
    if (upgrade && this.listenerCount(method === 'CONNECT' ? 'connect' : 'upgrade') > 0) {
      this._upgrade(req, exchange, method === 'CONNECT' ? 'connect' : 'upgrade');
      return;
    }
    const res = new this._Response(req, { highWaterMark: this._options.highWaterMark });
    res._begin(exchange, socket);
    const connectionField = req.headers.connection ?? '';
    res.shouldKeepAlive = minor === 1 ? !/\bclose\b/i.test(connectionField) : /\bkeep-alive\b/i.test(connectionField);
    const pair = { req, res };
    socket._messages.add(pair);
    exchange.gone(() => {
      socket._messages.delete(pair);
      if (req.complete) {
        if (!req._consumed) req._dump();
      } else if (res.writableFinished && (req._dumped || !req._consumed)) {
        req._source = undefined;
        req._dump();
      } else {
        req._spared = res.writableFinished; // the rest of the request is lost, the connection is not
        req._cut();
      }
      res._over();
    });
    res.once('finish', () => { if (!req._consumed) req._dump(); });
    if (method === 'CONNECT') {
      socket.destroy();
      return;
    }
    const expect = req.headers.expect;
    if (expect !== undefined && minor === 1) {
      if (/^100-continue$/i.test(expect)) {
        if (this.listenerCount('checkContinue') > 0) {
          this.emit('checkContinue', req, res);
          return;
        }
      } else if (this.listenerCount('checkExpectation') > 0) {
        this.emit('checkExpectation', req, res);
        return;
      } else {
        res.writeHead(417);
        res.end();
        return;
      }
    }
    this.emit('request', req, res);
  }

  _upgrade(req, exchange, event) {
    req.upgrade = true;
    req._source = undefined;
    req.complete = true;
    exchange.hijack((error, handle, head) => {
      if (error) return;
      const socket = new Socket({ handle, allowHalfOpen: true, manualStart: true });
      socket.server = this;
      if (this._tls) socket.encrypted = true;
      req.socket = socket;
      this.emit(event, req, socket, Buffer.from(head));
    });
  }

  setTimeout(ms, callback) {
    this.timeout = ms;
    if (callback) this.on('timeout', callback);
    return this;
  }

  closeIdleConnections() { this._native?.closeIdle(); }
  closeAllConnections() { this._native?.closeAll(); }

  close(callback) {
    const handle = this._handle;
    super.close(callback);
    if (handle) this._native = handle;
    return this;
  }

  _listen(to) {
    super._listen(to);
    this._native = this._handle;
  }

  getConnections(callback) {
    const n = this._native?.count() ?? 0;
    process.nextTick(callback, null, n);
    return this;
  }
}

module.exports = { Server, ConnectionSocket, place, resolved };
