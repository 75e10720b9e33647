'use strict';
const callable = require('../internal/callable.js');
const lazy = require('../internal/lazy.js');
const { Transform } = require('node:stream');
const { argument, range } = require('../internal/errors.js');
const native = internalBinding('zlib');

const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_TREES: 6,
  Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
  Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0,
  DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5, INFLATERAW: 6, UNZIP: 7, BROTLI_DECODE: 8, BROTLI_ENCODE: 9,
  Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384,
  Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_OPERATION_EMIT_METADATA: 3,
  BROTLI_PARAM_MODE: 0, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_MODE_FONT: 2, BROTLI_DEFAULT_MODE: 0,
  BROTLI_PARAM_QUALITY: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_DEFAULT_QUALITY: 11,
  BROTLI_PARAM_LGWIN: 2, BROTLI_DEFAULT_WINDOW: 22, BROTLI_PARAM_SIZE_HINT: 5,
};

/** level is what the encoder of a kind is told. */
function level(kind, options) {
  if (kind === 'brotli') return options?.params?.[constants.BROTLI_PARAM_QUALITY] ?? 6;
  const n = options?.level ?? -1;
  if (typeof n !== 'number') throw argument('options.level', 'of type number', n);
  if (!(n >= -1 && n <= 9)) throw range('options.level', '>= -1 and <= 9', n);
  return n;
}

const bytesOf = (data, name = 'buffer') => {
  if (typeof data === 'string' || ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return data;
  throw argument(name, 'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer', data);
};

class Zlib extends Transform {
  constructor(options) {
    super({ autoDestroy: true, ...options });
    this.bytesWritten = 0;
  }

  get _closed() { return this.destroyed; }
  close(callback) {
    if (callback) this.once('close', callback);
    this.destroy();
  }

  params(newLevel, strategy, callback) { process.nextTick(callback); }
}

class Encoder extends Zlib {
  #native;
  constructor(kind, options) {
    super(options);
    this.#native = native.encoder(kind, level(kind, options));
    this._each = options?.flush === constants.Z_SYNC_FLUSH || options?.flush === constants.Z_FULL_FLUSH ? 1 : 0;
  }

  #write(data, flush, done) {
    this.#native.write(data, flush, (error, out) => {
      if (this.destroyed) return;
      if (!error && out.byteLength > 0) this.push(Buffer.from(out));
      done(error);
    });
  }

  flush(kind, callback) {
    if (typeof kind === 'function') callback = kind;
    const go = () => this.#write(new Uint8Array(0), 1, (error) => (error ? this.destroy(error) : callback?.()));
    // What was written goes first.
    if (this.writableLength > 0) this.write(Buffer.alloc(0), go);
    else go();
  }

  reset() { this.#native.reset(); }
  _transform(chunk, encoding, done) {
    this.bytesWritten += chunk.length;
    this.#write(chunk, this._each, done);
  }

  _flush(done) { this.#write(new Uint8Array(0), 2, done); }
}

class Decoder extends Zlib {
  #native;
  #kind;
  #ended = false;
  #waiting;
  constructor(kind, options) {
    super(options);
    this.#kind = kind;
    this.#native = native.decoder(kind);
    // What is at hand is enough, where a flush is asked for at the end.
    this.#lenient = options?.finishFlush !== undefined && options.finishFlush !== constants.Z_FINISH;
  }

  #lenient;

  // Output comes while there is room for it.
  #drain(done) {
    this.#native.next((error, out) => {
      if (this.destroyed) return;
      if (error) {
        if (this.#lenient && error.code === 'Z_BUF_ERROR') {
          this.#ended = true;
          done();
        } else done(error);
        return;
      }
      if (out === null) {
        done();
        return;
      }
      if (out === undefined) {
        this.#ended = true;
        done();
        return;
      }
      if (this.push(Buffer.from(out))) this.#drain(done);
      else this.#waiting = () => this.#drain(done);
    });
  }

  _read(n) {
    const go = this.#waiting;
    if (go) {
      this.#waiting = undefined;
      go();
    } else super._read(n);
  }

  flush(kind, callback) { (typeof kind === 'function' ? kind : callback)?.(); }
  reset() {
    this.#native.close();
    this.#native = native.decoder(this.#kind);
    this.#ended = false;
  }

  _transform(chunk, encoding, done) {
    this.bytesWritten += chunk.length;
    if (this.#ended || chunk.length === 0) {
      done(); // what follows the data is ignored
      return;
    }
    this.#native.feed(chunk, false);
    this.#drain(done);
  }

  _flush(done) {
    if (this.#ended) {
      done();
      return;
    }
    if (this.bytesWritten === 0 && this.#kind === 'unzip') {
      done();
      return;
    }
    this.#native.feed(new Uint8Array(0), true);
    this.#drain(done);
  }

  _destroy(error, done) {
    this.#native.close();
    super._destroy(error, done);
  }
}

const KINDS = {
  Gzip: ['gzip', true], Gunzip: ['gzip', false], Deflate: ['deflate', true], Inflate: ['deflate', false],
  DeflateRaw: ['deflateRaw', true], InflateRaw: ['deflateRaw', false], Unzip: ['unzip', false],
  BrotliCompress: ['brotli', true], BrotliDecompress: ['brotli', false],
};
const MAX = 2147483647;

const zlib = { constants, codes: {} };
for (const name of ['Z_OK', 'Z_STREAM_END', 'Z_NEED_DICT', 'Z_ERRNO', 'Z_STREAM_ERROR', 'Z_DATA_ERROR', 'Z_MEM_ERROR', 'Z_BUF_ERROR', 'Z_VERSION_ERROR']) {
  zlib.codes[name] = constants[name];
  zlib.codes[constants[name]] = name;
}
for (const [name, [kind, encode]] of Object.entries(KINDS)) {
  lazy(zlib, name, () => {
    const Base = encode ? Encoder : Decoder;
    return callable({ [name]: class extends Base { constructor(options) { super(kind, options); } } }[name]);
  });
  zlib[`create${name}`] = (options) => new zlib[name](options);
  const short = name[0].toLowerCase() + name.slice(1);
  zlib[short] = (data, options, callback) => {
    if (typeof options === 'function') [options, callback] = [{}, options];
    if (typeof callback !== 'function') throw argument('callback', 'of type function', callback);
    native.all(encode, kind, encode ? level(kind, options) : 0, bytesOf(data), options?.maxOutputLength ?? MAX,
      (error, out) => (error ? callback(error) : callback(null, Buffer.from(out))));
  };
  zlib[`${short}Sync`] = (data, options) => Buffer.from(
    native.allSync(encode, kind, encode ? level(kind, options) : 0, bytesOf(data), options?.maxOutputLength ?? MAX));
}

zlib.crc32 = (data, value = 0) => native.crc32(bytesOf(data, 'data'), value);
for (const name in constants) if (name.startsWith('Z_')) zlib[name] = constants[name];
module.exports = zlib;
