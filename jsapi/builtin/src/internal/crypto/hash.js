'use strict';
const { Transform } = require('node:stream');
const { coded, argument } = require('../errors.js');
const native = internalBinding('crypto');

/** input is what is hashed: text as UTF-8 or in an encoding, or bytes. */
function input(data, encoding, name = 'data') {
  if (typeof data === 'string') return !encoding || encoding === 'utf8' || encoding === 'utf-8' || encoding === 'buffer' ? data : Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return data;
  throw argument(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

/** output is a result as Node gives it: a Buffer, or text in an encoding. */
function output(bytes, encoding) {
  const buffer = Buffer.from(bytes);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
}

// A Transform is made of a digest only when it is used as one: most are not, and it costs more than the digest.
function lazily(Class) {
  for (const name of ['_readableState', '_writableState', 'allowHalfOpen', '_events', '_eventsCount', '_maxListeners']) {
    Object.defineProperty(Class.prototype, name, {
      configurable: true, enumerable: true,
      get() { become(this); return this[name]; },
      set(value) { Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true }); },
    });
  }
}
const made = Symbol('made');
function become(digest) {
  if (digest[made]) return;
  Object.defineProperty(digest, made, { value: true });
  for (const name of ['_readableState', '_writableState', 'allowHalfOpen', '_events', '_eventsCount', '_maxListeners']) {
    Object.defineProperty(digest, name, { value: undefined, configurable: true, enumerable: true, writable: true });
  }
  Transform.call(digest, digest._options);
}

function Digest() {}
Object.setPrototypeOf(Digest.prototype, Transform.prototype);
Digest.prototype.update = function update(data, encoding) {
  if (this._done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  this._native.update(input(data, encoding));
  return this;
};
Digest.prototype.digest = function digest(encoding) {
  if (this._done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  this._done = true;
  return output(this._native.digest(), encoding);
};
Digest.prototype._transform = function _transform(chunk, encoding, done) {
  this._native.update(input(chunk, encoding));
  done();
};
Digest.prototype._flush = function _flush(done) {
  this.push(this.digest());
  done();
};
lazily(Digest);

function begin(digest, handle, options) {
  for (const [name, value] of Object.entries({ _native: handle, _options: options, _done: false })) {
    Object.defineProperty(digest, name, { value, writable: true, enumerable: false });
  }
}

function Hash(algorithm, options) {
  if (!(this instanceof Hash)) return new Hash(algorithm, options);
  if (typeof algorithm !== 'string') throw argument('algorithm', 'of type string', algorithm);
  const handle = native.hash(algorithm);
  if (!handle) throw coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'Digest method not supported');
  begin(this, handle, options);
}
Object.setPrototypeOf(Hash.prototype, Digest.prototype);
Object.defineProperty(Hash.prototype, 'constructor', { value: Hash, writable: true, configurable: true });
Hash.prototype.copy = function copy(options) {
  if (this._done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  const other = Object.create(Hash.prototype);
  begin(other, this._native.copy(), options);
  return other;
};

function Hmac(algorithm, key, options) {
  if (!(this instanceof Hmac)) return new Hmac(algorithm, key, options);
  if (typeof algorithm !== 'string') throw argument('hmac', 'of type string', algorithm);
  const handle = native.hmac(algorithm, keyBytes(key, options?.encoding));
  if (!handle) throw coded(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
  begin(this, handle, options);
}
Object.setPrototypeOf(Hmac.prototype, Digest.prototype);
Object.defineProperty(Hmac.prototype, 'constructor', { value: Hmac, writable: true, configurable: true });
// A second digest() of an HMAC gives nothing, rather than an error: so it is in Node.
Hmac.prototype.digest = function digest(encoding) {
  if (this._done) return encoding && encoding !== 'buffer' ? '' : Buffer.alloc(0);
  return Digest.prototype.digest.call(this, encoding);
};

/** KeyObject is a secret key; the others have no use here. */
class KeyObject {
  #bytes;
  constructor(type, bytes) {
    if (type !== 'secret') {
      throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', `${type} keys are not available: there are secret keys, hashes, HMACs and AES`);
    }
    this.#bytes = bytes;
  }

  get type() { return 'secret'; }
  get symmetricKeySize() { return this.#bytes.length; }
  export(options) {
    if (options?.format === 'jwk') return { kty: 'oct', k: this.#bytes.toString('base64url') };
    return Buffer.from(this.#bytes);
  }

  equals(other) { return other instanceof KeyObject && native.equal(this.#bytes, other.export()); }
}

function keyBytes(key, encoding) {
  if (key instanceof KeyObject) return key.export();
  return input(key, encoding, 'key');
}
const createSecretKey = (key, encoding) => new KeyObject('secret', Buffer.from(typeof key === 'string' ? Buffer.from(key, encoding) : new Uint8Array(key.buffer ?? key, key.byteOffset ?? 0, key.byteLength)));

module.exports = { Hash, Hmac, KeyObject, keyBytes, createSecretKey, input, output };
