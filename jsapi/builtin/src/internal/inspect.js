'use strict';
// util.inspect: what a value looks like, laid out as Node lays it out.
const native = internalBinding('types');
const { normal } = require('./stacks.js');
const { kind: kindOf } = require('./kinds.js');
const bases = require('./inspect-bases.js');

const OBJECT = 0;
const ARRAY = 1;
const ARRAY_EXTRA = 2;

const custom = Symbol.for('nodejs.util.inspect.custom');
const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 128, compact: 3, sorted: false, getters: false, numericSeparator: false,
};

const colours = {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27],
  hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39],
  yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], bgBlack: [40, 49], bgRed: [41, 49],
  bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
  gray: [90, 39], grey: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39],
  magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
};
const styles = {
  __proto__: null, special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
  string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
};

function inspect(value, options) {
  const ctx = {
    ...defaults, breakLength: 80, seen: [], indentationLvl: 0, currentDepth: 0, circular: undefined, stylize: (text) => text,
  };
  if (arguments.length > 2) {
    if (arguments[2] !== undefined) ctx.depth = arguments[2];
    if (arguments.length > 3 && arguments[3] !== undefined) ctx.colors = arguments[3];
  }
  if (typeof options === 'boolean') ctx.showHidden = options;
  else if (options) for (const key of Object.keys(options)) if (key in defaults || key === 'stylize') ctx[key] = options[key];
  if (ctx.colors) ctx.stylize = paint;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return show(ctx, value, 0);
}
inspect.custom = custom;
inspect.colors = colours;
inspect.styles = styles;
Object.defineProperty(inspect, 'defaultOptions', {
  get: () => defaults,
  set(options) { Object.assign(defaults, options); },
});

function paint(text, style) {
  const codes = colours[styles[style]];
  return codes ? `\x1b[${codes[0]}m${text}\x1b[${codes[1]}m` : text;
}
const ansi = /\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[@-_]/g;
const bare = (text) => (text.includes('\x1b') ? text.replace(ansi, '') : text);

const escapes = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
const special = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const specials = new RegExp(special.source, 'g');
function quoted(text) {
  let quote = "'";
  if (text.includes("'")) {
    if (!text.includes('"')) quote = '"';
    else if (!text.includes('`') && !text.includes('${')) quote = '`';
  } else if (!special.test(text)) {
    return `'${text}'`;
  }
  const inside = text.replace(specials, (c) => {
    if (c === "'") return quote === "'" ? "\\'" : c;
    if (escapes[c]) return escapes[c];
    const code = c.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
  return quote + inside + quote;
}

function grouped(digits) { return digits.replace(/\B(?=(\d{3})+(?!\d))/g, '_'); }
function number(ctx, n) {
  if (Object.is(n, -0)) return '-0';
  const text = `${n}`;
  if (!ctx.numericSeparator || !Number.isFinite(n) || text.includes('e')) return text;
  const [whole, fraction] = text.split('.');
  return grouped(whole) + (fraction === undefined ? '' : `.${fraction.replace(/(\d{3})(?=\d)/g, '$1_')}`);
}

function primitive(ctx, value) {
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > ctx.maxStringLength) {
        const more = value.length - ctx.maxStringLength;
        value = value.slice(0, ctx.maxStringLength);
        trailer = `... ${more} more character${more > 1 ? 's' : ''}`;
      }
      if (ctx.compact !== true && value.length > 16 && value.length > ctx.breakLength - ctx.indentationLvl - 4 && value.includes('\n')) {
        return value.split(/(?<=\n)/).map((line) => ctx.stylize(quoted(line), 'string')).join(` +\n${' '.repeat(ctx.indentationLvl + 2)}`) + trailer;
      }
      return ctx.stylize(quoted(value), 'string') + trailer;
    }
    case 'number': return ctx.stylize(number(ctx, value), 'number');
    case 'bigint': return ctx.stylize(`${ctx.numericSeparator ? grouped(`${value}`) : value}n`, 'bigint');
    case 'boolean': return ctx.stylize(`${value}`, 'boolean');
    case 'undefined': return ctx.stylize('undefined', 'undefined');
    default: return ctx.stylize(value.toString(), 'symbol');
  }
}

