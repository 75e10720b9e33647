'use strict';
// V8's stacks: error.stack in its format, Error.captureStackTrace, Error.prepareStackTrace and its call sites.

const { frames, trace } = internalBinding('stack');

class CallSite {
  #frame;
  constructor(frame) { this.#frame = frame; }
  getFileName() { return this.#frame[1] || undefined; }
  getLineNumber() { return this.#frame[2] || null; }
  getColumnNumber() { return this.#frame[3] || null; }
  getFunctionName() { return this.#frame[0] || null; }
  getMethodName() { return null; }
  getTypeName() { return 'Object'; }
  getThis() { return undefined; }
  getFunction() { return undefined; }
  getEvalOrigin() { return undefined; }
  getScriptNameOrSourceURL() { return this.#frame[1] || undefined; }
  isNative() { return this.#frame[1] === ''; }
  isToplevel() { return true; }
  isEval() { return false; }
  isConstructor() { return false; }
  isAsync() { return false; }
  isPromiseAll() { return false; }
  getPromiseIndex() { return null; }
  toString() {
    const [name, file, line, column] = this.#frame;
    const place = file ? `${file}:${line}:${column}` : 'native';
    return name ? `${name} (${place})` : place;
  }
}

const Native = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError };
const { toString } = Native.Error.prototype;
const head = (o) => { try { return toString.call(o); } catch { return 'Error'; } };

/** capture gives an object its stack; skip is the number of calls above the one that the stack begins with. */
function capture(object, skip, below) {
  const limit = Wrapped.Error.stackTraceLimit;
  if (typeof limit !== 'number') return;
  const prepare = Wrapped.Error.prepareStackTrace;
  if (typeof prepare === 'function') {
    settle(object, prepare(object, frames(skip + 1, limit, below).map((f) => new CallSite(f))));
    return;
  }
  traces.set(object, trace(skip + 1, limit, below));
  Object.defineProperty(object, 'stack', lazy);
}

// The head of a stack is written when somebody looks: a constructor sets name after its super().
const traces = new WeakMap();
const settle = (object, value) =>
  Object.defineProperty(object, 'stack', { value, writable: true, enumerable: false, configurable: true });
const lazy = {
  get() {
    const text = traces.get(this);
    if (text === undefined) return undefined;
    const value = head(this) + text;
    settle(this, value);
    return value;
  },
  set(value) { settle(this, value); },
  enumerable: false, configurable: true,
};

// A class of the script's that extends Error has a call of its own on the stack where its constructor is written out.
const own = new WeakMap();
function constructors(of, wrapped) {
  let n = 0;
  for (let c = of; typeof c === 'function' && c !== wrapped; c = Object.getPrototypeOf(c)) {
    let written = own.get(c);
    if (written === undefined) {
      written = /\bconstructor\s*\(|^function/.test(Function.prototype.toString.call(c)) ? 1 : 0;
      own.set(c, written);
    }
    n += written;
  }
  return n;
}

// The engine's constructors make the errors; these give them their stacks.
const Wrapped = {};
for (const [name, Kind] of Object.entries(Native)) {
  const wrapped = function (...args) {
    const target = new.target ?? wrapped;
    const error = Reflect.construct(Kind, args, target);
    capture(error, target === wrapped ? 1 : 1 + constructors(target, wrapped), '');
    return error;
  };
  Object.defineProperty(wrapped, 'name', { value: name, configurable: true });
  Object.defineProperty(wrapped, 'length', { value: Kind.length, configurable: true });
  Object.defineProperty(wrapped, 'prototype', { value: Kind.prototype, writable: false });
  Object.defineProperty(Kind.prototype, 'constructor', { value: wrapped, writable: true, enumerable: false, configurable: true });
  Object.defineProperty(globalThis, name, { value: wrapped, writable: true, enumerable: false, configurable: true });
  if (name !== 'Error') Object.setPrototypeOf(wrapped, Wrapped.Error);
  Wrapped[name] = wrapped;
}

Object.defineProperty(Wrapped.Error, 'captureStackTrace', {
  value: function captureStackTrace(object, below) {
    capture(object, 1, typeof below === 'function' ? below.name : '');
  },
  writable: true, enumerable: false, configurable: true,
});
Wrapped.Error.stackTraceLimit = 10;

/** normal gives a stack of the engine's V8's look: four spaces, and no places in the engine's own code. */
function normal(stack) {
  if (!stack.includes('\tat ')) return stack;
  const lines = [];
  for (const line of stack.trimEnd().split('\n')) {
    if (!line.startsWith('\tat ')) lines.push(line);
    else if (!/^\tat (?:__|github\.com\/)|node:internal\//.test(line)) lines.push(`    at ${line.slice(4).replace(/\(\d+\)(?=\)?$)/, '')}`);
  }
  return lines.join('\n');
}

module.exports = { normal, CallSite };
