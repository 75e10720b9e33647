'use strict';
const { constants: C } = internalBinding('fs');

class Kinds {
  _is(kind) { return (Number(this.mode) & C.S_IFMT) === kind; }
  isDirectory() { return this._is(C.S_IFDIR); }
  isFile() { return this._is(C.S_IFREG); }
  isBlockDevice() { return this._is(C.S_IFBLK); }
  isCharacterDevice() { return this._is(C.S_IFCHR); }
  isSymbolicLink() { return this._is(C.S_IFLNK); }
  isFIFO() { return this._is(C.S_IFIFO); }
  isSocket() { return this._is(C.S_IFSOCK); }
}
const NAMES = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime'];

class Stats extends Kinds {
  constructor(flat) {
    super();
    for (let i = 0; i < NAMES.length; i++) this[NAMES[i]] = flat[i];
    for (let i = 0; i < TIMES.length; i++) this[`${TIMES[i]}Ms`] = flat[NAMES.length + i];
    for (let i = 0; i < TIMES.length; i++) this[TIMES[i]] = new Date(Math.round(flat[NAMES.length + i]));
  }
}

class BigIntStats extends Kinds {
  constructor(flat) {
    super();
    for (let i = 0; i < NAMES.length; i++) this[NAMES[i]] = flat[i];
    for (let i = 0; i < TIMES.length; i++) this[`${TIMES[i]}Ms`] = flat[NAMES.length + i] / 1000000n;
    for (let i = 0; i < TIMES.length; i++) this[`${TIMES[i]}Ns`] = flat[NAMES.length + i];
    for (let i = 0; i < TIMES.length; i++) this[TIMES[i]] = new Date(Number(flat[NAMES.length + i] / 1000000n));
  }
}

class StatFs {
  constructor(flat, large) {
    ['type', 'bsize', 'blocks', 'bfree', 'bavail', 'files', 'ffree'].forEach((name, i) => { this[name] = large ? BigInt(flat[i]) : flat[i]; });
  }
}

const kind = Symbol('type');
class Dirent {
  constructor(name, type, path) {
    this.name = name;
    this.parentPath = path;
    this.path = path;
    Object.defineProperty(this, kind, { value: type });
  }

  isDirectory() { return this[kind] === C.UV_DIRENT_DIR; }
  isFile() { return this[kind] === C.UV_DIRENT_FILE; }
  isBlockDevice() { return this[kind] === C.UV_DIRENT_BLOCK; }
  isCharacterDevice() { return this[kind] === C.UV_DIRENT_CHAR; }
  isSymbolicLink() { return this[kind] === C.UV_DIRENT_LINK; }
  isFIFO() { return this[kind] === C.UV_DIRENT_FIFO; }
  isSocket() { return this[kind] === C.UV_DIRENT_SOCKET; }
}

module.exports = { Stats, BigIntStats, StatFs, Dirent, statsOf: (flat, large) => new (large ? BigIntStats : Stats)(flat) };
