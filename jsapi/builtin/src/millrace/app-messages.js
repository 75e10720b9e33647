'use strict';
// Requests and responses of routes: Node's, with what Express programs are used to.
const { IncomingMessage, ServerResponse, STATUS_CODES } = require('node:http');
const { extname, basename } = require('node:path');
const querystring = require('node:querystring');
const { coded } = require('../internal/errors.js');
const { types } = require('./app-types.js');

class Request extends IncomingMessage {
  /** arrive takes the base off the URL, and puts the viewer in the proxy's place. */
  arrive(base) {
    this.originalUrl = this.url;
    this.baseUrl = base;
    const rest = this.url.slice(base.length);
    this.url = rest.startsWith('/') ? rest : `/${rest}`;
    this.params = {};
    const address = this.headers['x-forwarded-for'];
    const define = (name, value) => Object.defineProperty(this.socket, name, { value, configurable: true, writable: true });
    define('remoteAddress', address);
    define('remoteFamily', address?.includes(':') ? 'IPv6' : 'IPv4');
    if (this.headers['x-forwarded-proto'] === 'https') define('encrypted', true);
  }

  get ip() { return this.socket?.remoteAddress; }
  get protocol() { return this.socket?.encrypted ? 'https' : 'http'; }
  get secure() { return this.protocol === 'https'; }
  get host() { return this.headers.host; }
  get hostname() { return this.headers.host?.replace(/:\d+$/, ''); }
  get path() { return this.url.split('?')[0]; }
  get xhr() { return this.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest'; }
  get query() {
    const i = this.url.indexOf('?');
    return { ...querystring.parse(i < 0 ? '' : this.url.slice(i + 1)) };
  }

  get(name) { return this.headers[String(name).toLowerCase()]; }
  header(name) { return this.get(name); }

  async bytes(limit = 1 << 20) {
    const parts = [];
    let size = 0;
    for await (const part of this.iterator({ destroyOnReturn: false })) { // the request must live to be answered
      if ((size += part.length) > limit) {
        throw coded(Error, 'ERR_BODY_TOO_LARGE', `the body is larger than ${limit} bytes`, { status: 413, expose: true });
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  async text(limit) { return (await this.bytes(limit)).toString(); }

  async json(limit) {
    const text = await this.text(limit);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw Object.assign(new SyntaxError(`the body is no JSON: ${error.message}`), { status: 400, expose: true });
    }
  }
}

class Response extends ServerResponse {
  status(code) {
    this.statusCode = code;
    return this;
  }

  set(name, value) {
    if (typeof name === 'object') for (const key of Object.keys(name)) this.setHeader(key, name[key]);
    else this.setHeader(name, value);
    return this;
  }

  header(name, value) { return this.set(name, value); }
  get(name) { return this.getHeader(name); }
  append(name, value) {
    this.appendHeader(name, value);
    return this;
  }

  type(name) {
    this.setHeader('Content-Type', name.includes('/') ? name : types[name.replace(/^\./, '')] ?? 'application/octet-stream');
    return this;
  }

  json(value) {
    if (!this.hasHeader('Content-Type')) this.type('json');
    return this.send(JSON.stringify(value) ?? 'null');
  }

  send(body) {
    if (body !== null && typeof body === 'object' && !(body instanceof Uint8Array)) return this.json(body);
    if (typeof body === 'number' || typeof body === 'boolean') return this.json(body);
    if (!this.hasHeader('Content-Type') && body !== undefined) this.type(typeof body === 'string' ? 'html' : 'bin');
    const bytes = typeof body === 'string' ? Buffer.from(body) : body ?? Buffer.alloc(0);
    if (this.statusCode !== 204 && this.statusCode !== 304) this.setHeader('Content-Length', bytes.length);
    this.end(this.req.method === 'HEAD' ? undefined : bytes);
    return this;
  }

  sendStatus(code) { return this.status(code).type('txt').send(STATUS_CODES[code] ?? String(code)); }

  redirect(status, to) {
    if (to === undefined) [status, to] = [302, status];
    return this.status(status).set('Location', encodeURI(to).replaceAll('%25', '%')).type('txt').send(`see ${to}\n`);
  }

  cookie(name, value, { maxAge, domain, path = '/', secure, httpOnly, sameSite, expires } = {}) {
    const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${path}`];
    if (maxAge !== undefined) parts.push(`Max-Age=${Math.floor(maxAge / 1000)}`);
    if (expires) parts.push(`Expires=${expires.toUTCString()}`);
    if (domain) parts.push(`Domain=${domain}`);
    if (secure) parts.push('Secure');
    if (httpOnly) parts.push('HttpOnly');
    if (sameSite) parts.push(`SameSite=${sameSite === true ? 'Strict' : sameSite}`);
    return this.append('Set-Cookie', parts.join('; '));
  }

  attachment(name) {
    if (name) this.type(extname(name));
    return this.set('Content-Disposition', name ? `attachment; filename="${basename(name).replaceAll('"', '')}"` : 'attachment');
  }

  async sendFile(path, options) { await require('./app-static.js').sendFile(this.req, this, path, options); }
}

module.exports = { Request, Response };
