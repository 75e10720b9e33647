'use strict';
// globalThis.crypto: the part of Web Crypto that needs no keys but HMAC's.
const { DOMException, argument } = require('../errors.js');
const native = internalBinding('crypto');

const DIGESTS = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
const named = (algorithm) => `${typeof algorithm === 'string' ? algorithm : algorithm?.name}`.toUpperCase();
const bytesOf = (data) => {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw argument('data', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', data);
};
const unknown = () => new DOMException('Unrecognized algorithm name', 'NotSupportedError');

class CryptoKey {
  constructor(bytes, algorithm, extractable, usages) {
    Object.assign(this, { type: 'secret', algorithm, extractable, usages });
    Object.defineProperty(this, 'bytes', { value: bytes });
  }
}

const subtle = {
  async digest(algorithm, data) {
    const name = DIGESTS[named(algorithm)];
    if (!name) throw unknown();
    const h = native.hash(name);
    h.update(bytesOf(data));
    return h.digest();
  },
  async importKey(format, data, algorithm, extractable, usages) {
    if (named(algorithm) !== 'HMAC') throw unknown();
    if (format !== 'raw' && format !== 'jwk') throw new DOMException('Unable to import HMAC key with this format', 'NotSupportedError');
    const bytes = format === 'jwk' ? Buffer.from(data.k, 'base64url') : Buffer.from(bytesOf(data));
    return new CryptoKey(bytes, { name: 'HMAC', hash: { name: named(algorithm.hash) }, length: bytes.length * 8 }, extractable, usages);
  },
  async generateKey(algorithm, extractable, usages) {
    if (named(algorithm) !== 'HMAC') throw unknown();
    return subtle.importKey('raw', native.random(algorithm.length ? algorithm.length / 8 : 64), algorithm, extractable, usages);
  },
  async exportKey(format, key) {
    if (!key.extractable) throw new DOMException('key is not extractable', 'InvalidAccessException');
    return format === 'jwk' ? { kty: 'oct', k: key.bytes.toString('base64url') } : new Uint8Array(key.bytes).buffer;
  },
  async sign(algorithm, key, data) {
    const name = DIGESTS[key.algorithm.hash.name];
    if (named(algorithm) !== 'HMAC' || !name) throw unknown();
    const h = native.hmac(name, key.bytes);
    h.update(bytesOf(data));
    return h.digest();
  },
  async verify(algorithm, key, signature, data) {
    return native.equal(bytesOf(signature), new Uint8Array(await subtle.sign(algorithm, key, data)));
  },
};

const whole = /^(Int|Uint|BigInt|BigUint)\d+(Clamped)?Array$|^Buffer$/;
module.exports = {
  subtle, CryptoKey,
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || !whole.test(array.constructor?.name ?? '') && !(array instanceof Uint8Array)) {
      throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    }
    if (array.byteLength > 65536) {
      throw new DOMException(`The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
    }
    native.fill(array);
    return array;
  },
  randomUUID: () => native.uuid(),
};
