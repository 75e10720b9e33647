'use strict';

/**
 * named gives functions the names that scripts know them by: the bundler gives a function another one where it has the
 * name of a global, and what is written in Go has a Go name.
 */
function named(object, keys) {
  if (object === null || typeof object !== 'object' && typeof object !== 'function') return object;
  for (const key of keys ?? Object.getOwnPropertyNames(object)) {
    const f = Object.getOwnPropertyDescriptor(object, key)?.value;
    if (typeof f !== 'function' || f.name === key || typeof f.name !== 'string') continue;
    if (f.name === `_${key}` || f.name.startsWith(key) && /^\d+$/.test(f.name.slice(key.length)) || f.name.includes('/')) {
      Object.defineProperty(f, 'name', { value: key, configurable: true });
    }
  }
  return object;
}

module.exports = { named };
