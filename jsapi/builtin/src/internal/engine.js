'use strict';
// What the language has and goja has not, put in place when a runtime starts.

const define = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
const missing = (object, name, value) => { if (object[name] === undefined) define(object, name, value); };

for (const name of ['asyncIterator', 'dispose', 'asyncDispose']) {
  if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
}
define(globalThis, 'global', globalThis);
define(globalThis, 'globalThis', globalThis);

require('./stacks.js');
require('./objects.js')(define, missing);
require('./iterators.js')(define, missing);
require('./patterns.js')(define);

const { invoke } = internalBinding('timers');
const settled = Promise.resolve();
define(globalThis, 'queueMicrotask', function queueMicrotask(callback) {
  if (typeof callback !== 'function') throw require('./errors.js').argument('callback', 'of type function', callback);
  settled.then(() => invoke(callback)); // what it throws is uncaught, and no rejection
});

require('./names.js').named(globalThis, ['WeakRef', 'FinalizationRegistry', 'Iterator', 'queueMicrotask']);
