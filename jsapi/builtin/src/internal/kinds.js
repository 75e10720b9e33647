'use strict';
// What an object is, by what it holds and not by what it says.
const native = internalBinding('types');

const sizeOf = (proto) => Object.getOwnPropertyDescriptor(proto, 'size').get;
const brands = [
  [Map, 'Map', sizeOf(Map.prototype)], [Set, 'Set', sizeOf(Set.prototype)],
  [WeakMap, 'WeakMap', WeakMap.prototype.has], [WeakSet, 'WeakSet', WeakSet.prototype.has],
  [Symbol, 'Symbol', Symbol.prototype.valueOf], [BigInt, 'BigInt', BigInt.prototype.valueOf],
];
const tags = { __proto__: null, '[object Map Iterator]': 'Map Iterator', '[object Set Iterator]': 'Set Iterator', '[object Generator]': 'Generator' };
const { toString } = Object.prototype;
const typedName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

/** kind is Map, Promise, Date …; Object of what is nothing special; empty of what is no object. */
function kind(value) {
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'Function' : '';
  const known = native.kind(value);
  if (known !== 'Object') return known;
  for (const [Kind, name, probe] of brands) {
    if (!(value instanceof Kind)) continue;
    try {
      probe.call(value, brands);
      return name;
    } catch { /* it only inherits from one */ }
  }
  if (ArrayBuffer.isView(value)) return typedName.call(value) === undefined ? 'DataView' : 'TypedArray';
  return tags[toString.call(value)] ?? known;
}

module.exports = { kind };
