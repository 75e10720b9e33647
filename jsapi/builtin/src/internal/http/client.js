'use strict';
const { coded, argument, check } = require('../errors.js');
const { Socket } = require('../net/socket.js');
const { OutgoingMessage } = require('./outgoing.js');
const { IncomingMessage } = require('./incoming.js');
const { Agent, globalAgent } = require('./agent.js');
const { token } = require('./header.js');
const native = internalBinding('http');

/** RequestSocket is a connection that the native side made and uses. */
class RequestSocket extends Socket {
  constructor(request) {
    super({
      manualStart: true,
      handle: {
        local: () => this._ends.local, remote: () => this._ends.remote, close() {}, reset() {}, read() {}, ref() {},
        shutdown(done) { done(); }, write(data, done) { done(); },
      },
    });
    this._ends = { local: {}, remote: {} };
    this.connecting = true;
    this._httpMessage = request;
    if (request.protocol === 'https:') Object.assign(this, { encrypted: true, authorized: true });
  }

  _connected(reused, local, remote) {
    this._ends = { local, remote };
    this.connecting = false;
    if (reused) return;
    this.emit('connect');
    if (this.encrypted) this.emit('secureConnect');
    this.emit('ready');
  }

  _destroy(error, done) {
    super._destroy(error, done);
    this._httpMessage?._gone(error);
  }
}

/** options is what request() takes: a URL, options, or both. */
function merge(input, options) {
  if (typeof input === 'string') input = new URL(input);
  if (input instanceof URL || input?.href && input?.searchParams) {
    const { protocol, hostname, hash, search, pathname, href, port, username, password } = input;
    const from = {
      protocol, hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname, hash, search, pathname,
      path: `${pathname || ''}${search || ''}`, href,
    };
    if (port !== '') from.port = Number(port);
    if (username || password) from.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { ...from, ...options };
  }
  return { ...input };
}

const bare = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