/** show is the text of any value, recurse levels down. */
function show(ctx, value, recurse) {
  if (typeof value !== 'object' && typeof value !== 'function') return primitive(ctx, value);
  if (value === null) return ctx.stylize('null', 'null');
  const context = value;
  const proxy = native.proxy(value);
  if (proxy) {
    if (ctx.showProxy) return showProxy(ctx, proxy, recurse);
    value = proxy[0];
    if (value === null) return ctx.stylize('<Revoked Proxy>', 'special');
    if (native.proxy(value)) return show(ctx, value, recurse);
  }
  if (ctx.customInspect) {
    const f = value[custom];
    if (typeof f === 'function' && f !== inspect && !(value.constructor && value.constructor.prototype === value)) {
      const depth = ctx.depth === null ? null : ctx.depth - recurse;
      const { seen, circular, indentationLvl, currentDepth, ...user } = ctx;
      const result = f.call(context, depth, { ...user, stylize: ctx.stylize }, inspect);
      if (result !== context) {
        const text = typeof result !== 'object' || result === null ? `${result}` : show(ctx, result, recurse);
        return text.replaceAll('\n', `\n${' '.repeat(ctx.indentationLvl)}`);
      }
    }
  }
  if (ctx.seen.includes(value)) {
    ctx.circular ??= new Map();
    let index = ctx.circular.get(value);
    if (index === undefined) ctx.circular.set(value, index = ctx.circular.size + 1);
    return ctx.stylize(`[Circular *${index}]`, 'special');
  }
  return whole(ctx, value, recurse);
}

function showProxy(ctx, [target, handler], recurse) {
  if (recurse > ctx.depth && ctx.depth !== null) return ctx.stylize('Proxy [Array]', 'special');
  ctx.indentationLvl += 2;
  const parts = [show(ctx, target, recurse + 1), show(ctx, handler, recurse + 1)];
  ctx.indentationLvl -= 2;
  return layout(ctx, parts, '', ['Proxy [', ']'], ARRAY_EXTRA, recurse + 1);
}

function keysOf(ctx, value, skipIndices) {
  let keys;
  const symbols = Object.getOwnPropertySymbols(value);
  if (ctx.showHidden) {
    keys = Object.getOwnPropertyNames(value).concat(symbols);
  } else {
    keys = Object.keys(value);
    if (symbols.length > 0) keys.push(...symbols.filter((s) => Object.prototype.propertyIsEnumerable.call(value, s)));
  }
  return skipIndices ? keys.filter((k) => typeof k === 'symbol' || !/^(0|[1-9]\d*)$/.test(k)) : keys;
}

/** constructorName is of the first prototype that names one; null of an object without a prototype. */
function constructorName(ctx, value) {
  for (let o = value; o !== null; o = Object.getPrototypeOf(o)) {
    const d = Object.getOwnPropertyDescriptor(o, 'constructor');
    if (d !== undefined && typeof d.value === 'function' && d.value.name !== '' && value instanceof d.value) return d.value.name;
  }
  const proto = Object.getPrototypeOf(value);
  if (proto === null) return null;
  return `${kindOf(value) || 'Object'} <${inspect(proto, { ...ctx, customInspect: false, depth: -1 })}>`;
}

function prefix(name, tag, fallback, size = '') {
  if (name === null) return tag !== '' && fallback !== tag ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
  return tag !== '' && name !== tag ? `${name}${size} [${tag}] ` : `${name}${size} `;
}

