'use strict';

/** callable is a class that may be called without new, as old packages do it. */
module.exports = function callable(Class) {
  const F = function (...args) { return Reflect.construct(Class, args, new.target ?? Class); };
  Object.setPrototypeOf(F, Class);
  Object.defineProperty(F, 'name', { value: Class.name });
  F.prototype = Class.prototype;
  Object.defineProperty(Class.prototype, 'constructor', { value: F, writable: true, configurable: true });
  return F;
};
