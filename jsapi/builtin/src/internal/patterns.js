'use strict';
// Regular expressions with \p{…} and the flag v, which the engine does not know: rewritten as they are made. Literals
// come here too, since jsapi/compile has esbuild turn those into calls of RegExp.

module.exports = (define) => {
  const Native = RegExp;
  const { rewrite } = internalBinding('pattern');
  const needed = /\\[pP]\{/;
  const isPattern = (v) => v !== null && typeof v === 'object' && Object.prototype.toString.call(v) === '[object RegExp]';

  const Wrapped = function RegExp(pattern, flags) {
    if (new.target === undefined && flags === undefined && isPattern(pattern) && pattern.constructor === Wrapped) return pattern;
    const target = new.target ?? Wrapped;
    const known = isPattern(pattern);
    const wanted = flags === undefined ? known ? pattern.flags : '' : `${flags}`;
    if (wanted.includes('v') || wanted.includes('u') && needed.test(known ? pattern.source : pattern)) {
      const source = known ? pattern.source : `${pattern}`;
      const [s, f] = rewrite(source, wanted);
      const made = Reflect.construct(Native, [s, f], target);
      // What it was made of stays what it shows.
      const shown = { source: source.replace(/\n/g, '\\n').replace(/^$/, '(?:)'), flags: [...wanted].sort().join('') };
      for (const key of ['source', 'flags']) Object.defineProperty(made, key, { value: shown[key], configurable: true });
      if (wanted.includes('v')) Object.defineProperty(made, 'unicodeSets', { value: true, configurable: true });
      return made;
    }
    return Reflect.construct(Native, known && flags === undefined ? [pattern] : [pattern, flags], target);
  };
  Object.defineProperty(Wrapped, 'prototype', { value: Native.prototype, writable: false });
  Object.defineProperty(Wrapped, 'length', { value: 2, configurable: true });
  Object.defineProperty(Wrapped, 'name', { value: 'RegExp', configurable: true });
  Object.setPrototypeOf(Wrapped, Native); // RegExp[Symbol.species] and what else there is
  define(Native.prototype, 'constructor', Wrapped);
  define(globalThis, 'RegExp', Wrapped);
};