function whole(ctx, value, recurse) {
  const name = constructorName(ctx, value);
  let tag;
  try { tag = value[Symbol.toStringTag]; } catch { tag = ''; }
  if (typeof tag !== 'string' || tag !== '' && (ctx.showHidden ? Object.hasOwn(value, Symbol.toStringTag) : Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag))) tag = '';
  const kind = kindOf(value);
  const d = describe(ctx, value, { name, tag, kind, recurse });
  if (typeof d === 'string') return d;
  if (recurse > ctx.depth && ctx.depth !== null) {
    return ctx.stylize(`[${Array.isArray(value) && name === 'Array' ? 'Array' : prefix(name, tag, Array.isArray(value) ? 'Array' : 'Object').slice(0, -1)}]`, 'special');
  }
  recurse += 1;
  ctx.seen.push(value);
  ctx.currentDepth = recurse;
  const output = d.entries ? d.entries(ctx, value, recurse) : [];
  for (const key of d.keys) output.push(property(ctx, value, recurse, key, d.extra ?? OBJECT));
  ctx.seen.pop();
  let { base = '' } = d;
  if (ctx.circular !== undefined) {
    const index = ctx.circular.get(value);
    if (index !== undefined) {
      const reference = ctx.stylize(`<ref *${index}>`, 'special');
      base = base === '' ? reference : `${reference} ${base}`;
    }
  }
  if (ctx.sorted) {
    const by = ctx.sorted === true ? undefined : ctx.sorted;
    if (!d.extra) output.sort(by);
  }
  return layout(ctx, output, base, d.braces, d.extra ?? OBJECT, recurse, value);
}

// describe chooses how an object is shown: whole text, or braces, a base before them, entries and keys.
function describe(ctx, value, { name, tag, kind }) {
  if (Array.isArray(value)) {
    const keys = keysOf(ctx, value, true);
    const before = name !== 'Array' || tag !== '' ? prefix(name, tag, 'Array', `(${value.length})`) : '';
    if (value.length === 0 && keys.length === 0) return `${before}[]`;
    return { braces: [`${before}[`, ']'], keys, entries: arrayEntries, extra: ARRAY_EXTRA };
  }
  if (kind === 'Set' || kind === 'Map') {
    const keys = keysOf(ctx, value);
    const before = prefix(name, tag, kind, `(${value.size})`);
    if (value.size === 0 && keys.length === 0) return `${before}{}`;
    return { braces: [`${before}{`, '}'], keys, entries: kind === 'Set' ? setEntries : mapEntries };
  }
  if (kind === 'TypedArray') {
    const keys = keysOf(ctx, value, true);
    const before = prefix(name, tag, name ?? 'TypedArray', `(${value.length})`);
    if (value.length === 0 && keys.length === 0) return `${before}[]`;
    return { braces: [`${before}[`, ']'], keys, entries: typedEntries, extra: ARRAY_EXTRA };
  }
  if (kind === 'Map Iterator' || kind === 'Set Iterator') return { braces: [`[${tag || kind}] {`, '}'], keys: keysOf(ctx, value), entries: iteratorEntries };
  const keys = keysOf(ctx, value, kind === 'String');
  if (kind === 'Arguments') return { braces: ['[Arguments] {', '}'], keys };
  const braces = ['{', '}'];
  const base = bases.of(ctx, value, { name, tag, kind, keys, prefix, number, primitive, quoted, normal });
  if (base !== undefined) return keys.length === 0 ? base : { base, braces, keys };
  if (kind === 'Promise') return { braces: [`${prefix(name, tag, 'Promise')}{`, '}'], keys, entries: promiseEntries };
  if (kind === 'ArrayBuffer') return { braces: [`${prefix(name, tag, 'ArrayBuffer')}{`, '}'], keys, entries: bufferEntries };
  if (kind === 'DataView') {
    return { braces: [`${prefix(name, tag, 'DataView')}{`, '}'], keys: ['byteLength', 'byteOffset', 'buffer', ...keys] };
  }
  if (kind === 'WeakSet' || kind === 'WeakMap') return { braces: [`${prefix(name, tag, kind)}{`, '}'], keys, entries: () => [ctx.stylize('<items unknown>', 'special')] };
  if (name === 'Object' && tag === '') {
    if (keys.length === 0) return '{}';
    return { braces, keys };
  }
  const before = prefix(name, tag, 'Object');
  if (keys.length === 0) return `${before}{}`;
  return { braces: [`${before}{`, '}'], keys };
}

