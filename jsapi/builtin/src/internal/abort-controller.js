'use strict';
const { coded, argument, DOMException } = require('./errors.js');
const { Event, EventTarget, handler } = require('./event-target.js');

const custom = Symbol.for('nodejs.util.inspect.custom');
function shown(self, fields, depth, options) {
  if (depth < 0) return self;
  const { inspect } = require('./inspect.js');
  return `${self.constructor.name} ${inspect(fields, { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
}

let making = false;
const make = () => { making = true; try { return new AbortSignal(); } finally { making = false; } };

class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  #dependents = [];
  constructor() {
    if (!making) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }
  [custom](depth, options) { return shown(this, { aborted: this.aborted }, depth, options); }

  static signal(signal, reason) {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    signal.dispatchEvent(new Event('abort'));
    for (const other of signal.#dependents.splice(0)) abort(other, signal.#reason);
  }

  static abort(reason) {
    const signal = make();
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    return signal;
  }

  static timeout(delay) {
    if (typeof delay !== 'number') throw argument('delay', 'of type number', delay);
    const signal = make();
    setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay).unref();
    return signal;
  }

  static any(signals) {
    const all = [...signals];
    for (const s of all) if (!(s instanceof AbortSignal)) throw argument('signals', 'an array of AbortSignal', s);
    const done = all.find((s) => s.aborted);
    if (done) return AbortSignal.abort(done.reason);
    const signal = make();
    for (const s of all) s.#dependents.push(signal);
    return signal;
  }
}
const { signal: abort } = AbortSignal;
delete AbortSignal.signal;
handler(AbortSignal.prototype, 'abort');
Object.defineProperty(AbortSignal.prototype, Symbol.toStringTag, { value: 'AbortSignal', configurable: true });

class AbortController {
  #signal = make();
  get signal() { return this.#signal; }
  abort(reason) { abort(this.#signal, reason); }
  [custom](depth, options) { return shown(this, { signal: this.signal }, depth, options); }
}
Object.defineProperty(AbortController.prototype, Symbol.toStringTag, { value: 'AbortController', configurable: true });

module.exports = { AbortController, AbortSignal, default: AbortController };
require('./names.js').named(module.exports, ['AbortController', 'AbortSignal']);
