'use strict';

/**
 * named gives functions the names that scripts know them by: the bundler gives a function another one where it has the
 * name of a global.
 */
function named(object, keys) {
  for (const key of keys) {
    const f = Object.getOwnPropertyDescriptor(object, key)?.value;
    if (typeof f !== 'function' || f.name === key) continue;
    Object.defineProperty(f, 'name', { value: key, configurable: true });
  }
  return object;
}

module.exports = { named };