const plainKey = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
function property(ctx, value, recurse, key, extra) {
  const d = Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: true };
  let text;
  if ('value' in d) {
    ctx.indentationLvl += 2;
    text = show(ctx, d.value, recurse);
    ctx.indentationLvl -= 2;
  } else if (d.get !== undefined) {
    const label = d.set !== undefined ? 'Getter/Setter' : 'Getter';
    if (ctx.getters && (ctx.getters === true || ctx.getters === 'get' && d.set === undefined || ctx.getters === 'set' && d.set !== undefined)) {
      try {
        ctx.indentationLvl += 2;
        const got = d.get.call(value);
        text = `${ctx.stylize(got === null || typeof got !== 'object' ? `[${label}:` : `[${label}]`, 'special')} ${show(ctx, got, recurse)}${got === null || typeof got !== 'object' ? ctx.stylize(']', 'special') : ''}`;
      } catch (error) {
        text = ctx.stylize(`[${label}: <Inspection threw (${error.message})>]`, 'special');
      } finally {
        ctx.indentationLvl -= 2;
      }
    } else {
      text = ctx.stylize(`[${label}]`, 'special');
    }
  } else {
    text = d.set !== undefined ? ctx.stylize('[Setter]', 'special') : ctx.stylize('undefined', 'undefined');
  }
  if (extra === ARRAY) return text;
  let label;
  if (typeof key === 'symbol') label = `[${ctx.stylize(key.toString(), 'symbol')}]`;
  else if (key === '__proto__') label = "['__proto__']";
  else if (d.enumerable === false) label = `[${key}]`;
  else if (plainKey.test(key)) label = ctx.stylize(key, 'name');
  else label = ctx.stylize(quoted(key), 'string');
  return `${label}: ${text}`;
}

const more = (n) => `... ${n} more item${n > 1 ? 's' : ''}`;

function arrayEntries(ctx, value, recurse) {
  const output = [];
  const most = Math.min(Math.max(0, ctx.maxArrayLength), value.length);
  let i = 0;
  for (; i < value.length && output.length < most; i++) {
    if (Object.hasOwn(value, i)) {
      output.push(property(ctx, value, recurse, i, ARRAY));
      continue;
    }
    let end = i;
    while (end < value.length && !Object.hasOwn(value, end)) end++;
    output.push(ctx.stylize(`<${end - i} empty item${end - i > 1 ? 's' : ''}>`, 'undefined'));
    i = end - 1;
  }
  if (i < value.length) output.push(more(value.length - i));
  return output;
}

function typedEntries(ctx, value) {
  const most = Math.min(Math.max(0, ctx.maxArrayLength), value.length);
  const output = [];
  for (let i = 0; i < most; i++) output.push(primitive(ctx, value[i]));
  if (value.length > most) output.push(more(value.length - most));
  return output;
}

function limited(ctx, iterable, size, one) {
  const output = [];
  ctx.indentationLvl += 2;
  for (const item of iterable) {
    if (output.length >= ctx.maxArrayLength) {
      output.push(more(size - output.length));
      break;
    }
    output.push(one(item));
  }
  ctx.indentationLvl -= 2;
  return output;
}
const setValues = Set.prototype.values;
const mapEntriesOf = Map.prototype.entries;
const setEntries = (ctx, value, recurse) => limited(ctx, setValues.call(value), value.size, (v) => show(ctx, v, recurse));
const mapEntries = (ctx, value, recurse) => limited(ctx, mapEntriesOf.call(value), value.size, ([k, v]) => `${show(ctx, k, recurse)} => ${show(ctx, v, recurse)}`);
// An iterator cannot be looked at without moving it on.
const iteratorEntries = (ctx) => [ctx.stylize('<items unknown>', 'special')];

function promiseEntries(ctx, value, recurse) {
  const [state, result] = native.promise(value);
  if (state === 0) return [ctx.stylize('<pending>', 'special')];
  ctx.indentationLvl += 2;
  const text = show(ctx, result, recurse);
  ctx.indentationLvl -= 2;
  return [state === 2 ? `${ctx.stylize('<rejected>', 'special')} ${text}` : text];
}

