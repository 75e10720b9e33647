'use strict';

const hex = /^[0-9A-Fa-f]{2}$/;
function unescapeBuffer(s) {
  const out = [];
  for (const part of Buffer.from(String(s), 'latin1').toString('latin1').split(/(%[0-9A-Fa-f]{2})/)) {
    if (part.length === 3 && part[0] === '%' && hex.test(part.slice(1))) out.push(parseInt(part.slice(1), 16));
    else for (let i = 0; i < part.length; i++) out.push(part.charCodeAt(i));
  }
  return Buffer.from(out);
}
function unescape(s) {
  try {
    return decodeURIComponent(s);
  } catch {
    return unescapeBuffer(s).toString();
  }
}
const escape = (s) => encodeURIComponent(typeof s === 'string' ? s : typeof s === 'object' ? String(s) : `${s}`);

const text = (v) => {
  if (typeof v === 'string') return v;
  if (typeof v === 'number' && Number.isFinite(v) || typeof v === 'bigint' || typeof v === 'boolean') return `${v}`;
  return '';
};

function stringify(object, sep = '&', eq = '=', options) {
  const encode = options?.encodeURIComponent ?? module.exports.escape;
  if (object === null || typeof object !== 'object') return '';
  const pairs = [];
  for (const key of Object.keys(object)) {
    const k = encode(text(key)) + (eq || '=');
    const v = object[key];
    for (const item of Array.isArray(v) ? v : [v]) pairs.push(k + encode(text(item)));
  }
  return pairs.join(sep || '&');
}

function parse(query, sep, eq, options) {
  const out = Object.create(null);
  if (typeof query !== 'string' || query.length === 0) return out;
  sep = sep ? `${sep}` : '&';
  eq = eq ? `${eq}` : '=';
  const decode = options?.decodeURIComponent ?? module.exports.unescape;
  const safely = (s) => {
    if (s === '' || !/[%+]/.test(s) && decode === unescape) return s;
    const plain = s.replaceAll('+', ' ');
    try { return decode(plain); } catch { return unescape(plain); }
  };
  const max = options?.maxKeys ?? 1000;
  let parts = query.split(sep);
  if (max > 0 && parts.length > max) parts = parts.slice(0, max);
  for (const part of parts) {
    if (part === '') continue;
    const i = part.indexOf(eq);
    const key = safely(i < 0 ? part : part.slice(0, i));
    const value = i < 0 ? '' : safely(part.slice(i + eq.length));
    const before = out[key];
    if (before === undefined) out[key] = value;
    else if (Array.isArray(before)) before.push(value);
    else out[key] = [before, value];
  }
  return out;
}

module.exports = { stringify, encode: stringify, parse, decode: parse, escape, unescape, unescapeBuffer };
require('../internal/names.js').named(module.exports, ['escape', 'unescape']);
