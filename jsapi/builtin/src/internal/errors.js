'use strict';
// Errors as Node words them, and DOMException.

const kinds = [Error, TypeError, RangeError, SyntaxError, URIError];

/** coded makes an error with Node's code; its stack begins with it, as Node's does. */
function coded(Kind, code, message, fields) {
  const error = new Kind(message);
  Object.defineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
  if (fields) Object.assign(error, fields);
  const head = `${error.name}: ${message}`;
  const stack = error.stack;
  if (typeof stack === 'string' && stack.startsWith(head)) {
    error.stack = `${error.name} [${code}]${stack.slice(error.name.length)}`;
  }
  Object.defineProperty(error, 'toString', {
    value() { return `${this.name} [${code}]: ${this.message}`; }, writable: true, enumerable: false, configurable: true,
  });
  return error;
}

/** received says what a value is, for the end of a message. */
function received(value) {
  if (value == null) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    return ` Received ${require('../node/util.js').inspect(value, { depth: -1 })}`;
  }
  let text = require('../node/util.js').inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return ` Received type ${typeof value} (${text})`;
}

/** argument is ERR_INVALID_ARG_TYPE: expected reads "of type string", "an instance of Buffer". */
function argument(name, expected, value) {
  const what = name.includes(' ') || name.endsWith(' argument') ? `The ${name}` :
    `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${expected}.${received(value)}`);
}

/** range is ERR_OUT_OF_RANGE. */
function range(name, expected, value) {
  return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${expected}. Received ${value}`);
}

/** invalid is ERR_INVALID_ARG_VALUE. */
function invalid(name, value, why = 'is invalid') {
  const text = require('../node/util.js').inspect(value);
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE',
    `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${why}. Received ${text}`);
}

/** aborted is the AbortError that Node's own functions reject with. */
function aborted(cause) {
  const error = new Error('The operation was aborted', cause === undefined ? undefined : { cause });
  error.code = 'ABORT_ERR';
  error.name = 'AbortError';
  return error;
}

const codes = {
  INDEX_SIZE_ERR: 1, HIERARCHY_REQUEST_ERR: 3, WRONG_DOCUMENT_ERR: 4, INVALID_CHARACTER_ERR: 5,
  NO_MODIFICATION_ALLOWED_ERR: 7, NOT_FOUND_ERR: 8, NOT_SUPPORTED_ERR: 9, INUSE_ATTRIBUTE_ERR: 10, INVALID_STATE_ERR: 11,
  SYNTAX_ERR: 12, INVALID_MODIFICATION_ERR: 13, NAMESPACE_ERR: 14, INVALID_ACCESS_ERR: 15, TYPE_MISMATCH_ERR: 17,
  SECURITY_ERR: 18, NETWORK_ERR: 19, ABORT_ERR: 20, URL_MISMATCH_ERR: 21, QUOTA_EXCEEDED_ERR: 22, TIMEOUT_ERR: 23,
  INVALID_NODE_TYPE_ERR: 24, DATA_CLONE_ERR: 25,
};
const irregular = { InUseAttributeError: 'INUSE_ATTRIBUTE_ERR' };

class DOMException extends Error {
  constructor(message = '', options = 'Error') {
    const name = typeof options === 'object' ? options?.name ?? 'Error' : String(options);
    super(message, typeof options === 'object' && 'cause' in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, 'name', { value: name, writable: true, enumerable: false, configurable: true });
  }

  get code() {
    const constant = irregular[this.name] ?? `${this.name.replace(/Error$/, '').replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}_ERR`;
    return codes[constant] ?? 0;
  }

  get [Symbol.toStringTag]() { return 'DOMException'; }
}
Object.assign(DOMException, codes);
Object.assign(DOMException.prototype, codes);

const check = {
  function(value, name) { if (typeof value !== 'function') throw argument(name, 'of type function', value); },
  string(value, name) { if (typeof value !== 'string') throw argument(name, 'of type string', value); },
  number(value, name) { if (typeof value !== 'number') throw argument(name, 'of type number', value); },
  boolean(value, name) { if (typeof value !== 'boolean') throw argument(name, 'of type boolean', value); },
  object(value, name) {
    if (value === null || typeof value !== 'object') throw argument(name, 'of type object', value);
  },
  signal(value, name) {
    if (value !== undefined && (value === null || typeof value !== 'object' || !('aborted' in value))) {
      throw argument(name, 'an instance of AbortSignal', value);
    }
  },
};

module.exports = { coded, argument, range, invalid, received, aborted, check, kinds, DOMException };
require('./names.js').named(module.exports, ['DOMException']);
