'use strict';
const { validateHeaderName } = require('../http/header.js');

const bad = /[\0\r\n]|[^\0-\xff]/;
function value(v) {
  v = `${v}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (bad.test(v)) throw new TypeError(`Headers.append: ${JSON.stringify(v)} is an invalid header value.`);
  return v;
}
function name(n) {
  n = `${n}`;
  try {
    validateHeaderName(n);
  } catch {
    throw new TypeError(`Headers.append: ${n} is an invalid header name.`);
  }
  return n.toLowerCase();
}

class Headers {
  #all = new Map(); // name: [values]
  constructor(init) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object') throw new TypeError('Headers constructor: init must be an object, an array of pairs, or Headers');
    if (init instanceof Headers) for (const [n, values] of init.#all) this.#all.set(n, [...values]);
    else if (typeof init[Symbol.iterator] === 'function') {
      for (const pair of init) {
        const p = [...pair];
        if (p.length !== 2) throw new TypeError('Headers constructor: expected name/value pair to be length 2, found ' + p.length);
        this.append(p[0], p[1]);
      }
    } else for (const n of Object.keys(init)) this.append(n, init[n]);
  }

  append(n, v) {
    n = name(n);
    const had = this.#all.get(n);
    if (had) had.push(value(v));
    else this.#all.set(n, [value(v)]);
  }

  delete(n) { this.#all.delete(name(n)); }
  get(n) { return this.#all.get(name(n))?.join(', ') ?? null; }
  has(n) { return this.#all.has(name(n)); }
  set(n, v) { this.#all.set(name(n), [value(v)]); }
  getSetCookie() { return [...this.#all.get('set-cookie') ?? []]; }

  * entries() {
    for (const n of [...this.#all.keys()].sort()) {
      const values = this.#all.get(n);
      if (values === undefined) continue;
      if (n === 'set-cookie') for (const v of values) yield [n, v];
      else yield [n, values.join(', ')];
    }
  }

  * keys() { for (const [n] of this.entries()) yield n; }
  * values() { for (const [, v] of this.entries()) yield v; }
  forEach(f, self) { for (const [n, v] of this.entries()) f.call(self, v, n, this); }
  [Symbol.iterator]() { return this.entries(); }
  get [Symbol.toStringTag]() { return 'Headers'; }
  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) { return `Headers ${inspect(Object.fromEntries(this), options)}`; }
}

module.exports = { Headers };
