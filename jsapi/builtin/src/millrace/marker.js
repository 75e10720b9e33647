'use strict';
// Markers as the API writes them, out of what scripts say: Dates and Buffers in place of texts.
const { Buffer } = require('node:buffer');
const { coded } = require('../internal/errors.js');

exports.when = when;

function when(value) {
  if (!(value instanceof Date)) return value;
  if (Number.isNaN(value.getTime())) throw coded(RangeError, 'ERR_OUT_OF_RANGE', 'a marker has an invalid Date');
  return value.toISOString();
}

const base64 = (value) => (ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') : value);

const each = (object, f) => (object && Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value)])));

const known = new Set([
  'id', 'class', 'start', 'end', 'time', 'duration', 'planned', 'open', 'endOnNext', 'attributes', 'scte35', 'text', 'private', 'id3',
]);

exports.marker = (options = {}) => {
  if (options === null || typeof options !== 'object') {
    throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `a marker is described by an object; got ${options === null ? 'null' : typeof options}`);
  }
  const other = Object.keys(options).find((name) => !known.has(name));
  if (other !== undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `a marker has no ${other}; it has ${[...known].join(', ')}`);
  const out = { ...options, start: when(options.start), end: when(options.end), id3: base64(options.id3), scte35: each(options.scte35, base64) };
  if (options.private) out.private = each(options.private, base64);
  return out;
};