class ClientRequest extends OutgoingMessage {
  constructor(input, options, callback) {
    super();
    if (typeof options === 'function') [options, callback] = [undefined, options];
    options = merge(input, options);
    const agent = options.agent === false ? new Agent() : options.agent ?? options._defaultAgent ?? globalAgent;
    if (!(agent instanceof Agent)) {
      if (typeof agent?.addRequest !== 'function') throw argument('options.agent', 'one of Agent-like Object, undefined, or false', agent);
      throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'Agents that make connections of their own are not available; use one of node:http or node:https');
    }
    const protocol = options.protocol || agent.protocol;
    if (protocol !== agent.protocol && options.agent === undefined && options._defaultAgent === undefined || !/^https?:$/.test(protocol)) {
      throw coded(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${protocol}" not supported. Expected "${agent.protocol}"`);
    }
    if (options.path !== undefined && /[^\u0021-\u00ff]/.test(`${options.path}`)) {
      throw coded(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
    }
    const method = `${options.method ?? 'GET'}`.toUpperCase();
    if (!token.test(method)) throw coded(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${method}"]`);
    if (method === 'CONNECT') {
      throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'The method CONNECT is not available in http.request(); use net.connect()');
    }
    check.signal(options.signal, 'options.signal');
    this.agent = agent;
    this.method = method;
    this.protocol = protocol;
    this.path = options.path || '/';
    this.host = options.hostname || options.host || 'localhost';
    this.port = Number(options.port || options.defaultPort || (protocol === 'https:' ? 443 : 80));
    this.socketPath = options.socketPath;
    this.timeout = options.timeout ?? agent.options.timeout;
    this.shouldKeepAlive = agent.keepAlive;
    this.useChunkedEncodingByDefault = !bare.has(method);
    this.reusedSocket = false;
    this.aborted = false;
    this.res = null;
    this.maxHeadersCount = null;
    this._options = options;
    this._queue = [];
    this._handle = undefined;
    this._fieldsFrom(options);
    if (callback) this.once('response', callback);
    const socket = new RequestSocket(this);
    this._connection = socket;
    socket.on('error', () => {});
    socket.on('timeout', () => this.emit('timeout'));
    process.nextTick(() => {
      this.socket = socket;
      if (this.destroyed) return;
      if (options.timeout) socket.setTimeout(options.timeout);
      this.emit('socket', socket);
    });
    if (options.signal) this._follow(options.signal);
  }

  _follow(signal) {
    const stop = () => {
      const error = new Error('The operation was aborted', { cause: signal.reason });
      Object.assign(error, { code: 'ABORT_ERR', name: 'AbortError' });
      this.destroy(error);
    };
    if (signal.aborted) process.nextTick(stop);
    else {
      signal.addEventListener('abort', stop, { once: true });
      this.once('close', () => signal.removeEventListener('abort', stop));
    }
  }

  _fieldsFrom(options) {
    const { headers } = options;
    if (Array.isArray(headers)) {
      if (headers.length > 0 && Array.isArray(headers[0])) for (const [name, value] of headers) this.appendHeader(name, value);
      else for (let i = 0; i + 1 < headers.length; i += 2) this.appendHeader(headers[i], headers[i + 1]);
    } else if (headers) for (const name of Object.keys(headers)) this.setHeader(name, headers[name]);
    if (options.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
    if (options.setHost !== false && !this.hasHeader('host')) {
      const host = this.host.includes(':') ? `[${this.host}]` : this.host;
      this.setHeader('Host', this.port === (this.protocol === 'https:' ? 443 : 80) ? host : `${host}:${this.port}`);
    }
  }

  _implicitHeader() {
    const flat = this._flat();
    const has = (name) => this._fields?.[name] !== undefined;
    if (!has('content-length') && !has('transfer-encoding')) {
      if (typeof this._contentLength === 'number') {
        if (this._contentLength > 0 || this.useChunkedEncodingByDefault) flat.push('Content-Length', `${this._contentLength}`);
      } else if (this.useChunkedEncodingByDefault) flat.push('Transfer-Encoding', 'chunked');
    }
    if (!has('connection')) flat.push('Connection', this.shouldKeepAlive ? 'keep-alive' : 'close');
    this._header = flat;
  }

  _transmit(data, end, done) {
    if (!this._headerSent) {
      this._headerSent = true;
      const agent = this.agent._native(this._options);
      this._handle = native.request(agent, this.method, this.protocol.slice(0, -1), this.host, this.port, this.path, this._header,
        end ? data ?? null : undefined, (event, ...rest) => this[`_on${event}`](...rest));
      if (end) {
        process.nextTick(done);
        return;
      }
    }
    this._queue.push({ data, end, done });
    if (this._queue.length === 1) this._next();
  }

  _next() {
    const item = this._queue[0];
    if (!item) return;
    this.socket?._refresh();
    const over = (error) => {
      this._queue.shift();
      item.done(this.destroyed ? undefined : error);
      this._next();
    };
    const finish = (error) => {
      if (item.end && !error) this._handle.end(this._trailer);
      over(error);
    };
    if (item.data === undefined || item.data.length === 0) process.nextTick(finish);
    else this._handle.write(item.data, finish);
  }

  _onsocket(reused, local, remote) {
    this.reusedSocket = reused;
    if (!this.destroyed) this._connection._connected(reused, local, remote);
  }

  _oninformation(status, flat) {
    if (status === 100) this.emit('continue');
    const message = new IncomingMessage(null);
    message._begin(1, flat, undefined);
    this.emit('information', {
      statusCode: status, statusMessage: '', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1,
      headers: message.headers, rawHeaders: flat,
    });
  }

  _message(status, text, minor, flat) {
    const res = new IncomingMessage(this._connection);
    res._begin(minor, flat, this._handle);
    res.statusCode = status;
    res.statusMessage = text;
    res.req = this;
    this.res = res;
    return res;
  }

  _onresponse(status, text, minor, flat) {
    if (this.destroyed) {
      this._handle.abort();
      return;
    }
    const res = this._message(status, text, minor, flat);
    this.socket?._refresh();
    res.once('close', () => this._over());
    if (!this.emit('response', res)) res._dump();
  }

  _onupgrade(status, text, minor, flat, handle) {
    const socket = new Socket({ handle, allowHalfOpen: true, manualStart: true });
    if (this.protocol === 'https:') socket.encrypted = true;
    const res = this._message(status, text, minor, flat);
    res._source = undefined;
    res.complete = true;
    res.upgrade = true;
    res.socket = socket;
    if (this.listenerCount('upgrade') === 0) {
      socket.destroy();
      return;
    }
    this.emit('upgrade', res, socket, Buffer.alloc(0));
    this._over();
  }

  _onerror(error) {
    if (this.destroyed) return;
    this.destroy(error);
  }

  abort() {
    if (this.aborted) return;
    this.aborted = true;
    process.nextTick(() => this.emit('abort'));
    this.destroy();
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    this._connection.destroy(error);
    return this;
  }

  // The socket is gone, for whatever reason.
  _gone(error) {
    this._handle?.abort();
    this.destroyed = true;
    const { res } = this;
    process.nextTick(() => {
      if (res) {
        if (!res.complete) res._cut(error);
      } else if (!this._closed) {
        if (!error) {
          error = new Error('socket hang up');
          error.code = 'ECONNRESET';
        }
        if (!this._closed) this.emit('error', error);
      }
      if (!res || res.complete) this._over();
    });
  }

  clearTimeout(callback) { return this.setTimeout(0, callback); }
  setNoDelay(on) { this._connection.setNoDelay(on); }
  setSocketKeepAlive(on, delay) { this._connection.setKeepAlive(on, delay); }
  setTimeout(ms, callback) {
    if (callback) this.once('timeout', callback);
    this.timeout = ms;
    this._connection.setTimeout(ms);
    return this;
  }
}

module.exports = { ClientRequest };
