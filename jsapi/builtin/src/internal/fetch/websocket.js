'use strict';
const { Event, EventTarget, handler } = require('../event-target.js');
const { Blob } = require('node:buffer');
const { DOMException } = require('../errors.js');
const { token } = require('../http/header.js');
const native = internalBinding('websocket');

class MessageEvent extends Event {
  constructor(type, init = {}) {
    super(type, init);
    const { data = null, origin = '', lastEventId = '', source = null, ports = [] } = init;
    Object.assign(this, { data, origin, lastEventId, source, ports });
  }
}
class CloseEvent extends Event {
  constructor(type, init = {}) {
    super(type, init);
    const { wasClean = false, code = 0, reason = '' } = init;
    Object.assign(this, { wasClean, code, reason });
  }
}
class ErrorEvent extends Event {
  constructor(type, init = {}) {
    super(type, init);
    const { message = '', error = null } = init;
    Object.assign(this, { message, error });
  }
}

class WebSocket extends EventTarget {
  #native;
  #state = 0;
  #buffered = 0;
  #type = 'blob';
  #protocol = '';
  constructor(url, options = []) {
    super();
    let to;
    try {
      to = new URL(`${url}`);
    } catch {
      throw new DOMException(`Invalid URL: ${url}`, 'SyntaxError');
    }
    to.protocol = to.protocol.replace(/^http/, 'ws');
    if (to.protocol !== 'ws:' && to.protocol !== 'wss:') throw new DOMException(`Expected a ws: or wss: protocol, got ${to.protocol}`, 'SyntaxError');
    if (to.hash || to.href.endsWith('#')) throw new DOMException('Got fragment', 'SyntaxError');
    const isList = typeof options === 'string' || Array.isArray(options);
    const protocols = [].concat(isList ? options : options?.protocols ?? []);
    if (new Set(protocols.map((p) => `${p}`.toLowerCase())).size !== protocols.length || protocols.some((p) => !token.test(p))) {
      throw new DOMException('Invalid Sec-WebSocket-Protocol value', 'SyntaxError');
    }
    const flat = isList ? [] : Object.entries(options?.headers ?? {}).flat().map(String);
    Object.defineProperty(this, 'url', { value: to.href, enumerable: true });
    this.#native = native.connect(to.href, protocols, flat, (event, ...rest) => this.#on(event, ...rest));
  }

  #on(event, a, b, c) {
    switch (event) {
      case 'open':
        if (this.#state !== 0) return;
        this.#state = 1;
        this.#protocol = a;
        this.dispatchEvent(new Event('open'));
        break;
      case 'message': {
        if (this.#state !== 1) return;
        const data = typeof a === 'string' ? a : this.#type === 'blob' ? new Blob([a]) : a;
        this.dispatchEvent(new MessageEvent('message', { data, origin: new URL(this.url).origin }));
        break;
      }
      case 'sent':
        this.#buffered -= a;
        break;
      case 'error':
        this.dispatchEvent(new ErrorEvent('error', { message: a, error: new Error(a) }));
        break;
      default: {
        const was = this.#state;
        this.#state = 3;
        if (!c && was === 1) this.dispatchEvent(new ErrorEvent('error', { message: 'the connection was lost', error: new Error('the connection was lost') }));
        this.dispatchEvent(new CloseEvent('close', { code: a, reason: b, wasClean: c }));
      }
    }
  }

  send(data) {
    if (this.#state === 0) throw new DOMException('Sent before connected.', 'InvalidStateError');
    if (this.#state !== 1) return;
    if (data instanceof Blob) {
      data.arrayBuffer().then((bytes) => this.send(bytes));
      return;
    }
    if (typeof data !== 'string' && !ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) data = `${data}`;
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    this.#buffered += size;
    if (!this.#native.send(data)) this.#native.close(1001, 'too much waits to be sent');
  }

  close(code, reason) {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) throw new DOMException('invalid code', 'InvalidAccessError');
    if (reason !== undefined && Buffer.byteLength(`${reason}`) > 123) throw new DOMException('Reason must be less than 123 bytes', 'SyntaxError');
    if (this.#state >= 2) return;
    this.#state = 2;
    this.#native.close(code, reason === undefined ? '' : `${reason}`);
  }

  get readyState() { return this.#state; }
  get bufferedAmount() { return this.#buffered; }
  get extensions() { return ''; }
  get protocol() { return this.#protocol; }
  get binaryType() { return this.#type; }
  set binaryType(type) { if (type === 'blob' || type === 'arraybuffer') this.#type = type; }
  get [Symbol.toStringTag]() { return 'WebSocket'; }
}
for (const type of ['open', 'message', 'error', 'close']) handler(WebSocket.prototype, type);
for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
  for (const object of [WebSocket, WebSocket.prototype]) Object.defineProperty(object, name, { value, enumerable: true });
}

module.exports = { WebSocket, MessageEvent, CloseEvent, ErrorEvent };
