'use strict';
// The npm package buffer, with the conversions done natively and with what Node has added since.
const npm = require('npm:buffer');
const native = internalBinding('bytes');
const { coded, argument, range, DOMException } = require('../internal/errors.js');

const { Buffer } = npm;
const MAX = 0x7fffffff;
const SMALL = 24; // below it a call across the border costs more than it saves

const encodings = new Map([
  ['utf8', 'utf8'], ['utf-8', 'utf8'], ['hex', 'hex'], ['base64', 'base64'], ['base64url', 'base64url'],
  ['latin1', 'latin1'], ['binary', 'latin1'], ['ascii', 'ascii'],
  ['ucs2', 'utf16le'], ['ucs-2', 'utf16le'], ['utf16le', 'utf16le'], ['utf-16le', 'utf16le'],
]);
const encodingOf = (name) => encodings.get(name) ?? encodings.get(String(name).toLowerCase());

Buffer.isEncoding = (name) => typeof name === 'string' && name.length !== 0 && encodingOf(name) !== undefined;

function unknown(name) { return coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`); }

/** fromBytes makes a Buffer over an ArrayBuffer, without a copy. */
function fromBytes(arrayBuffer) {
  const b = new Uint8Array(arrayBuffer);
  Object.setPrototypeOf(b, Buffer.prototype);
  return b;
}

const fromAnything = Buffer.from;
Buffer.from = function from(value, encoding, length) {
  if (typeof value === 'string') {
    if (typeof encoding !== 'string' || encoding === '') encoding = 'utf8';
    const known = encodingOf(encoding);
    if (known === undefined) throw unknown(encoding);
    return fromBytes(native.encode(value, known));
  }
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') {
    throw argument('first argument', 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object', value);
  }
  return fromAnything(value, encoding, length);
};

Buffer.prototype.toString = function (encoding, start, end) {
  if (arguments.length === 0) return this.length === 0 ? '' : native.decode(this, 'utf8', 0, this.length);
  const length = this.length;
  start = start === undefined || start <= 0 ? 0 : Math.trunc(start) || 0;
  end = end === undefined || end > length ? length : Math.trunc(end) || 0;
  if (start >= length || end <= start) return '';
  const known = encoding === undefined || encoding === null ? 'utf8' : encodingOf(encoding);
  if (known === undefined) throw unknown(encoding);
  return native.decode(this, known, start, end);
};

const { write } = Buffer.prototype;
Buffer.prototype.write = function (string, offset, length, encoding) {
  if (typeof string !== 'string') throw argument('argument', 'of type string', string);
  if (typeof offset === 'string') [encoding, offset, length] = [offset, 0, this.length];
  else if (typeof length === 'string') [encoding, length] = [length, undefined];
  offset = offset === undefined ? 0 : offset;
  if (!Number.isInteger(offset) || offset < 0 || offset > this.length) throw range('offset', `>= 0 && <= ${this.length}`, offset);
  const room = this.length - offset;
  length = length === undefined || length > room ? room : length;
  const known = encoding === undefined || encoding === null || encoding === '' ? 'utf8' : encodingOf(encoding);
  if (known === undefined) throw unknown(encoding);
  if (string.length < SMALL && known !== 'base64' && known !== 'base64url' && known !== 'hex') {
    return write.call(this, string, offset, length, known);
  }
  const bytes = new Uint8Array(native.encode(string, known));
  let n = Math.min(bytes.length, length);
  if (known === 'utf8' && n < bytes.length) while (n > 0 && (bytes[n] & 0xc0) === 0x80) n--; // no half characters
  if (known === 'utf16le') n &= ~1;
  this.set(n === bytes.length ? bytes : bytes.subarray(0, n), offset);
  return n;
};
for (const [method, encoding] of [
  ['utf8', 'utf8'], ['ascii', 'ascii'], ['latin1', 'latin1'], ['hex', 'hex'], ['base64', 'base64'],
  ['base64url', 'base64url'], ['ucs2', 'utf16le'],
]) {
  Buffer.prototype[`${method}Slice`] = function (start, end) { return this.toString(encoding, start, end); };
  Buffer.prototype[`${method}Write`] = function (string, offset, length) { return this.write(string, offset, length, encoding); };
}

Buffer.byteLength = function byteLength(value, encoding) {
  if (typeof value !== 'string') {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
    throw argument('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
  }
  return native.length(value, encodingOf(encoding ?? 'utf8') ?? 'utf8');
};

Buffer.alloc = function alloc(size, fill, encoding) {
  checkSize(size);
  const b = fromBytes(new ArrayBuffer(size));
  if (fill !== undefined && fill !== 0 && size > 0) b.fill(fill, encoding);
  return b;
};
Buffer.allocUnsafe = function allocUnsafe(size) { checkSize(size); return fromBytes(new ArrayBuffer(size)); };
Buffer.allocUnsafeSlow = Buffer.allocUnsafe;
function checkSize(size) {
  if (typeof size !== 'number') throw argument('size', 'of type number', size);
  if (!(size >= 0 && size <= MAX)) throw range('size', `>= 0 && <= ${MAX}`, size);
}

Buffer.concat = function concat(list, length) {
  if (!Array.isArray(list)) throw argument('list', 'an instance of Array', list);
  if (list.length === 0) return fromBytes(new ArrayBuffer(0));
  if (length === undefined) {
    length = 0;
    for (const b of list) length += b.length;
  }
  const all = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < list.length; i++) {
    const b = list[i];
    if (!(b instanceof Uint8Array)) throw argument(`list[${i}]`, 'an instance of Buffer or Uint8Array', b);
    if (at + b.length > length) {
      all.set(b.subarray(0, length - at), at);
      break;
    }
    all.set(b, at);
    at += b.length;
  }
  return all;
};
Buffer.copyBytesFrom = function copyBytesFrom(view, offset = 0, length = view.length - offset) {
  const part = view.subarray(offset, offset + length);
  return Buffer.from(new Uint8Array(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength)));
};
Buffer.of = (...bytes) => Buffer.from(bytes);
Buffer.compare = function compare(a, b) {
  if (!(a instanceof Uint8Array)) throw argument('buf1', 'an instance of Buffer or Uint8Array', a);
  if (!(b instanceof Uint8Array)) throw argument('buf2', 'an instance of Buffer or Uint8Array', b);
  return native.compare(a, b);
};
Buffer.prototype.equals = function equals(other) {
  if (!(other instanceof Uint8Array)) throw argument('otherBuffer', 'an instance of Buffer or Uint8Array', other);
  return this === other || native.compare(this, other) === 0;
};
const { indexOf, lastIndexOf } = Buffer.prototype;
Buffer.prototype.indexOf = function (value, from, encoding) {
  if (typeof from === 'string') [encoding, from] = [from, undefined];
  if (typeof value !== 'number' && (from === undefined || from >= 0)) {
    const wanted = typeof value === 'string' ? Buffer.from(value, encoding) : value;
    if (!(wanted instanceof Uint8Array)) throw argument('value', 'of type number or string or an instance of Buffer or Uint8Array', value);
    return native.index(this, wanted, Math.trunc(from ?? 0) || 0);
  }
  return indexOf.call(this, value, from, encoding);
};
Buffer.prototype.includes = function (value, from, encoding) { return this.indexOf(value, from, encoding) !== -1; };
Buffer.prototype.lastIndexOf = lastIndexOf;
Buffer.prototype.subarray = function subarray(start, end) {
  const b = Uint8Array.prototype.subarray.call(this, start, end);
  if (Object.getPrototypeOf(b) !== Buffer.prototype) Object.setPrototypeOf(b, Buffer.prototype);
  return b;
};
Buffer.prototype.slice = Buffer.prototype.subarray;

// A place beyond the end is Node's error, and readUint8 is another name of readUInt8.
const { prototype } = Buffer;
function beyond(buffer, error, offset, size) {
  if (!(error instanceof RangeError) || error.code !== undefined || error.message.includes('"value"')) throw error;
  const most = buffer.length - size;
  if (most < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  throw range('offset', `>= 0 and <= ${most}`, offset);
}
function bounded(kind, bytes) {
  const read = prototype[`read${kind}`];
  const write = prototype[`write${kind}`];
  prototype[`read${kind}`] = function (offset, size) {
    try { return read.call(this, offset, size); } catch (error) { return beyond(this, error, offset, bytes || size); }
  };
  prototype[`write${kind}`] = function (value, offset, size) {
    try { return write.call(this, value, offset, size); } catch (error) { return beyond(this, error, offset, bytes || size); }
  };
  const other = kind.replace('UInt', 'Uint');
  if (other === kind) return;
  prototype[`read${other}`] = prototype[`read${kind}`];
  prototype[`write${other}`] = prototype[`write${kind}`];
}
for (const order of ['LE', 'BE']) {
  for (const sign of ['Int', 'UInt']) {
    bounded(`${sign}16${order}`, 2);
    bounded(`${sign}32${order}`, 4);
    bounded(`${sign}${order}`, 0);
    bounded(`Big${sign}64${order}`, 8);
  }
  bounded(`Float${order}`, 4);
  bounded(`Double${order}`, 8);
}
bounded('Int8', 1);
bounded('UInt8', 1);
Buffer.poolSize = 8192;
Object.defineProperty(Buffer.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(depth, options) {
    const max = npm.INSPECT_MAX_BYTES;
    let text = [...this.subarray(0, max)].map((n) => n.toString(16).padStart(2, '0')).join(' ');
    if (this.length > max) text += ` ... ${this.length - max} more byte${this.length - max > 1 ? 's' : ''}`;
    const extra = Object.keys(this).filter((key) => !/^\d+$/.test(key));
    if (extra.length > 0) {
      if (this.length > 0) text += ', ';
      const { inspect } = require('../internal/inspect.js');
      text += extra.map((key) => inspect({ [key]: this[key] }, { ...options, breakLength: Infinity, compact: true }).slice(2, -2)).join(', ');
    }
    return `<${this.constructor.name} ${text}>`;
  },
  writable: true, enumerable: false, configurable: true,
});

function atob(text) {
  if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "input" argument must be specified');
  let s = `${text}`.replace(/[\t\n\f\r ]+/g, '');
  if (s.length % 4 === 0) s = s.replace(/==?$/, '');
  if (s.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(s)) {
    throw new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError');
  }
  return Buffer.from(s, 'base64').toString('latin1');
}
function btoa(text) {
  if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "input" argument must be specified');
  const s = `${text}`;
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) > 255) throw new DOMException('Invalid character', 'InvalidCharacterError');
  return Buffer.from(s, 'latin1').toString('base64');
}

const bytesOf = (v) => v instanceof ArrayBuffer ? new Uint8Array(v) : v;
module.exports = {
  Buffer,
  SlowBuffer: (size) => Buffer.allocUnsafeSlow(size),
  kMaxLength: MAX,
  kStringMaxLength: 0x1fffffe8,
  constants: { MAX_LENGTH: MAX, MAX_STRING_LENGTH: 0x1fffffe8 },
  get INSPECT_MAX_BYTES() { return npm.INSPECT_MAX_BYTES; },
  set INSPECT_MAX_BYTES(n) { npm.INSPECT_MAX_BYTES = n; },
  atob,
  btoa,
  isUtf8: (v) => native.isUtf8(bytesOf(v)),
  isAscii: (v) => bytesOf(v).every((b) => b < 128),
  transcode: (source, from, to) => Buffer.from(Buffer.from(source).toString(from), to),
  fromBytes,
  get Blob() { return require('../internal/blob.js').Blob; },
  get File() { return require('../internal/blob.js').File; },
};
require('../internal/names.js').named(module.exports, ['Buffer', 'atob', 'btoa']);
