'use strict';
const operations = require('../internal/fs/operations.js');
const { FileHandle, call, writeEverything } = require('../internal/fs/handle.js');
const { toPath, toFlags, toMode, toOptions, decoded } = require('../internal/fs/args.js');
const { Dir, walk, cp } = require('../internal/fs/tree.js');
const { events } = require('../internal/fs/watch.js');
const { aborted } = require('../internal/errors.js');
const { constants } = internalBinding('fs');

const ofDescriptors = /^f(stat|sync|datasync|truncate|chmod|chown|utimes)$/;
const promises = {};
for (const [name, op] of Object.entries(operations)) {
  if (ofDescriptors.test(name) || name === 'close') continue;
  promises[name] = async (...given) => {
    const args = op.args(...given);
    return op.result(await call(op.native ?? name, ...args), args, ...given);
  };
}

promises.open = async (path, flags, mode) => new FileHandle(await call('open', toPath(path), toFlags(flags), toMode(mode, 0o666)));

promises.readFile = async (file, options) => {
  const o = toOptions(options, { flag: 'r' });
  if (o.signal?.aborted) throw aborted(o.signal.reason);
  if (file instanceof FileHandle) return file.readFile(o);
  const bytes = await call('readFile', toPath(file), toFlags(o.flag));
  if (o.signal?.aborted) throw aborted(o.signal.reason);
  return decoded(bytes, o.encoding);
};

const writer = (flag) => async (file, data, options) => {
  const o = toOptions(options, { encoding: 'utf8', mode: 0o666, flag });
  if (o.signal?.aborted) throw aborted(o.signal.reason);
  if (file instanceof FileHandle) {
    await file.writeFile(data, o);
    return;
  }
  if (typeof data === 'string' || ArrayBuffer.isView(data)) {
    await call('writeFile', ...operations.writeFile.args(file, data, o));
    return;
  }
  const fd = await call('open', toPath(file), toFlags(o.flag), toMode(o.mode, 0o666));
  try {
    await writeEverything(fd, data, o);
  } finally {
    await call('close', fd);
  }
};
promises.writeFile = writer('w');
promises.appendFile = writer('a');

promises.truncate = async (path, size = 0) => {
  const handle = await promises.open(path, 'r+');
  try {
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
};
const { readdir } = promises;
promises.readdir = (path, options) => options?.recursive ? walk(toPath(path), options) : readdir(path, options);
promises.opendir = async (path) => Dir.of(path, await call('readdir', toPath(path)));
promises.lchmod = async () => { throw require('../internal/errors.js').coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The lchmod() method is not implemented'); };
promises.cp = cp;
promises.watch = events;
promises.constants = constants;

module.exports = promises;