function bufferEntries(ctx, value) {
  const bytes = new Uint8Array(value, 0, Math.min(Math.max(0, ctx.maxArrayLength), value.byteLength));
  let text = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  const left = value.byteLength - bytes.length;
  if (left > 0) text += ` ... ${left} more byte${left > 1 ? 's' : ''}`;
  return [`${ctx.stylize('[Uint8Contents]', 'special')}: <${text}>`, `byteLength: ${ctx.stylize(`${value.byteLength}`, 'number')}`];
}

// columns sets many short entries of an array in columns.
function columns(ctx, output, value) {
  let total = 0;
  let longest = 0;
  let length = output.length;
  if (ctx.maxArrayLength < output.length) length--; // the last says how many are left out
  const lengths = [];
  for (let i = 0; i < length; i++) {
    lengths.push(bare(output[i]).length);
    total += lengths[i] + 2;
    longest = Math.max(longest, lengths[i]);
  }
  const widest = longest + 2;
  if (!(widest * 3 + ctx.indentationLvl < ctx.breakLength && (total / widest > 5 || longest <= 6))) return output;
  const biased = Math.max(widest - 3 - Math.sqrt(widest - total / output.length), 1);
  const n = Math.min(
    Math.round(Math.sqrt(2.5 * biased * length) / biased), Math.floor((ctx.breakLength - ctx.indentationLvl) / widest), ctx.compact * 4, 15);
  if (n <= 1) return output;
  const widths = [];
  for (let i = 0; i < n; i++) {
    let w = 0;
    for (let j = i; j < length; j += n) w = Math.max(w, lengths[j]);
    widths.push(w + 2);
  }
  let pad = 'padStart';
  if (value !== undefined) for (let i = 0; i < output.length; i++) if (typeof value[i] !== 'number' && typeof value[i] !== 'bigint') { pad = 'padEnd'; break; }
  const rows = [];
  for (let i = 0; i < length; i += n) {
    const end = Math.min(i + n, length);
    let row = '';
    let j = i;
    for (; j < end - 1; j++) row += `${output[j]}, `[pad](widths[j - i] + output[j].length - lengths[j]);
    row += pad === 'padStart' ? output[j].padStart(widths[j - i] + output[j].length - lengths[j] - 2) : output[j];
    rows.push(row);
  }
  if (length < output.length) rows.push(output[length]);
  return rows;
}

function layout(ctx, output, base, braces, extra, recurse, value) {
  const before = base ? `${base} ` : '';
  if (ctx.compact !== true) {
    const entries = output.length;
    if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
      if (extra === ARRAY_EXTRA && entries > 6) output = columns(ctx, output, value);
      if (ctx.currentDepth - recurse < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indentationLvl + braces[0].length + base.length + 10;
        if (fits(ctx, output, start, base)) {
          const joined = output.join(', ');
          if (!joined.includes('\n')) return `${before}${braces[0]} ${joined} ${braces[1]}`;
        }
      }
    }
    const indent = `\n${' '.repeat(ctx.indentationLvl)}`;
    return `${before}${braces[0]}${indent}  ${output.join(`,${indent}  `)}${indent}${braces[1]}`;
  }
  if (fits(ctx, output, 0, base)) return `${braces[0]}${base ? ` ${base}` : ''} ${output.join(', ')} ${braces[1]}`;
  const indent = `\n${' '.repeat(ctx.indentationLvl)}`;
  return `${base ? `${base}` : ''}${braces[0]}${indent}  ${output.join(`,${indent}  `)} ${braces[1]}`;
}

function fits(ctx, output, start, base) {
  let total = output.length + start;
  if (total + output.length > ctx.breakLength) return false;
  for (const text of output) {
    total += ctx.colors ? bare(text).length : text.length;
    if (total > ctx.breakLength) return false;
  }
  return base === '' || !base.includes('\n');
}

module.exports = { inspect, quoted, stripVTControlCharacters: (text) => `${text}`.replace(ansi, '') };
