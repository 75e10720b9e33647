'use strict';
// Iterator and its helpers.

module.exports = (define, missing) => {
  const proto = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  let Iterator = globalThis.Iterator;
  if (typeof Iterator !== 'function') {
    Iterator = function Iterator() {
      if (new.target === undefined || new.target === Iterator) throw new TypeError('Iterator is abstract: extend it');
    };
    Object.defineProperty(Iterator, 'prototype', { value: proto });
    // Accessors, by the standard: packages that set them on an iterator of their own must not fail.
    for (const [key, value] of [['constructor', Iterator], [Symbol.toStringTag, 'Iterator']]) {
      Object.defineProperty(proto, key, {
        get: () => value,
        set(own) {
          if (this === proto) throw new TypeError(`Iterator.prototype.${String(key)} cannot be replaced`);
          Object.defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true });
        },
        enumerable: false, configurable: true,
      });
    }
    define(globalThis, 'Iterator', Iterator);
  }
  missing(Iterator, 'from', function from(value) {
    const it = value?.[Symbol.iterator]?.() ?? value;
    if (it === null || typeof it !== 'object') throw new TypeError(`${String(value)} is not iterable`);
    if (it instanceof Iterator) return it;
    return wrap(it);
  });

  const helper = Object.create(proto, {
    next: { value() { return this.generator.next(); }, writable: true, configurable: true },
    return: {
      value(v) {
        if (!this.started) { this.started = true; this.source.return?.(); }
        return this.generator.return(v);
      }, writable: true, configurable: true,
    },
    [Symbol.toStringTag]: { value: 'Iterator Helper', configurable: true },
  });
  const wrapped = Object.create(proto, {
    next: { value() { return this.source.next(); }, writable: true, configurable: true },
    return: { value(v) { return this.source.return?.(v) ?? { done: true, value: v }; }, writable: true, configurable: true },
  });
  const hidden = (value) => ({ value, enumerable: false, writable: true });
  const wrap = (source) => Object.create(wrapped, { source: hidden(source) });

  function lazily(source, generate) {
    return Object.create(helper, { generator: hidden(generate(source)), source: hidden(source), started: hidden(false) });
  }
  const each = (it) => ({ [Symbol.iterator]: () => ({ next: () => it.next(), return: (v) => it.return?.(v) ?? { done: true } }) });
  const callable = (f) => { if (typeof f !== 'function') throw new TypeError(`${String(f)} is not a function`); };
  const count = (n) => {
    const number = Number(n);
    if (Number.isNaN(number) || number < 0) throw new RangeError(`${String(n)} must be positive`);
    return Math.trunc(number);
  };

  missing(proto, 'map', function map(f) {
    callable(f);
    return lazily(this, function* (it) { let i = 0; for (const v of each(it)) yield f(v, i++); });
  });
  missing(proto, 'filter', function filter(f) {
    callable(f);
    return lazily(this, function* (it) { let i = 0; for (const v of each(it)) if (f(v, i++)) yield v; });
  });
  missing(proto, 'take', function take(n) {
    let left = count(n);
    return lazily(this, function* (it) {
      if (left === 0) { it.return?.(); return; }
      for (const v of each(it)) { yield v; if (--left === 0) return; }
    });
  });
  missing(proto, 'drop', function drop(n) {
    let left = count(n);
    return lazily(this, function* (it) { for (const v of each(it)) if (left > 0) left--; else yield v; });
  });
  missing(proto, 'flatMap', function flatMap(f) {
    callable(f);
    return lazily(this, function* (it) {
      let i = 0;
      for (const v of each(it)) {
        const inner = f(v, i++);
        if (typeof inner === 'string') throw new TypeError('a string is not flattened');
        yield* inner[Symbol.iterator] ? inner : each(inner);
      }
    });
  });
  missing(proto, 'reduce', function reduce(f, ...start) {
    callable(f);
    let i = 0;
    let sum;
    if (start.length > 0) {
      sum = start[0];
    } else {
      const first = this.next();
      if (first.done) throw new TypeError('Reduce of empty iterator with no initial value');
      sum = first.value;
      i = 1;
    }
    for (const v of each(this)) sum = f(sum, v, i++);
    return sum;
  });
  missing(proto, 'toArray', function toArray() { return [...each(this)]; });
  missing(proto, 'forEach', function forEach(f) { callable(f); let i = 0; for (const v of each(this)) f(v, i++); });
  missing(proto, 'some', function some(f) { callable(f); let i = 0; for (const v of each(this)) if (f(v, i++)) return true; return false; });
  missing(proto, 'every', function every(f) { callable(f); let i = 0; for (const v of each(this)) if (!f(v, i++)) return false; return true; });
  missing(proto, 'find', function find(f) { callable(f); let i = 0; for (const v of each(this)) if (f(v, i++)) return v; return undefined; });
};
