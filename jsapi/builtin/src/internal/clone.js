'use strict';
const { DOMException } = require('./errors.js');
const { types } = require('../node/util.js');

const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const refuse = (what) => new DOMException(`${what} could not be cloned.`, 'DataCloneError');

function copy(value, seen) {
  if (typeof value === 'symbol') throw refuse(String(value));
  if (typeof value === 'function') throw refuse(value.toString());
  if (value === null || typeof value !== 'object') return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (clone) => { seen.set(value, clone); return clone; };

  if (Array.isArray(value)) {
    const clone = keep(new Array(value.length));
    for (const key of Object.keys(value)) clone[key] = copy(value[key], seen);
    return clone;
  }
  if (types.isDate(value)) return keep(new Date(value.getTime()));
  if (types.isRegExp(value)) return keep(new RegExp(value.source, value.flags));
  if (types.isBoxedPrimitive(value)) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = copy(value.buffer, seen);
    const Kind = Buffer.isBuffer(value) ? Uint8Array : value.constructor;
    return keep(new Kind(buffer, value.byteOffset, value.length ?? value.byteLength));
  }
  if (types.isMap(value)) {
    const clone = keep(new Map());
    for (const [k, v] of [...value]) clone.set(copy(k, seen), copy(v, seen));
    return clone;
  }
  if (types.isSet(value)) {
    const clone = keep(new Set());
    for (const v of [...value]) clone.add(copy(v, seen));
    return clone;
  }
  if (types.isNativeError(value)) {
    const Kind = errors[value.name] ?? Error;
    const clone = keep(new Kind(value.message));
    if ('cause' in value) Object.defineProperty(clone, 'cause', { value: copy(value.cause, seen), writable: true, configurable: true });
    Object.defineProperty(clone, 'stack', { value: String(value.stack), writable: true, configurable: true });
    return clone;
  }
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || value instanceof WeakRef || types.isProxy(value)) {
    throw refuse(`#<${value.constructor?.name ?? 'Object'}>`);
  }
  const clone = keep({});
  for (const key of Object.keys(value)) clone[key] = copy(value[key], seen);
  return clone;
}

function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('The "value" argument must be specified');
  for (const item of options?.transfer ?? []) {
    if (!(item instanceof ArrayBuffer)) throw new DOMException('Value not transferable', 'DataCloneError');
  }
  return copy(value, new Map());
}

module.exports = { structuredClone };
require('./names.js').named(module.exports, ['structuredClone']);
