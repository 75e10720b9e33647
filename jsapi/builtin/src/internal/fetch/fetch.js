'use strict';
const { Headers } = require('./headers.js');
const { Request, Response } = require('./messages.js');
const { bodyOf, collect, asBytes, markUsed } = require('./body.js');
const { DOMException } = require('../errors.js');
const native = internalBinding('http');

let agent;
const CODINGS = new Set(['gzip', 'x-gzip', 'deflate', 'br']);
const MOST = 20; // redirects, as the standard has it

function failed(cause) { return new TypeError('fetch failed', { cause }); }

/** send makes one exchange: { status, text, flat, handle }. */
function send(url, method, headers, body, signal) {
  agent ??= native.agent({ keepAlive: true, timeout: 4000, rejectUnauthorized: process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0' ? false : undefined });
  const flat = [];
  for (const [name, value] of headers) flat.push(name, value);
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (!headers.has('host')) flat.push('Host', url.host);
  return new Promise((done, fail) => {
    let over = false;
    const handle = native.request(agent, method, url.protocol.slice(0, -1), host, port, `${url.pathname}${url.search}`, flat,
      body?.chunks ? undefined : body, (event, ...rest) => {
        if (event === 'response') {
          const [status, text, , fields] = rest;
          done({ status, text, flat: fields, handle });
        } else if (event === 'error') {
          over = true;
          fail(rest[0]);
        } else if (event === 'upgrade') {
          rest[4].close();
          fail(new Error('unexpected upgrade'));
        }
      });
    const stop = () => {
      over = true;
      handle.abort();
      fail(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    if (body?.chunks) pump(handle, body, () => over).catch((error) => { handle.abort(); fail(error); });
  });
}

/** pump sends a body piece by piece, each when the last one is on its way. */
async function pump(handle, body, over) {
  for await (const chunk of { [Symbol.asyncIterator]: body.chunks }) {
    if (over()) return;
    await new Promise((done, fail) => { handle.write(asBytes(chunk), (error) => (error ? fail(error) : done())); });
  }
  handle.end();
}

/** received is the body of an answer, read as it is wanted. */
function received(handle, signal) {
  const read = () => new Promise((done, fail) => {
    handle.read((error, bytes) => {
      if (signal.aborted) fail(signal.reason);
      else if (error) fail(Object.assign(new TypeError('terminated'), { cause: error }));
      else done(bytes);
    });
  });
  return {
    async* chunks() {
      let whole = false;
      try {
        for (let bytes = await read(); bytes !== undefined; bytes = await read()) yield new Uint8Array(bytes);
        whole = true;
      } finally {
        if (!whole) handle.abort();
      }
    },
    cancel() { handle.abort(); },
  };
}

function data(url) {
  const m = /^data:([^,]*?)(;base64)?,(.*)$/s.exec(url.href);
  if (!m) throw failed(new Error('invalid data: URL'));
  const text = decodeURIComponent(m[3]);
  return new Response(m[2] ? Buffer.from(text, 'base64') : text, { headers: { 'content-type': m[1] || 'text/plain;charset=US-ASCII' } });
}

async function fetch(input, init) {
  const request = new Request(input, init);
  const { signal } = request;
  if (signal.aborted) throw signal.reason ?? new DOMException('This operation was aborted', 'AbortError');
  let url = new URL(request.url);
  if (url.protocol === 'data:') return data(url);
  let body = bodyOf(request);
  let { method } = request;
  const headers = new Headers(request.headers);
  if (body) markUsed(request);
  if (body && !body.chunks) body = await collect(body);
  const defaults = { accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': request.mode, 'user-agent': 'node', 'accept-encoding': url.protocol === 'https:' ? 'br, gzip, deflate' : 'gzip, deflate' };
  for (const [name, value] of Object.entries(defaults)) if (!headers.has(name)) headers.set(name, value);
  for (let n = 0; ; n++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw failed(new Error('unknown scheme'));
    const fields = new Headers(headers);
    if (body && !body.chunks) fields.set('content-length', body.length);
    else if (!body && (method === 'POST' || method === 'PUT' || method === 'PATCH')) fields.set('content-length', '0');
    let answer;
    try {
      answer = await send(url, method, fields, body ?? null, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error instanceof TypeError ? error : failed(error);
    }
    const { status, text, flat, handle } = answer;
    const answered = new Headers();
    for (let i = 0; i < flat.length; i += 2) answered.append(flat[i], flat[i + 1]);
    const location = answered.get('location');
    if (location !== null && [301, 302, 303, 307, 308].includes(status) && request.redirect !== 'manual') {
      handle.abort();
      if (request.redirect === 'error') throw failed(new Error('unexpected redirect'));
      if (n >= MOST) throw failed(new Error('redirect count exceeded'));
      const to = new URL(location, url);
      if (!to.hash) to.hash = url.hash;
      if (status !== 303 && body?.chunks) throw failed(new Error('a streamed body cannot be sent again'));
      if ((status === 301 || status === 302) && method === 'POST' || status === 303 && method !== 'GET' && method !== 'HEAD') {
        method = 'GET';
        body = null;
        for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']) headers.delete(name);
      }
      if (to.origin !== url.origin) for (const name of ['authorization', 'proxy-authorization', 'cookie', 'host']) headers.delete(name);
      url = to;
      continue;
    }
    const empty = method === 'HEAD' || status === 204 || status === 304 || status === 205;
    const coding = answered.get('content-encoding')?.toLowerCase().trim();
    if (!empty && CODINGS.has(coding)) handle.decode(coding);
    if (empty) handle.abort();
    url.hash = '';
    return Response._of({ status, statusText: text, headers: answered, type: 'basic', url: url.href, redirected: n > 0 }, empty ? null : received(handle, signal));
  }
}

module.exports = { fetch, Headers, Request, Response, FormData: require('./form.js').FormData };
