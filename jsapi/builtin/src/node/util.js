'use strict';
const { inspect, stripVTControlCharacters } = require('../internal/inspect.js');
const { format, formatWithOptions } = require('../internal/format.js');
const native = internalBinding('types');
const { coded, argument, check } = require('../internal/errors.js');

const customPromisify = Symbol.for('nodejs.util.promisify.custom');
const customArgs = Symbol('customPromisifyArgs');

function promisify(original) {
  check.function(original, 'original');
  if (original[customPromisify]) {
    const f = original[customPromisify];
    check.function(f, 'util.promisify.custom');
    return Object.defineProperty(f, customPromisify, { value: f, enumerable: false, writable: false, configurable: true });
  }
  const names = original[customArgs];
  function f(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => {
        if (error) reject(error);
        else if (names !== undefined && values.length > 1) resolve(Object.fromEntries(names.map((n, i) => [n, values[i]])));
        else resolve(values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(f, Object.getPrototypeOf(original));
  Object.defineProperty(f, customPromisify, { value: f, enumerable: false, writable: false, configurable: true });
  const properties = Object.getOwnPropertyDescriptors(original);
  delete properties.prototype;
  return Object.defineProperties(f, properties);
}
promisify.custom = customPromisify;

function callbackify(original) {
  check.function(original, 'original');
  function f(...args) {
    const done = args.pop();
    check.function(done, 'last argument');
    Reflect.apply(original, this, args).then(
      (value) => process.nextTick(done, null, value),
      (reason) => {
        let error = reason;
        if (!reason) {
          error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
          error.reason = reason;
        }
        process.nextTick(done, error);
      });
  }
  const properties = Object.getOwnPropertyDescriptors(original);
  delete properties.prototype;
  if (typeof properties.length.value === 'number') properties.length.value++;
  if (typeof properties.name.value === 'string') properties.name.value += 'Callbackified';
  return Object.defineProperties(f, properties);
}

function inherits(constructor, parent) {
  if (typeof constructor !== 'function') throw argument('ctor', 'of type function', constructor);
  if (typeof parent !== 'function') throw argument('superCtor', 'of type function', parent);
  if (parent.prototype === undefined) throw argument('superCtor.prototype', 'of type object', parent.prototype);
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

function deprecate(f, message, code) {
  let told = false;
  function deprecated(...args) {
    if (!told && process.noDeprecation !== true) {
      told = true;
      process.emitWarning(message, 'DeprecationWarning', code);
    }
    return new.target ? Reflect.construct(f, args, new.target) : Reflect.apply(f, this, args);
  }
  Object.setPrototypeOf(deprecated, f);
  if (f.prototype) deprecated.prototype = f.prototype;
  return deprecated;
}

function debuglog(section, ready) {
  const wanted = (process.env.NODE_DEBUG ?? '').toUpperCase().split(',').map((s) => s.trim());
  const name = `${section}`.toUpperCase();
  const enabled = wanted.some((w) => new RegExp(`^${w.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*')}$`).test(name) && w !== '');
  const log = enabled ? (...args) => process.stderr.write(`${name} ${process.pid}: ${format(...args)}\n`) : () => {};
  Object.defineProperty(log, 'enabled', { value: enabled });
  ready?.(log);
  return log;
}

const { kind } = require('../internal/kinds.js');
const typed = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
const typedName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const types = {
  isProxy: native.isProxy,
  isPromise: (v) => kind(v) === 'Promise',
  isRegExp: (v) => kind(v) === 'RegExp',
  isDate: (v) => kind(v) === 'Date',
  isMap: (v) => kind(v) === 'Map',
  isSet: (v) => kind(v) === 'Set',
  isWeakMap: (v) => kind(v) === 'WeakMap',
  isWeakSet: (v) => kind(v) === 'WeakSet',
  isNativeError: (v) => kind(v) === 'Error',
  isArgumentsObject: (v) => kind(v) === 'Arguments',
  isGeneratorObject: (v) => kind(v) === 'Generator',
  isGeneratorFunction: (v) => typeof v === 'function' && /^(async\s+)?function\s*\*|^\s*(async\s*)?\*/.test(Function.prototype.toString.call(v)),
  isAsyncFunction: (v) => typeof v === 'function' && /^async\b/.test(Function.prototype.toString.call(v)),
  isMapIterator: (v) => kind(v) === 'Map Iterator',
  isSetIterator: (v) => kind(v) === 'Set Iterator',
  isArrayBuffer: (v) => kind(v) === 'ArrayBuffer',
  isSharedArrayBuffer: () => false,
  isAnyArrayBuffer: (v) => kind(v) === 'ArrayBuffer',
  isDataView: (v) => kind(v) === 'DataView',
  isArrayBufferView: ArrayBuffer.isView,
  isTypedArray: (v) => ArrayBuffer.isView(v) && typedName.call(v) !== undefined,
  isNumberObject: (v) => kind(v) === 'Number',
  isStringObject: (v) => kind(v) === 'String',
  isBooleanObject: (v) => kind(v) === 'Boolean',
  isBigIntObject: (v) => kind(v) === 'BigInt',
  isSymbolObject: (v) => kind(v) === 'Symbol',
  isBoxedPrimitive: (v) => ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].includes(kind(v)),
  isExternal: () => false,
  isModuleNamespaceObject: () => false,
  isCryptoKey: () => false,
  isKeyObject: () => false,
};
for (const name of typed) types[`is${name}`] = (v) => ArrayBuffer.isView(v) && typedName.call(v) === name;

async function abortedBy(signal, resource) {
  check.signal(signal, 'signal');
  check.object(resource, 'resource');
  if (signal.aborted) return undefined;
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function styleText(style, text) {
  let out = `${text}`;
  for (const name of [style].flat()) {
    const codes = inspect.colors[name];
    if (!codes) throw argument('format', `one of: ${Object.keys(inspect.colors).join(', ')}`, name);
    out = `\x1b[${codes[0]}m${out}\x1b[${codes[1]}m`;
  }
  return out;
}

module.exports = {
  inspect, format, formatWithOptions, stripVTControlCharacters,
  promisify, callbackify, inherits, deprecate, debuglog, debug: debuglog, types, styleText,
  aborted: abortedBy,
  isDeepStrictEqual: (a, b) => { try { require('./assert.js').deepStrictEqual(a, b); return true; } catch { return false; } },
  toUSVString: (s) => `${s}`.toWellFormed(),
  getSystemErrorName: (n) => native.errorName(n),
  getSystemErrorMap: () => native.errorMap(),
  parseArgs: (config) => require('../internal/arguments.js')(config),
  transferableAbortController: () => new AbortController(),
  isArray: Array.isArray,
  isBoolean: (v) => typeof v === 'boolean',
  isNull: (v) => v === null,
  isNullOrUndefined: (v) => v === null || v === undefined,
  isNumber: (v) => typeof v === 'number',
  isString: (v) => typeof v === 'string',
  isSymbol: (v) => typeof v === 'symbol',
  isUndefined: (v) => v === undefined,
  isRegExp: types.isRegExp,
  isObject: (v) => v !== null && typeof v === 'object',
  isDate: types.isDate,
  isError: (v) => types.isNativeError(v) || v instanceof Error,
  isFunction: (v) => typeof v === 'function',
  isPrimitive: (v) => v === null || typeof v !== 'object' && typeof v !== 'function',
  isBuffer: (v) => Buffer.isBuffer(v),
  log: (...args) => console.log('%s', format(...args)),
  _extend: (target, source) => (source !== null && typeof source === 'object' ? Object.assign(target, source) : target),
  get TextEncoder() { return globalThis.TextEncoder; },
  get TextDecoder() { return globalThis.TextDecoder; },
};
