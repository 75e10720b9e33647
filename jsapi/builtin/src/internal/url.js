'use strict';
// URL over the native parser, and URLSearchParams.
const native = internalBinding('url');
const { coded } = require('./errors.js');
const { inspect } = require('./inspect.js');

const custom = Symbol.for('nodejs.util.inspect.custom');
const names = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];
const changed = Symbol('changed');

class URL {
  #parts; #params;
  constructor(input, base) {
    if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
    const text = `${input}`;
    const parts = native.parse(text, base === undefined ? undefined : `${base}`);
    if (parts === undefined) {
      throw coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL', base === undefined ? { input: text } : { input: text, base: `${base}` });
    }
    this.#parts = parts;
  }

  static canParse(input, base) { return native.parse(`${input}`, base === undefined ? undefined : `${base}`) !== undefined; }
  static parse(input, base) { return URL.canParse(input, base) ? new URL(input, base) : null; }
  static createObjectURL() { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'URL.createObjectURL() is not available'); }
  static revokeObjectURL() {}
  static part(url, i) { return url.#parts[i]; }
  static change(url, name, value) {
    const parts = native.set(url.#parts[0], name, `${value}`);
    if (parts === undefined) throw coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL', { input: `${value}` });
    url.#parts = parts;
    if (url.#params && (name === 'search' || name === 'href')) url.#params[changed](parts[9]);
  }

  get searchParams() {
    if (!this.#params) {
      this.#params = new URLSearchParams(this.#parts[9]);
      tie(this.#params, (text) => { this.#parts = native.set(this.#parts[0], 'search', text); });
    }
    return this.#params;
  }

  toString() { return this.#parts[0]; }
  toJSON() { return this.#parts[0]; }
  [custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this;
    const shown = {};
    for (const name of [...names.slice(0, 10), 'searchParams', 'hash']) shown[name] = this[name];
    return `${this.constructor.name} ${inspect(shown, options)}`;
  }
}
const { part, change } = URL;
delete URL.part;
delete URL.change;
names.forEach((name, i) => {
  Object.defineProperty(URL.prototype, name, {
    get() { return part(this, i); },
    set: name === 'origin' ? undefined : function (value) { change(this, name, value); },
    enumerable: true, configurable: true,
  });
});
for (const name of ['searchParams', 'toString', 'toJSON']) Object.defineProperty(URL.prototype, name, { enumerable: true });
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

function decode(text) {
  const plain = text.replaceAll('+', ' ');
  if (!plain.includes('%')) return plain;
  try { return decodeURIComponent(plain); } catch { return require('../node/querystring.js').unescapeBuffer(Buffer.from(plain).toString('latin1')).toString(); }
}
const encode = (text) => encodeURIComponent(text.toWellFormed()).replace(/%20|[!'()~]/g, (c) => (c === '%20' ? '+' : `%${c.charCodeAt(0).toString(16).toUpperCase()}`));

class URLSearchParams {
  #list = []; #tied;
  constructor(init) {
    if (init === undefined || init === null) return;
    if (typeof init === 'object' || typeof init === 'function') {
      if (typeof init[Symbol.iterator] === 'function') {
        for (const pair of init) {
          const both = pair !== null && typeof pair === 'object' && typeof pair[Symbol.iterator] === 'function' ? [...pair] : [];
          if (both.length !== 2) throw coded(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          this.#list.push([`${both[0]}`, `${both[1]}`]);
        }
        return;
      }
      for (const key of Reflect.ownKeys(init)) {
        if (typeof key === 'string' && Object.prototype.propertyIsEnumerable.call(init, key)) this.#list.push([key, `${init[key]}`]);
      }
      return;
    }
    this.#read(`${init}`);
  }

  static tie(params, f) { params.#tied = f; }
  #read(text) {
    this.#list = [];
    for (const pair of text.replace(/^\?/, '').split('&')) {
      if (pair === '') continue;
      const i = pair.indexOf('=');
      this.#list.push(i < 0 ? [decode(pair), ''] : [decode(pair.slice(0, i)), decode(pair.slice(i + 1))]);
    }
  }

  [changed](text) { this.#read(text); }
  #tell() { this.#tied?.(this.toString()); }
  get size() { return this.#list.length; }
  append(name, value) { this.#list.push([`${name}`, `${value}`]); this.#tell(); }
  delete(name, value) {
    this.#list = this.#list.filter(([k, v]) => k !== `${name}` || value !== undefined && v !== `${value}`);
    this.#tell();
  }

  get(name) { return this.#list.find(([k]) => k === `${name}`)?.[1] ?? null; }
  getAll(name) { return this.#list.filter(([k]) => k === `${name}`).map(([, v]) => v); }
  has(name, value) { return this.#list.some(([k, v]) => k === `${name}` && (value === undefined || v === `${value}`)); }
  set(name, value) {
    const i = this.#list.findIndex(([k]) => k === `${name}`);
    if (i < 0) {
      this.#list.push([`${name}`, `${value}`]);
    } else {
      this.#list[i] = [`${name}`, `${value}`];
      this.#list = this.#list.filter(([k], n) => n <= i || k !== `${name}`);
    }
    this.#tell();
  }

  sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#tell(); }
  forEach(f, self) { for (const [k, v] of this) f.call(self, v, k, this); }
  * entries() { for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]]; }
  * keys() { for (const [k] of this.entries()) yield k; }
  * values() { for (const [, v] of this.entries()) yield v; }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this.#list.map(([k, v]) => `${encode(k)}=${encode(v)}`).join('&'); }
  [custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return '[Object]';
    const list = this.#list.map(([k, v]) => `${inspect(k, options)} => ${inspect(v, options)}`);
    if (list.length === 0) return 'URLSearchParams {}';
    const line = list.join(', ');
    return line.length <= (options?.breakLength ?? 80) ? `URLSearchParams { ${line} }` : `URLSearchParams {\n  ${list.join(',\n  ')} }`;
  }
}
const { tie } = URLSearchParams;
delete URLSearchParams.tie;
Object.defineProperty(URLSearchParams.prototype, Symbol.toStringTag, { value: 'URLSearchParams', configurable: true });

module.exports = { URL, URLSearchParams };
require('./names.js').named(module.exports, ['URL', 'URLSearchParams']);
