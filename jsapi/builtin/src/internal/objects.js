'use strict';
// Newer functions of Object, Array, Promise, String; stand-ins for what a garbage collector would have to tell.

module.exports = (define, missing) => {
  // Old, and still what delegates, and so koa, is made with.
  for (const [kind, flag] of [['Getter', 'get'], ['Setter', 'set']]) {
    missing(Object.prototype, `__define${kind}__`, function (name, f) {
      Object.defineProperty(this, name, { [flag]: f, enumerable: true, configurable: true });
    });
    missing(Object.prototype, `__lookup${kind}__`, function (name) {
      for (let o = Object(this); o !== null; o = Object.getPrototypeOf(o)) {
        const d = Object.getOwnPropertyDescriptor(o, name);
        if (d) return d[flag];
      }
      return undefined;
    });
  }
  missing(Object, 'groupBy', function groupBy(items, key) {
    const groups = Object.create(null);
    let i = 0;
    for (const item of items) (groups[key(item, i++)] ??= []).push(item);
    return groups;
  });
  missing(Map, 'groupBy', function groupBy(items, key) {
    const groups = new Map();
    let i = 0;
    for (const item of items) {
      const k = key(item, i++);
      const group = groups.get(k);
      if (group) group.push(item);
      else groups.set(k, [item]);
    }
    return groups;
  });
  missing(Array, 'fromAsync', async function fromAsync(items, map, self) {
    const out = typeof this === 'function' && this !== Array ? new this() : [];
    let i = 0;
    const add = async (item) => {
      const value = map ? await map.call(self, item, i) : item;
      Object.defineProperty(out, i++, { value, writable: true, enumerable: true, configurable: true });
    };
    if (items == null) throw new TypeError(`${items} is not iterable`);
    if (items[Symbol.asyncIterator]) for await (const item of items) await add(item);
    else if (items[Symbol.iterator]) for (const item of items) await add(await item);
    else for (let n = 0; n < (items.length >>> 0); n++) await add(await items[n]);
    out.length = i;
    return out;
  });
  missing(Promise, 'withResolvers', function withResolvers() {
    const all = {};
    all.promise = new this((resolve, reject) => { all.resolve = resolve; all.reject = reject; });
    return all;
  });
  missing(Promise, 'try', function attempt(f, ...args) {
    return new this((resolve) => resolve(f(...args)));
  });

  const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
  const everyLone = new RegExp(lone.source, 'g');
  missing(String.prototype, 'isWellFormed', function isWellFormed() { return !lone.test(String(this)); });
  missing(String.prototype, 'toWellFormed', function toWellFormed() { return String(this).replace(everyLone, '\ufffd'); });

  // goja's collector tells nothing of what it took, so a reference holds for ever.
  if (typeof WeakRef === 'undefined') {
    define(globalThis, 'WeakRef', class WeakRef {
      #target;
      constructor(target) {
        if (target === null || typeof target !== 'object' && typeof target !== 'function' && typeof target !== 'symbol') {
          throw new TypeError('WeakRef: target must be an object');
        }
        this.#target = target;
      }

      deref() { return this.#target; }
    });
    Object.defineProperty(WeakRef.prototype, Symbol.toStringTag, { value: 'WeakRef', configurable: true });
  }
  if (typeof FinalizationRegistry === 'undefined') {
    define(globalThis, 'FinalizationRegistry', class FinalizationRegistry {
      constructor(cleanup) {
        if (typeof cleanup !== 'function') throw new TypeError('FinalizationRegistry: cleanup must be callable');
      }

      register() {}

      unregister() { return false; }
    });
    Object.defineProperty(FinalizationRegistry.prototype, Symbol.toStringTag, { value: 'FinalizationRegistry', configurable: true });
  }
};
