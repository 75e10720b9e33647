'use strict';
// What an app and a pipeline script say to each other: a value as JSON and as blobs of bytes, for which the JSON has
// placeholders. An object with the one key "$" is such a placeholder; one of the script's own that looks like it is
// wrapped.
const { types } = require('../node/util.js');
const { DOMException } = require('../internal/errors.js');

const mark = '$';
const refuse = (what) => new DOMException(`${what} could not be cloned.`, 'DataCloneError');
const tagged = (...what) => ({ [mark]: what });

const views = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  BigInt64Array, BigUint64Array, DataView,
};

function bytes(value) {
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
}

// Values that came by twice come out twice: JSON knows no references.
function lower(value, blobs, above) {
  switch (typeof value) {
    case 'undefined': return tagged('undefined');
    case 'bigint': return tagged('bigint', String(value));
    case 'number': return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged('number', Object.is(value, -0) ? '-0' : String(value));
    case 'symbol': throw refuse(String(value));
    case 'function': throw refuse(value.name ? `function ${value.name}` : 'a function');
    case 'object': break;
    default: return value;
  }
  if (value === null) return null;
  if (above.has(value)) throw refuse('an object that contains itself');
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    blobs.push(bytes(value));
    const kind = Buffer.isBuffer(value) ? 'Buffer' : value.constructor.name;
    return tagged('bytes', kind, blobs.length - 1);
  }
  if (types.isDate(value)) return tagged('date', value.getTime());
  above.add(value);
  const inner = (v) => lower(v, blobs, above);
  let out;
  if (Array.isArray(value)) out = Array.from(value, inner);
  else if (types.isMap(value)) out = tagged('map', [...value].map(([k, v]) => [inner(k), inner(v)]));
  else if (types.isSet(value)) out = tagged('set', [...value].map(inner));
  else if (types.isNativeError(value)) out = tagged('error', value.name, value.message, String(value.stack));
  else if (types.isRegExp(value)) out = tagged('regexp', value.source, value.flags);
  else {
    out = {};
    for (const key of Object.keys(value)) out[key] = inner(value[key]);
    if (Object.keys(out).length === 1 && mark in out) out = tagged('object', out);
  }
  above.delete(value);
  return out;
}

function raise(value, blobs) {
  if (value === null || typeof value !== 'object') return value;
  const inner = (v) => raise(v, blobs);
  if (Array.isArray(value)) return value.map(inner);
  const keys = Object.keys(value);
  if (keys.length !== 1 || keys[0] !== mark) {
    const out = {};
    for (const key of keys) out[key] = inner(value[key]);
    return out;
  }
  const [kind, a, b, c] = value[mark];
  switch (kind) {
    case 'bigint': return BigInt(a);
    case 'number': return Number(a);
    case 'date': return new Date(a);
    case 'map': return new Map(a.map(([k, v]) => [inner(k), inner(v)]));
    case 'set': return new Set(a.map(inner));
    case 'regexp': return new RegExp(a, b);
    case 'object': return { [mark]: inner(a[mark]) };
    case 'error': return Object.defineProperty(Object.assign(new Error(b), { name: a }), 'stack', { value: c, writable: true, configurable: true });
    case 'bytes': {
      const blob = Buffer.from(blobs[b]);
      if (a === 'Buffer') return blob;
      const whole = blob.buffer.slice(blob.byteOffset, blob.byteOffset + blob.byteLength);
      return views[a] ? new views[a](whole) : whole;
    }
    default: return undefined;
  }
}

// pack gives { json, blobs } of a value; what cannot be cloned throws a DataCloneError.
exports.pack = (value) => {
  const blobs = [];
  const json = JSON.stringify(lower(value, blobs, new Set()));
  return { json, blobs };
};

// unpack is pack's other direction. blobs are ArrayBuffers or Buffers.
exports.unpack = (json, blobs) => raise(JSON.parse(json), blobs);
