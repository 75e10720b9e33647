'use strict';
const callable = require('../internal/callable.js');
const operations = require('../internal/fs/operations.js');
const { toPath, toFd, toFlags, toMode } = require('../internal/fs/args.js');
const { Stats, Dirent } = require('../internal/fs/stats.js');
const { readInto, part } = require('../internal/fs/handle.js');
const { Dir, walk, walkSync, cp, cpSync } = require('../internal/fs/tree.js');
const { ReadStream, WriteStream } = require('../internal/fs/streams.js');
const { FSWatcher, StatWatcher, watch, watchFile, unwatchFile } = require('../internal/fs/watch.js');
const { argument, check, aborted } = require('../internal/errors.js');
const native = internalBinding('fs');

const fs = {};
const custom = Symbol.for('nodejs.util.promisify.custom');

/** last takes the callback off the end of the arguments. */
function last(args) {
  const callback = args[args.length - 1];
  if (typeof callback !== 'function') throw argument('cb', 'of type function', undefined);
  args.length--;
  return callback;
}

for (const [name, op] of Object.entries(operations)) {
  const nativeName = op.native ?? name;
  const sync = `${nativeName}Sync`;
  fs[name] = { [name](...given) {
    const callback = name === 'close' && given.length === 1 ? () => {} : last(given);
    const args = op.args(...given);
    native[nativeName](...args, (error, value) => {
      if (error) callback(error);
      else {
        const result = op.result(value, args, ...given);
        if (result === undefined) callback(null);
        else callback(null, result);
      }
    });
  } }[name];
  fs[`${name}Sync`] = { [`${name}Sync`](...given) {
    const args = op.args(...given);
    return op.result(native[sync](...args), args, ...given);
  } }[`${name}Sync`];
}

const { readFile, statSync, lstatSync, readdir, readdirSync } = fs;
fs.readFile = function readFileOrAbort(path, options, callback) {
  const signal = options?.signal;
  if (!signal) {
    readFile(...arguments);
    return;
  }
  if (signal.aborted) process.nextTick(callback, aborted(signal.reason));
  else readFile(path, options, (error, data) => (signal.aborted ? callback(aborted(signal.reason)) : callback(error, data)));
};
for (const [name, ask] of [['statSync', statSync], ['lstatSync', lstatSync]]) {
  fs[name] = (path, options) => {
    if (options?.throwIfNoEntry !== false) return ask(path, options);
    try {
      return ask(path, options);
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    }
  };
}
fs.readdir = (path, options, callback) => {
  if (!options?.recursive) {
    readdir(path, options, ...callback ? [callback] : []);
    return;
  }
  walk(toPath(path), options).then((all) => callback(null, all), callback);
};
fs.readdirSync = (path, options) => options?.recursive ? walkSync(toPath(path), options) : readdirSync(path, options);
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;

fs.exists = (path, callback) => {
  check.function(callback, 'cb');
  fs.access(path, (error) => callback(!error));
};
fs.exists[custom] = (path) => new Promise((done) => fs.exists(path, done));
fs.existsSync = (path) => {
  try {
    return native.exists(toPath(path));
  } catch {
    return false;
  }
};

