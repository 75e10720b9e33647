'use strict';
const { Headers } = require('./headers.js');
const { Body, extract, bodyOf, markUsed } = require('./body.js');
const { token } = require('../http/header.js');

const upper = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

class Request extends Body {
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : undefined;
    let url;
    try {
      url = from ? from.url : new URL(`${input?.href ?? input}`).href;
    } catch (error) {
      throw new TypeError(`Failed to parse URL from ${input}`, { cause: error });
    }
    const { username, password } = new URL(url);
    if (username || password) throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url}`);
    let method = `${init.method ?? from?.method ?? 'GET'}`;
    if (!token.test(method) || /^(connect|trace|track)$/i.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
    if (upper.has(method.toUpperCase())) method = method.toUpperCase();
    const given = init.body !== undefined ? init.body : null;
    if (given !== null && (method === 'GET' || method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
    let body = extract(given);
    if (body?.chunks && init.duplex !== 'half') throw new TypeError('RequestInit: duplex option is required when sending a body.');
    if (!body && from && init.body === undefined) {
      body = bodyOf(from);
      if (body) {
        if (from.bodyUsed) throw new TypeError('Cannot construct a Request with a Request object that has already been used.');
        markUsed(from);
      }
    }
    super(body);
    const headers = new Headers(init.headers ?? from?.headers);
    if (body?.type && !headers.has('content-type')) headers.set('content-type', body.type);
    Object.assign(this, {
      method, url, headers, redirect: init.redirect ?? from?.redirect ?? 'follow', signal: init.signal ?? from?.signal ?? new AbortController().signal,
      mode: init.mode ?? from?.mode ?? 'cors', credentials: init.credentials ?? 'same-origin', cache: init.cache ?? 'default',
      referrer: 'about:client', referrerPolicy: '', integrity: init.integrity ?? '', keepalive: !!init.keepalive, duplex: 'half', destination: '',
    });
    if (!/^(follow|error|manual)$/.test(this.redirect)) throw new TypeError(`Request constructor: ${this.redirect} is not an accepted type. Expected one of follow, error, manual.`);
  }

  clone() {
    const body = this._split();
    const other = new Request(this.url, { method: this.method, headers: this.headers, redirect: this.redirect, signal: this.signal });
    return body ? withBody(Request, other, body) : other;
  }

  get [Symbol.toStringTag]() { return 'Request'; }
}

/** withBody is a copy of a message with a body of our own. */
function withBody(Class, like, body) {
  const other = Object.create(Class.prototype);
  const holder = new Body(body);
  for (const key of Object.getOwnPropertySymbols(holder)) Object.defineProperty(other, key, Object.getOwnPropertyDescriptor(holder, key));
  return Object.assign(other, like);
}

class Response extends Body {
  constructor(body = null, init = {}) {
    const status = init.status ?? 200;
    if (!(status >= 200 && status <= 599) || !Number.isInteger(status)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    const made = extract(body);
    if (made && (status === 204 || status === 205 || status === 304)) throw new TypeError(`Response constructor: Invalid response status code ${status}`);
    super(made);
    const headers = new Headers(init.headers);
    if (made?.type && !headers.has('content-type')) headers.set('content-type', made.type);
    Object.assign(this, { status, statusText: `${init.statusText ?? ''}`, headers, type: 'default', url: '', redirected: false });
  }

  /** _of is a response that came over the network. */
  static _of(fields, body) {
    return withBody(Response, fields, body);
  }

  static error() { return Response._of({ status: 0, statusText: '', headers: new Headers(), type: 'error', url: '', redirected: false }, null); }
  static json(data, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(data), { ...init, headers });
  }

  static redirect(url, status = 302) {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new Response(null, { status, headers: { location: new URL(`${url}`).href } });
  }

  get ok() { return this.status >= 200 && this.status <= 299; }
  clone() {
    const body = this._split();
    const { status, statusText, headers, type, url, redirected } = this;
    return Response._of({ status, statusText, headers: new Headers(headers), type, url, redirected }, body);
  }

  get [Symbol.toStringTag]() { return 'Response'; }
}

module.exports = { Request, Response };
