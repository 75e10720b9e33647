'use strict';
// Plain WebSockets under /app/.
const EventEmitter = require('node:events');
const { IncomingMessage } = require('node:http');
const { coded, check } = require('../internal/errors.js');
const { Request } = require('./app-messages.js');
const { compile } = require('./app-pattern.js');
const native = internalBinding('app');

const routes = [];

/** Socket is one client: message(data, binary), drain, close(code, reason), error. */
class Socket extends EventEmitter {
  constructor(handle, protocol) {
    super();
    this.protocol = protocol;
    this.readyState = Socket.OPEN;
    this._handle = handle;
  }

  get bufferedAmount() { return this._handle?.waiting() ?? 0; }

  /** send gives false where it is time to wait for drain; a client that is much too slow is cut. */
  send(data) {
    if (this.readyState !== Socket.OPEN) return false;
    return this._handle.send(typeof data === 'string' || ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data : String(data));
  }

  close(code, reason) {
    if (this.readyState !== Socket.OPEN) return;
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code < 5000) && !(code >= 1001 && code <= 1013 && ![1004, 1005, 1006].includes(code))) {
      throw coded(RangeError, 'ERR_OUT_OF_RANGE', `a WebSocket is not closed with ${code}; 1000, 1001 to 1013 and 3000 to 4999 can be had`);
    }
    this.readyState = Socket.CLOSING;
    this._handle.close(code, reason === undefined ? '' : String(reason));
  }

  terminate() { this._handle?.terminate(); }
  pause() { this._handle?.pause(true); }
  resume() { this._handle?.pause(false); }

  _end(code, reason) {
    this.readyState = Socket.CLOSED;
    this._handle = undefined;
    this.emit('close', code, reason);
  }
}
Object.assign(Socket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });

/** route adds a handler for WebSockets; it gives their set, with broadcast(data). */
exports.route = (pattern, options, handler) => {
  if (typeof options === 'function') [options, handler] = [{}, options];
  check.function(handler, 'handler');
  const { protocols = [], origins, maxMessage = 0, maxBuffered = 0 } = options;
  const group = native.group();
  const clients = new Set();
  const entry = { match: compile(pattern, true), protocols, origins, maxMessage, maxBuffered, handler, group, clients };
  routes.push(entry);
  require('./app-http.js').http.server; // what is no WebSocket gets an answer too
  return {
    clients,
    get size() { return clients.size; },
    broadcast: (data) => group.broadcast(typeof data === 'string' || ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data : String(data)),
    close() { routes.splice(routes.indexOf(entry), 1); },
  };
};

function requestOf(method, url, flat) {
  const headers = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i].toLowerCase();
    headers[name] = name in headers ? `${headers[name]}, ${flat[i + 1]}` : flat[i + 1];
  }
  const req = new IncomingMessage(undefined);
  req.method = method;
  req.url = url;
  Object.defineProperty(req, 'headers', { value: headers, configurable: true, writable: true });
  Object.defineProperty(req, 'socket', { value: {}, configurable: true, writable: true });
  Object.setPrototypeOf(req, Request.prototype);
  req.arrive('/app');
  return req;
}

/** upgraded is told of a request for another protocol. */
exports.upgraded = (handle, method, url, flat) => {
  const req = requestOf(method, url, flat);
  const { path } = req;
  const websocket = req.headers.upgrade?.toLowerCase() === 'websocket';
  for (const route of websocket ? routes : []) {
    const found = route.match(path);
    if (!found) continue;
    req.params = found.params;
    if (route.origins && !route.origins.includes('*') && !route.origins.includes(req.headers.origin)) {
      handle.refuse(403, ['Content-Type', 'text/plain; charset=utf-8'], 'pages of this origin may not connect\n');
      return;
    }
    accept(handle, route, req);
    return;
  }
  const server = require('./app-http.js').serving();
  if (server?.listenerCount('upgrade') > 0) handle.pass();
  else handle.refuse(404, ['Content-Type', 'text/plain; charset=utf-8'], `there is no WebSocket ${req.originalUrl.split('?')[0]}\n`);
};

function accept(handle, route, req) {
  let socket;
  handle.accept(route.group.native, route.protocols, route.maxMessage, route.maxBuffered, (event, a, b) => {
    switch (event) {
      case 'open':
        socket = new Socket(a, b);
        route.clients.add(socket);
        open(route, socket, req);
        break;
      case 'message':
        if (socket.readyState === Socket.OPEN) socket.emit('message', b ? Buffer.from(a) : a, b);
        break;
      case 'drain':
        socket.emit('drain');
        break;
      case 'close':
        if (!socket) return; // the handshake failed
        route.clients.delete(socket);
        socket._end(a, b);
        break;
      default:
    }
  });
}

function open(route, socket, req) {
  const failed = (error) => {
    console.error(`WebSocket ${req.originalUrl.split('?')[0]}:`, error);
    if (socket.readyState === Socket.OPEN) socket.close(1011, 'the app failed');
  };
  try {
    const done = route.handler(socket, req);
    if (typeof done?.then === 'function') done.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

exports.Socket = Socket;
