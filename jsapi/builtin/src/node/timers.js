'use strict';
const native = internalBinding('timers');
const { check } = require('../internal/errors.js');

const custom = Symbol.for('nodejs.util.promisify.custom');
const toPrimitive = Symbol.toPrimitive;

class Timeout {
  constructor(callback, delay, args, repeat) {
    const ms = delay >= 1 && delay <= 2147483647 ? Math.trunc(delay) : 1;
    this._idleTimeout = ms;
    this._onTimeout = callback;
    this._repeat = repeat ? ms : null;
    this._destroyed = false;
    // What runs is this callback, which a script may replace.
    const run = () => {
      if (!repeat) this._destroyed = true;
      const f = this._onTimeout;
      if (args.length === 0) f.call(this);
      else f.apply(this, args);
    };
    Object.defineProperty(this, 'id', { value: native.set(run, ms, repeat), writable: true });
  }

  ref() { native.ref(this.id, true); return this; }
  unref() { native.ref(this.id, false); return this; }
  hasRef() { return native.hasRef(this.id); }
  refresh() {
    if (native.refresh(this.id, this._idleTimeout)) this._destroyed = false;
    return this;
  }

  close() { clearTimeout(this); return this; }
  [toPrimitive]() { known.set(this.id, this); return this.id; }
  [Symbol.dispose]() { clearTimeout(this); }
}
const known = new Map(); // timers that a script turned into a number

class Immediate {
  constructor(callback, args) {
    this._onImmediate = callback;
    Object.defineProperty(this, 'id', {
      value: native.immediate(args.length === 0 ? () => callback.call(this) : () => callback.apply(this, args)),
    });
  }

  ref() { native.refImmediate(this.id, true); return this; }
  unref() { native.refImmediate(this.id, false); return this; }
  hasRef() { return native.hasRefImmediate(this.id); }
  [Symbol.dispose]() { clearImmediate(this); }
}

function setTimeout(callback, delay, ...args) {
  check.function(callback, 'callback');
  return new Timeout(callback, delay, args, false);
}
function setInterval(callback, delay, ...args) {
  check.function(callback, 'callback');
  return new Timeout(callback, delay, args, true);
}
function setImmediate(callback, ...args) {
  check.function(callback, 'callback');
  return new Immediate(callback, args);
}
function clearTimeout(timer) {
  if (timer === undefined || timer === null) return;
  const t = typeof timer === 'object' ? timer : known.get(Number(timer));
  if (!t || !(t instanceof Timeout)) return;
  known.delete(t.id);
  t._destroyed = true;
  native.clear(t.id);
}
function clearInterval(timer) { clearTimeout(timer); }
function clearImmediate(immediate) {
  if (immediate instanceof Immediate) native.clearImmediate(immediate.id);
}

const lazily = (name) => Object.defineProperty({ setTimeout, setImmediate }[name], custom, {
  enumerable: true, get() { return require('./timers-promises.js')[name]; },
});
lazily('setTimeout');
lazily('setImmediate');

module.exports = {
  setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate,
  get promises() { return require('./timers-promises.js'); },
};
require('../internal/names.js').named(module.exports, ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']);
