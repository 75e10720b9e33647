'use strict';
const { Transform } = require('node:stream');
const { coded } = require('../errors.js');
const { keyBytes, input, output } = require('./hash.js');
const native = internalBinding('crypto');

class Cipher extends Transform {
  #handle;
  #gcm;
  #decrypt;
  #over = false;
  constructor(name, key, iv, options, decrypt) {
    super(options);
    this.#handle = native.cipher(`${name}`.toLowerCase(), keyBytes(key), iv === null ? new Uint8Array(0) : input(iv), decrypt);
    this.#gcm = /gcm$/i.test(name);
    this.#decrypt = decrypt;
  }

  update(data, from, to) { return output(this.#handle.update(input(data, from)), to); }
  final(encoding) {
    if (this.#over) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
    this.#over = true;
    return output(this.#handle.final(), encoding);
  }

  setAutoPadding(on = true) { this.#handle.padding(!!on); return this; }
  setAAD(data, options) { this.#handle.aad(input(data, options?.encoding)); return this; }
  getAuthTag() {
    if (!this.#gcm || this.#decrypt || !this.#over) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    return Buffer.from(this.#handle.tag());
  }

  setAuthTag(tag, encoding) { this.#handle.tag(input(tag, encoding)); return this; }
  _transform(chunk, encoding, done) {
    this.push(this.update(chunk, encoding));
    done();
  }

  _flush(done) {
    try {
      this.push(this.final());
    } catch (error) {
      done(error);
      return;
    }
    done();
  }
}

module.exports = {
  createCipheriv: (name, key, iv, options) => new Cipher(name, key, iv, options, false),
  createDecipheriv: (name, key, iv, options) => new Cipher(name, key, iv, options, true),
  Cipheriv: Cipher, Decipheriv: Cipher,
};
