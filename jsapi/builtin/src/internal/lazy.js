'use strict';

/** lazy gives an object a property that is made when it is first looked at, for what is dear and seldom used. */
module.exports = function lazy(object, name, make, enumerable = true) {
  const set = (value) => Object.defineProperty(object, name, { value, writable: true, enumerable, configurable: true });
  Object.defineProperty(object, name, {
    get() { set(make()); return object[name]; },
    set, enumerable, configurable: true,
  });
};