fs.read = (fd, buffer, offset, length, position, callback) => {
  if (typeof buffer === 'function') [callback, buffer, offset] = [buffer, Buffer.alloc(16384), {}];
  else if (!ArrayBuffer.isView(buffer)) {
    [callback, offset] = [offset, buffer ?? {}];
    buffer = offset.buffer ?? Buffer.alloc(16384);
  } else if (typeof offset === 'function') [callback, offset] = [offset, {}];
  else if (typeof length === 'function') [callback, length] = [length, undefined];
  check.function(callback, 'cb');
  readInto(toFd(fd), buffer, offset, length, position, (error, n) => (error ? callback(error) : callback(null, n, buffer)));
};
Object.defineProperty(fs.read, custom, { value: (...args) => new Promise((done, fail) => {
  fs.read(...args, (error, bytesRead, buffer) => (error ? fail(error) : done({ bytesRead, buffer })));
}) });
fs.readSync = (fd, buffer, offset, length, position) => {
  if (offset !== null && typeof offset === 'object') ({ offset = 0, length, position } = offset);
  offset ??= 0;
  const bytes = native.readSync(toFd(fd), length ?? buffer.byteLength - offset, typeof position === 'number' ? position : typeof position === 'bigint' ? Number(position) : -1);
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(new Uint8Array(bytes), offset);
  return bytes.byteLength;
};
fs.write = (fd, data, ...rest) => {
  const callback = rest.find((x) => typeof x === 'function');
  check.function(callback, 'cb');
  native.write(toFd(fd), ...part(data, ...rest.slice(0, rest.indexOf(callback))), (error, n) => (error ? callback(error) : callback(null, n, data)));
};
Object.defineProperty(fs.write, custom, { value: (...args) => new Promise((done, fail) => {
  fs.write(...args, (error, bytesWritten, buffer) => (error ? fail(error) : done({ bytesWritten, buffer })));
}) });
fs.writeSync = (fd, data, ...rest) => native.writeSync(toFd(fd), ...part(data, ...rest));

const joined = (buffers) => Buffer.concat(buffers.map((b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength)));
fs.writev = (fd, buffers, position, callback) => {
  if (typeof position === 'function') [position, callback] = [null, position];
  native.write(toFd(fd), joined(buffers), typeof position === 'number' ? position : -1, (error, n) => callback(error, n, buffers));
};
fs.writevSync = (fd, buffers, position) => native.writeSync(toFd(fd), joined(buffers), typeof position === 'number' ? position : -1);
fs.readvSync = (fd, buffers, position) => {
  let all = 0;
  for (const b of buffers) {
    const n = fs.readSync(fd, b, 0, b.byteLength, typeof position === 'number' ? position + all : null);
    all += n;
    if (n < b.byteLength) break;
  }
  return all;
};
fs.readv = (fd, buffers, position, callback) => {
  if (typeof position === 'function') [position, callback] = [null, position];
  const step = (i, all) => {
    if (i === buffers.length) {
      callback(null, all, buffers);
      return;
    }
    fs.read(fd, buffers[i], 0, buffers[i].byteLength, typeof position === 'number' ? position + all : null, (error, n) => {
      if (error) callback(error);
      else step(n < buffers[i].byteLength ? buffers.length : i + 1, all + n);
    });
  };
  step(0, 0);
};

fs.truncate = (path, size, callback) => {
  if (typeof size === 'function') [size, callback] = [0, size];
  fs.promises.truncate(path, size).then(() => callback(null), callback);
};
fs.truncateSync = (path, size = 0) => {
  const fd = native.openSync(toPath(path), toFlags('r+'), toMode(0o666));
  try {
    native.ftruncateSync(fd, size);
  } finally {
    native.closeSync(fd);
  }
};
fs.opendir = (path, options, callback = options) => {
  fs.promises.opendir(path).then((dir) => callback(null, dir), callback);
};
fs.opendirSync = (path) => Dir.of(path, native.readdirSync(toPath(path)));
fs.cp = (from, to, options, callback) => {
  if (typeof options === 'function') [options, callback] = [{}, options];
  cp(from, to, options).then(() => callback(null), callback);
};
fs.cpSync = cpSync;
fs.createReadStream = (path, options) => new ReadStream(path, options);
fs.createWriteStream = (path, options) => new WriteStream(path, options);

Object.assign(fs, {
  Stats, Dirent, Dir, FSWatcher, StatWatcher, watch, watchFile, unwatchFile, constants: native.constants,
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1,
});
// Packages such as graceful-fs put classes of their own here.
fs.ReadStream = fs.FileReadStream = callable(ReadStream);
fs.WriteStream = fs.FileWriteStream = callable(WriteStream);
Object.defineProperty(fs, 'promises', { enumerable: true, configurable: true, get: () => require('./fs-promises.js') });

module.exports = fs;
