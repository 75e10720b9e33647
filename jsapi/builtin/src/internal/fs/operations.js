'use strict';
// The operations that are one native call: how their arguments are made, and what of its answer the script gets. The
// callback, sync and promise forms of node:fs come from this table.
const { toPath, toFlags, toMode, toFd, toOptions, toBytes, toTime, decoded, named } = require('./args.js');
const { statsOf, StatFs, Dirent } = require('./stats.js');
const { constants: C } = internalBinding('fs');
const { argument } = require('../errors.js');

const nothing = () => undefined;
const isFd = (x) => typeof x === 'number';
const stat = (file) => ({
  args: (path, options) => [file(path), !!options?.bigint],
  result: (flat, [, large]) => statsOf(flat, large),
});

/** whole is a readFile or writeFile of a path or a descriptor. */
const target = (file) => isFd(file) ? toFd(file) : toPath(file);

function rmArgs(path, options) {
  if (options != null && typeof options !== 'object') throw argument('options', 'of type object', options);
  return [toPath(path), !!options?.recursive, !!options?.force];
}
const written = (flag) => (file, data, options) => {
  const o = toOptions(options, { encoding: 'utf8', mode: 0o666, flag });
  return [target(file), toBytes(data, o.encoding), toFlags(o.flag ?? flag), toMode(o.mode, 0o666)];
};

module.exports = {
  access: { args: (path, mode = C.F_OK) => [toPath(path), toMode(mode, C.F_OK)], result: nothing },
  stat: stat(toPath), lstat: stat(toPath), fstat: stat(toFd),
  statfs: { args: (path) => [toPath(path)], result: (flat, args, path, options) => new StatFs(flat, !!options?.bigint) },
  open: { args: (path, flags, mode) => [toPath(path), toFlags(flags), toMode(mode, 0o666)], result: (fd) => fd },
  close: { args: (fd) => [toFd(fd)], result: nothing },
  readFile: {
    args: (file, options) => [target(file), toFlags(toOptions(options, { flag: 'r' }).flag)],
    result: (bytes, args, file, options) => decoded(bytes, toOptions(options).encoding),
  },
  writeFile: { args: written('w'), result: nothing },
  appendFile: { native: 'writeFile', args: written('a'), result: nothing },
  ftruncate: { args: (fd, size = 0) => [toFd(fd), Math.max(0, size ?? 0)], result: nothing },
  fsync: { args: (fd) => [toFd(fd)], result: nothing },
  fdatasync: { args: (fd) => [toFd(fd)], result: nothing },
  readdir: {
    args: (path, options) => { toOptions(options); return [toPath(path)]; },
    result([names, kinds], [path], given, options) {
      const { withFileTypes, encoding } = toOptions(options);
      if (withFileTypes) return names.map((name, i) => new Dirent(named(name, encoding), kinds[i], path));
      return names.map((name) => named(name, encoding));
    },
  },
  mkdir: {
    args(path, options) {
      const o = typeof options === 'number' || typeof options === 'string' ? { mode: options } : options ?? {};
      return [toPath(path), toMode(o.mode, 0o777), !!o.recursive];
    },
    result: (first) => first,
  },
  mkdtemp: { args: (prefix) => [toPath(prefix, 'prefix')], result: (path, args, prefix, options) => named(path, toOptions(options).encoding) },
  rmdir: { args: (path) => [toPath(path)], result: nothing },
  rm: { args: rmArgs, result: nothing },
  unlink: { args: (path) => [toPath(path)], result: nothing },
  rename: { args: (from, to) => [toPath(from, 'oldPath'), toPath(to, 'newPath')], result: nothing },
  copyFile: { args: (from, to, mode = 0) => [toPath(from, 'src'), toPath(to, 'dest'), toMode(mode, 0)], result: nothing },
  link: { args: (from, to) => [toPath(from, 'existingPath'), toPath(to, 'newPath')], result: nothing },
  symlink: { args: (to, path) => [toPath(to, 'target'), toPath(path)], result: nothing },
  readlink: { args: (path) => [toPath(path)], result: (to, args, path, options) => named(to, toOptions(options).encoding) },
  realpath: { args: (path) => [toPath(path)], result: (real, args, path, options) => named(real, toOptions(options).encoding) },
  chmod: { args: (path, mode) => [toPath(path), toMode(mode)], result: nothing },
  fchmod: { args: (fd, mode) => [toFd(fd), toMode(mode)], result: nothing },
  chown: { args: (path, uid, gid) => [toPath(path), uid, gid], result: nothing },
  lchown: { args: (path, uid, gid) => [toPath(path), uid, gid], result: nothing },
  fchown: { args: (fd, uid, gid) => [toFd(fd), uid, gid], result: nothing },
  utimes: { args: (path, atime, mtime) => [toPath(path), toTime(atime, 'atime'), toTime(mtime, 'mtime')], result: nothing },
  lutimes: { args: (path, atime, mtime) => [toPath(path), toTime(atime, 'atime'), toTime(mtime, 'mtime')], result: nothing },
  futimes: { args: (fd, atime, mtime) => [toFd(fd), toTime(atime, 'atime'), toTime(mtime, 'mtime')], result: nothing },
};
