'use strict';
// util.format: %s and its like.
const { inspect } = require('./inspect.js');

const plain = (v) => {
  if (typeof v === 'bigint') return `${v}n`;
  return Object.is(v, -0) ? '-0' : `${v}`;
};
const hasOwnText = (v) => {
  if (typeof v !== 'object' || v === null) return true;
  if (v instanceof Error || v instanceof Date) return true;
  const f = v.toString;
  if (typeof f !== 'function' || f === Object.prototype.toString || f === Array.prototype.toString) return false;
  return true;
};

const circular = /cyclic|circular/i;
function json(v) {
  try { return JSON.stringify(v); } catch (error) {
    if (circular.test(error.message)) return '[Circular]';
    throw error;
  }
}

function formatWithOptions(options, ...args) {
  let i = 0;
  let out = '';
  if (typeof args[0] === 'string') {
    const [first] = args;
    if (args.length === 1) return first;
    i = 1;
    out = first.replace(/%([sdifjoOc%])/g, (all, kind) => {
      if (kind === '%') return '%';
      if (i >= args.length) return all;
      const v = args[i++];
      switch (kind) {
        case 's':
          if (typeof v === 'number' || typeof v === 'bigint') return plain(v);
          return hasOwnText(v) ? (typeof v === 'symbol' ? v.toString() : `${v}`) :
            inspect(v, { ...options, depth: 0, colors: false, compact: 3 });
        case 'd': return typeof v === 'bigint' ? `${v}n` : typeof v === 'symbol' ? 'NaN' : plain(Number(v));
        case 'i': return typeof v === 'bigint' ? `${v}n` : typeof v === 'symbol' ? 'NaN' : plain(parseInt(v, 10));
        case 'f': return typeof v === 'symbol' ? 'NaN' : plain(parseFloat(v));
        case 'j': return json(v);
        case 'o': return inspect(v, { ...options, showHidden: true, showProxy: true, depth: 4 });
        case 'O': return inspect(v, options);
        default: return '';
      }
    });
  }
  let separator = i > 0 ? ' ' : '';
  for (; i < args.length; i++) {
    const v = args[i];
    out += separator + (typeof v === 'string' ? v : inspect(v, { ...options, compact: 3, colors: options?.colors ?? false }));
    separator = ' ';
  }
  return out;
}

module.exports = { formatWithOptions, format: (...args) => formatWithOptions(undefined, ...args) };
