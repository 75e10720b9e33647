'use strict';
const { coded } = require('../errors.js');
const { OutgoingMessage, sent } = require('./outgoing.js');
const { validateHeaderName, validateHeaderValue, STATUS_CODES } = require('./header.js');

const ABSENT = '\0'; // a field that the native side must not add

class ServerResponse extends OutgoingMessage {
  constructor(req, options) {
    super(options);
    this.req = req;
    this.statusCode = 200;
    this.statusMessage = undefined;
    this.sendDate = true;
    this._exchange = undefined;
    if (req.method === 'HEAD') this._hasBody = false;
    if (req.httpVersionMinor !== 1) this.useChunkedEncodingByDefault = false;
  }

  _begin(exchange, socket) {
    this._exchange = exchange;
    this.socket = socket;
  }

  assignSocket(socket) { this.socket = socket; }
  detachSocket() { this.socket = null; }

  writeHead(status, message, headers) {
    if (this._header) throw sent('write');
    const code = status | 0;
    if (code < 100 || code > 999) {
      throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
    }
    if (typeof message === 'string') this.statusMessage = message;
    else headers ??= message;
    this.statusMessage ||= STATUS_CODES[code] || 'unknown';
    this.statusCode = code;
    if (/[^\t\x20-\x7e\x80-\xff]/.test(this.statusMessage)) throw coded(TypeError, 'ERR_INVALID_CHAR', 'Invalid character in statusMessage');
    if (headers) this._add(headers);
    if (code === 204 || code === 304 || code < 200) this._hasBody = false;
    const fields = this._fields ?? {};
    const flat = this._flat();
    const chunked = fields['transfer-encoding'] && /chunked/i.test(`${fields['transfer-encoding'][1]}`);
    if (fields['content-length'] === undefined && !chunked && this._hasBody && !this._removed?.has('content-length') &&
      typeof this._contentLength === 'number' && this._trailer.length === 0) {
      flat.push('Content-Length', `${this._contentLength}`);
    } else if (fields['content-length'] === undefined && !chunked && this._hasBody && this.useChunkedEncodingByDefault &&
      !this._removed?.has('transfer-encoding')) {
      flat.push('Transfer-Encoding', 'chunked');
    }
    if (!this.sendDate && fields.date === undefined) flat.push('Date', ABSENT);
    if (fields.connection === undefined && !this._removed?.has('connection')) {
      const server = this.socket?.server;
      if (!this.shouldKeepAlive) flat.push('Connection', 'close');
      else if (server) {
        flat.push('Connection', 'keep-alive');
        if (server.keepAliveTimeout && this.req.httpVersionMinor === 1) {
          flat.push('Keep-Alive', `timeout=${Math.floor(server.keepAliveTimeout / 1000)}`);
        }
      }
    }
    this._header = flat;
    return this;
  }

  _add(headers) {
    if (!Array.isArray(headers)) {
      for (const name of Object.keys(headers)) if (name) this.setHeader(name, headers[name]);
      return;
    }
    const pairs = headers.length > 0 && Array.isArray(headers[0]) ? headers : [];
    if (pairs.length === 0) {
      if (headers.length % 2 !== 0) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'The argument \'headers\' is invalid');
      for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i], headers[i + 1]]);
    }
    for (const [name] of pairs) this.removeHeader(name);
    this._removed = undefined;
    for (const [name, value] of pairs) this.appendHeader(name, value);
  }

  writeHeader(...args) { return this.writeHead(...args); }
  _implicitHeader() { this.writeHead(this.statusCode); }

  _transmit(data, end, done) {
    const first = !this._headerSent;
    this._headerSent = true;
    if (first && this.statusMessage !== undefined) this._exchange.reason(this.statusMessage);
    this.socket?._refresh?.();
    this._callbacks.push(done);
    this._exchange.send(first ? this.statusCode : 0, first ? this._header : undefined, data, end,
      end && this._trailer.length > 0 ? this._trailer : undefined, (error) => {
        this.socket?._refresh?.();
        this._callbacks.shift()?.(error);
      });
  }

  writeContinue(callback) { this._inform(100, [], callback); }
  writeProcessing(callback) { this._inform(102, [], callback); }
  writeEarlyHints(hints, callback) {
    const flat = [];
    for (const [name, value] of Object.entries(hints)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      for (const one of [].concat(value)) flat.push(name, `${one}`);
    }
    this._inform(103, flat, callback);
  }

  _inform(status, flat, callback) {
    if (this._header) throw sent('write');
    this._exchange.send(status, flat, undefined, false, undefined, (error) => callback?.(error));
  }

  _abandon(error) {
    if (this.socket) this.socket.destroy(error);
    else this._exchange?.drop();
  }
}

module.exports = { ServerResponse };
