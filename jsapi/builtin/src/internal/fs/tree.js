'use strict';
// Whole directories: reading them entry by entry, recursively, and copying them.
const { join, relative, dirname } = require('node:path');
const { toPath } = require('./args.js');
const { Dirent } = require('./stats.js');
const { call } = require('./handle.js');
const { coded } = require('../errors.js');
const native = internalBinding('fs');

class Dir {
  #entries;
  #closed = false;
  constructor(path, entries) { this.path = path; this.#entries = entries; }

  static of(path, [names, kinds]) { return new Dir(path, names.map((name, i) => new Dirent(name, kinds[i], path))); }

  #check() { if (this.#closed) throw coded(Error, 'ERR_DIR_CLOSED', 'Directory handle was closed'); }
  readSync() { this.#check(); return this.#entries.shift() ?? null; }
  closeSync() { this.#check(); this.#closed = true; }
  read(callback) {
    if (callback) process.nextTick(() => callback(null, this.#entries.shift() ?? null));
    else return Promise.resolve().then(() => this.readSync());
    return undefined;
  }

  close(callback) {
    this.#closed = true;
    if (callback) process.nextTick(callback, null);
    else return Promise.resolve();
    return undefined;
  }

  async* [Symbol.asyncIterator]() {
    try {
      for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) yield entry;
    } finally {
      this.#closed = true;
    }
  }

  async* entries() { yield* this[Symbol.asyncIterator](); }
  [Symbol.asyncDispose]() { return this.close(); }
}

/** walked is readdir's answer with what lies below: names relative to path, or Dirents. */
function collect(path, below, names, kinds, into, withFileTypes) {
  const dirs = [];
  names.forEach((name, i) => {
    const at = join(below, name);
    into.push(withFileTypes ? new Dirent(name, kinds[i], join(path, below)) : at);
    if (kinds[i] === native.constants.UV_DIRENT_DIR) dirs.push(at);
  });
  return dirs;
}

async function walk(path, options) {
  const all = [];
  const waiting = [''];
  while (waiting.length > 0) {
    const below = waiting.shift();
    const [names, kinds] = await call('readdir', join(path, below));
    waiting.push(...collect(path, below, names, kinds, all, options.withFileTypes));
  }
  return all;
}

function walkSync(path, options) {
  const all = [];
  const waiting = [''];
  while (waiting.length > 0) {
    const below = waiting.shift();
    const [names, kinds] = native.readdirSync(join(path, below));
    waiting.push(...collect(path, below, names, kinds, all, options.withFileTypes));
  }
  return all;
}

/** copying is the steps of cp, for a form that awaits them and one that does not. */
function* copying(from, to, o) {
  if (o.filter && !(yield ['filter', from, to])) return;
  const mode = (yield ['lstat', from, false])[1] & native.constants.S_IFMT;
  if (mode === native.constants.S_IFDIR) {
    if (!o.recursive) {
      throw Object.assign(coded(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${from} is a directory (not copied)) ${from}`), { errno: 21, syscall: 'cp', path: from });
    }
    const inside = relative(from, to);
    if (inside === '' || !inside.startsWith('..') && inside !== to) {
      throw coded(Error, 'ERR_FS_CP_EINVAL', `Invalid src or dest: cp returned EINVAL (cannot copy ${from} to a subdirectory of self ${to}) ${to}`);
    }
    yield ['mkdir', to, 0o777, true];
    const [names] = yield ['readdir', from];
    for (const name of names) yield* copying(join(from, name), join(to, name), o);
    return;
  }
  yield ['mkdir', dirname(to), 0o777, true];
  if (o.force === false && native.exists(to)) {
    if (o.errorOnExist) {
      throw Object.assign(coded(Error, 'ERR_FS_CP_EEXIST', `Target already exists: cp returned EEXIST (${to} already exists) ${to}`), { errno: 17, syscall: 'cp', path: to });
    }
    return;
  }
  if (mode === native.constants.S_IFLNK && !o.dereference) {
    const target = yield ['readlink', from];
    yield ['rm', to, false, true];
    yield ['symlink', target, to];
    return;
  }
  yield ['copyFile', from, to, 0];
  if (o.preserveTimestamps) {
    const flat = yield ['stat', from, false];
    yield ['utimes', to, flat[10] / 1000, flat[11] / 1000];
  }
}

async function cp(from, to, options) {
  const o = { ...options };
  const steps = copying(toPath(from, 'src'), toPath(to, 'dest'), o);
  let step = steps.next();
  while (!step.done) {
    const [name, ...args] = step.value;
    let value;
    try {
      value = name === 'filter' ? await o.filter(...args) : await call(name, ...args);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
}

function cpSync(from, to, options) {
  const o = { ...options };
  const steps = copying(toPath(from, 'src'), toPath(to, 'dest'), o);
  let step = steps.next();
  while (!step.done) {
    const [name, ...args] = step.value;
    step = steps.next(name === 'filter' ? o.filter(...args) : native[`${name}Sync`](...args));
  }
}

module.exports = { Dir, walk, walkSync, cp, cpSync };
