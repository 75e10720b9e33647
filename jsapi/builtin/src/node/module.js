'use strict';
const native = internalBinding('module');
const { coded } = require('../internal/errors.js');

const builtinModules = native.names().filter((n) => n.startsWith('node:')).map((n) => n.slice('node:'.length));
const isBuiltin = (name) => native.resolve(`${name}`) !== '';
const builtin = (name) => { const known = native.resolve(`${name}`); return known === '' ? undefined : native.require(known); };

function createRequire(from) {
  if (typeof from !== 'string' && !(from instanceof URL)) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'filename' must be a file URL object, file URL string, or absolute path string. Received ${from}`);
  }
  return native.requireFrom(`${from}`);
}

function Module(id = '') { this.id = id; this.exports = {}; this.children = []; this.loaded = false; }
Object.assign(Module, {
  Module, builtinModules, isBuiltin, builtin, createRequire,
  findSourceMap: () => undefined,
  syncBuiltinESMExports() {},
  register() { throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'module.register() has no effect: scripts are bundled before they run'); },
  _extensions: { '.js'() {}, '.json'() {}, '.node'() {} },
  _cache: {},
});
module.exports = Module;
