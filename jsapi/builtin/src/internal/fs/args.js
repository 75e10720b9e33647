'use strict';
// What node:fs takes, as the natives want it.
const { argument, invalid, range, coded } = require('../errors.js');
const { constants: C } = internalBinding('fs');

function toPath(value, name = 'path') {
  if (value instanceof URL) value = require('node:url').fileURLToPath(value);
  else if (value instanceof Uint8Array) value = Buffer.from(value).toString();
  if (typeof value !== 'string') throw argument(name, 'of type string or an instance of Buffer or URL', value);
  if (value.includes('\0')) throw invalid(name, value, 'must be a string, Uint8Array, or URL without null bytes');
  return value;
}

const FLAGS = {
  r: C.O_RDONLY, rs: C.O_RDONLY | C.O_SYNC, sr: C.O_RDONLY | C.O_SYNC, 'r+': C.O_RDWR, 'rs+': C.O_RDWR | C.O_SYNC, 'sr+': C.O_RDWR | C.O_SYNC,
  w: C.O_TRUNC | C.O_CREAT | C.O_WRONLY, wx: C.O_TRUNC | C.O_CREAT | C.O_WRONLY | C.O_EXCL, xw: C.O_TRUNC | C.O_CREAT | C.O_WRONLY | C.O_EXCL,
  'w+': C.O_TRUNC | C.O_CREAT | C.O_RDWR, 'wx+': C.O_TRUNC | C.O_CREAT | C.O_RDWR | C.O_EXCL, 'xw+': C.O_TRUNC | C.O_CREAT | C.O_RDWR | C.O_EXCL,
  a: C.O_APPEND | C.O_CREAT | C.O_WRONLY, ax: C.O_APPEND | C.O_CREAT | C.O_WRONLY | C.O_EXCL, xa: C.O_APPEND | C.O_CREAT | C.O_WRONLY | C.O_EXCL,
  as: C.O_APPEND | C.O_CREAT | C.O_WRONLY | C.O_SYNC, sa: C.O_APPEND | C.O_CREAT | C.O_WRONLY | C.O_SYNC,
  'a+': C.O_APPEND | C.O_CREAT | C.O_RDWR, 'ax+': C.O_APPEND | C.O_CREAT | C.O_RDWR | C.O_EXCL, 'xa+': C.O_APPEND | C.O_CREAT | C.O_RDWR | C.O_EXCL,
  'as+': C.O_APPEND | C.O_CREAT | C.O_RDWR | C.O_SYNC, 'sa+': C.O_APPEND | C.O_CREAT | C.O_RDWR | C.O_SYNC,
};

function toFlags(flags, otherwise = 'r') {
  if (flags === undefined || flags === null) flags = otherwise;
  if (typeof flags === 'number') return flags;
  const known = FLAGS[flags];
  if (known === undefined) throw invalid('flags', flags);
  return known;
}

function toMode(mode, otherwise, name = 'mode') {
  if (mode === undefined || mode === null) return otherwise;
  if (typeof mode === 'string') {
    if (!/^[0-7]+$/.test(mode)) throw invalid(name, mode, 'must be a 32-bit unsigned integer or an octal string');
    return parseInt(mode, 8);
  }
  if (typeof mode !== 'number') throw argument(name, 'of type number', mode);
  if (!Number.isInteger(mode) || mode < 0 || mode > 0xffffffff) throw range(name, '>= 0 && <= 4294967295', mode);
  return mode;
}

function toFd(fd, name = 'fd') {
  if (typeof fd !== 'number') throw argument(name, 'of type number', fd);
  if (!Number.isInteger(fd) || fd < 0 || fd > 2147483647) throw range(name, '>= 0 && <= 2147483647', fd);
  return fd;
}

/** toOptions is an options argument that may be an encoding. */
function toOptions(options, defaults) {
  if (options === undefined || options === null || typeof options === 'function') return { ...defaults };
  if (typeof options === 'string') options = { encoding: options };
  else if (typeof options !== 'object') throw argument('options', 'of type string or an instance of Object', options);
  const { encoding } = options;
  if (encoding && encoding !== 'buffer' && !Buffer.isEncoding(encoding)) throw invalid('encoding', encoding, 'is invalid encoding');
  if (options.signal !== undefined && typeof options.signal?.aborted !== 'boolean') {
    throw argument('options.signal', 'an instance of AbortSignal', options.signal);
  }
  return { ...defaults, ...options };
}

/** toBytes is what a file gets: bytes, or text that is written as UTF-8. */
function toBytes(data, encoding, name = 'data') {
  if (typeof data === 'string') return !encoding || encoding === 'utf8' || encoding === 'utf-8' ? data : Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return data;
  throw argument(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

/** toTime is seconds. */
function toTime(time, name) {
  if (typeof time === 'string' && +time == time) return +time;
  if (Number.isFinite(time)) return time < 0 ? Date.now() / 1000 : time;
  if (time instanceof Date) return time.getTime() / 1000;
  throw argument(name, 'one of type number, string or an instance of Date', time);
}

const decoded = (bytes, encoding) => {
  const buffer = Buffer.from(bytes);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
};
const named = (text, encoding) => encoding === 'buffer' ? Buffer.from(text) : encoding && encoding !== 'utf8' ? Buffer.from(text).toString(encoding) : text;

module.exports = { toPath, toFlags, toMode, toFd, toOptions, toBytes, toTime, decoded, named, coded };
