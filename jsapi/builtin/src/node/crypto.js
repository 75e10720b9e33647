'use strict';
const { Hash, Hmac, KeyObject, keyBytes, createSecretKey, input, output } = require('../internal/crypto/hash.js');
const { createCipheriv, createDecipheriv, Cipheriv, Decipheriv } = require('../internal/crypto/cipher.js');
const { coded, argument, range, check } = require('../internal/errors.js');
const webcrypto = require('../internal/crypto/web.js');
const native = internalBinding('crypto');

const later = (callback, make) => setImmediate(() => {
  let value;
  try {
    value = make();
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, value);
});

function size(value, most = 2147483647) {
  check.number(value, 'size');
  if (!(value >= 0 && value <= most)) throw range('size', `>= 0 && <= ${most}`, value);
  return Math.trunc(value);
}

function randomBytes(n, callback) {
  n = size(n);
  if (callback === undefined) return Buffer.from(native.random(n));
  check.function(callback, 'callback');
  later(callback, () => Buffer.from(native.random(n)));
  return undefined;
}

/** part is the piece of a buffer that is to be filled. */
function part(buffer, offset = 0, length = undefined) {
  if (!ArrayBuffer.isView(buffer) && !(buffer instanceof ArrayBuffer)) throw argument('buf', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', buffer);
  const bytes = buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const unit = buffer.BYTES_PER_ELEMENT ?? 1;
  return bytes.subarray(offset * unit, length === undefined ? undefined : (offset + length) * unit);
}
function randomFillSync(buffer, offset, length) {
  native.fill(part(buffer, offset, length));
  return buffer;
}
function randomFill(buffer, offset, length, callback) {
  if (typeof offset === 'function') [offset, callback] = [0, offset];
  else if (typeof length === 'function') [length, callback] = [undefined, length];
  check.function(callback, 'callback');
  later(callback, () => randomFillSync(buffer, offset, length));
}

function randomInt(min, max, callback) {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  if (!Number.isSafeInteger(min)) throw argument('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw argument('max', 'a safe integer', max);
  if (max <= min) throw range('max', `greater than the value of "min" (${min})`, max);
  const span = max - min;
  if (!(span <= 281474976710655)) throw range('max - min', '<= 281474976710655', span);
  const limit = 281474976710656 - 281474976710656 % span;
  const draw = () => {
    for (;;) {
      const n = Buffer.from(native.random(6)).readUIntBE(0, 6);
      if (n < limit) return min + n % span;
    }
  };
  if (callback === undefined) return draw();
  later(callback, draw);
  return undefined;
}

function timingSafeEqual(a, b) {
  for (const [name, value] of [['buf1', a], ['buf2', b]]) {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) throw argument(name, 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
  }
  if (a.byteLength !== b.byteLength) {
    throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  return native.equal(a, b);
}

function pbkdf2Args(password, salt, iterations, length, digest) {
  if (typeof digest !== 'string') throw argument('digest', 'of type string', digest);
  check.number(iterations, 'iterations');
  if (!(iterations >= 1)) throw range('iterations', '>= 1 && <= 2147483647', iterations);
  size(length);
  return [input(password, undefined, 'password'), input(salt, undefined, 'salt'), iterations, length, digest];
}
function scryptArgs(password, salt, length, options = {}) {
  const { N, r, p } = { N: options.cost ?? 16384, r: options.blockSize ?? 8, p: options.parallelization ?? 1, ...options };
  return [input(password, undefined, 'password'), input(salt, undefined, 'salt'), size(length), N, r, p, options.maxmem ?? 33554432];
}
function hkdfArgs(digest, key, salt, info, length) { return [digest, keyBytes(key), input(salt), input(info), size(length)]; }
const buffered = (callback) => (error, bytes) => (error ? callback(error) : callback(null, Buffer.from(bytes)));

const unavailable = (name) => function () {
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', `crypto.${name}() is not available: there are hashes, HMACs, AES, random bytes and keys from passwords`);
};

module.exports = {
  Hash, Hmac, KeyObject, Cipheriv, Decipheriv,
  createHash: (algorithm, options) => new Hash(algorithm, options),
  createHmac: (algorithm, key, options) => new Hmac(algorithm, key, options),
  hash: (algorithm, data, encoding = 'hex') => new Hash(algorithm).update(data).digest(encoding),
  createSecretKey, createCipheriv, createDecipheriv,
  getHashes: () => native.hashes(), getCiphers: () => native.ciphers(), getCurves: () => [],
  randomBytes, pseudoRandomBytes: randomBytes, prng: randomBytes, rng: randomBytes,
  randomFill, randomFillSync, randomInt, randomUUID: () => native.uuid(), timingSafeEqual,
  pbkdf2(...args) {
    const callback = args.pop();
    check.function(callback, 'callback');
    native.pbkdf2(...pbkdf2Args(...args), buffered(callback));
  },
  pbkdf2Sync: (...args) => output(native.pbkdf2Sync(...pbkdf2Args(...args))),
  scrypt(...args) {
    const callback = args.pop();
    check.function(callback, 'callback');
    native.scrypt(...scryptArgs(...args), buffered(callback));
  },
  scryptSync: (...args) => output(native.scryptSync(...scryptArgs(...args))),
  hkdf(...args) {
    const callback = args.pop();
    check.function(callback, 'callback');
    native.hkdf(...hkdfArgs(...args), (error, bytes) => callback(error, bytes));
  },
  hkdfSync: (...args) => native.hkdfSync(...hkdfArgs(...args)),
  createSign: unavailable('createSign'), createVerify: unavailable('createVerify'), sign: unavailable('sign'), verify: unavailable('verify'),
  createPublicKey: unavailable('createPublicKey'), createPrivateKey: unavailable('createPrivateKey'),
  generateKeyPair: unavailable('generateKeyPair'), generateKeyPairSync: unavailable('generateKeyPairSync'),
  createDiffieHellman: unavailable('createDiffieHellman'), createECDH: unavailable('createECDH'),
  publicEncrypt: unavailable('publicEncrypt'), privateDecrypt: unavailable('privateDecrypt'),
  constants: { RSA_PKCS1_PADDING: 1, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1 },
  webcrypto, subtle: webcrypto.subtle, getRandomValues: webcrypto.getRandomValues, getFips: () => 0,
};
