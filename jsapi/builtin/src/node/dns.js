'use strict';
const { check, coded } = require('../internal/errors.js');
const { isIP } = require('../internal/net/ip.js');
const native = internalBinding('dns');

const NAMED = ['ENODATA', 'EFORMERR', 'ESERVFAIL', 'ENOTFOUND', 'ENOTIMP', 'EREFUSED', 'ECONNREFUSED', 'ETIMEOUT', 'EBADNAME'];
const codes = Object.fromEntries(NAMED.map((code) => [code.slice(1), code]));
let order = 'verbatim';

function lookup(name, options, callback) {
  if (typeof options === 'function') [options, callback] = [{}, options];
  if (typeof options === 'number') options = { family: options };
  check.function(callback, 'callback');
  const { all = false, family = 0 } = options ?? {};
  const kind = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
  if (!name) {
    process.nextTick(() => (all ? callback(null, []) : callback(null, null, kind === 6 ? 6 : 4)));
    return {};
  }
  check.string(name, 'hostname');
  if (isIP(name)) {
    process.nextTick(() => (all ? callback(null, [{ address: name, family: isIP(name) }]) : callback(null, name, isIP(name))));
    return {};
  }
  native.lookup(name, kind, (error, flat) => {
    if (error) {
      callback(error);
      return;
    }
    const found = [];
    for (let i = 0; i < flat.length; i += 2) found.push({ address: flat[i], family: flat[i + 1] });
    if ((options?.order ?? order) === 'ipv4first') found.sort((a, b) => a.family - b.family);
    if (all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  });
  return {};
}
Object.defineProperty(lookup, Symbol.for('nodejs.util.promisify.custom'), { value: (name, options) => promises.lookup(name, options) });

function resolve(name, type, callback) {
  if (typeof type === 'function') [type, callback] = ['A', type];
  check.string(name, 'name');
  check.function(callback, 'callback');
  if (!['A', 'AAAA', 'TXT', 'CNAME', 'NS', 'MX', 'SRV'].includes(type)) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'rrtype' is invalid. Received '${type}'`);
  }
  native.resolve(name, type, callback);
}

const typed = {};
for (const [suffix, type] of [['4', 'A'], ['6', 'AAAA'], ['Txt', 'TXT'], ['Cname', 'CNAME'], ['Ns', 'NS'], ['Mx', 'MX'], ['Srv', 'SRV']]) {
  typed[`resolve${suffix}`] = (name, options, callback) => resolve(name, type, typeof options === 'function' ? options : callback);
}
function reverse(address, callback) { native.reverse(address, callback); }

const promised = (f) => (...args) => new Promise((done, fail) => {
  f(...args, (error, value) => (error ? fail(error) : done(value)));
});
const promises = {
  lookup: (name, options = {}) => new Promise((done, fail) => {
    lookup(name, options, (error, address, family) => {
      if (error) fail(error);
      else done(options?.all ? address : { address, family });
    });
  }),
  resolve: promised(resolve),
  reverse: promised(reverse),
  setDefaultResultOrder(o) { order = o; },
  getDefaultResultOrder: () => order,
};
for (const [name, f] of Object.entries(typed)) promises[name] = promised(f);

class Resolver {
  getServers() { return []; }
  setServers() {}
  cancel() {}
}
Object.assign(Resolver.prototype, { resolve, reverse, ...typed });
promises.Resolver = class extends Resolver {};
Object.assign(promises.Resolver.prototype, promises);

module.exports = {
  lookup, resolve, reverse, ...typed, promises, Resolver,
  getServers: () => [], setServers() {},
  setDefaultResultOrder: promises.setDefaultResultOrder, getDefaultResultOrder: () => order,
  ADDRCONFIG: 32, V4MAPPED: 8, ALL: 16, ...codes,
};
