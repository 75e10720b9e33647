'use strict';
const { coded, argument } = require('./errors.js');

const state = Symbol('state');

class Event {
  #type; #cancelable; #bubbles; #composed; #prevented = false; #stopped = false; #time = performance.now();
  constructor(type, options) {
    if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    if (options != null && typeof options !== 'object') throw argument('options', 'of type object', options);
    this.#type = `${type}`;
    this.#cancelable = !!options?.cancelable;
    this.#bubbles = !!options?.bubbles;
    this.#composed = !!options?.composed;
    this[state] = { target: null, phase: 0, immediate: false, passive: false };
    Object.defineProperty(this, state, { enumerable: false });
  }

  get type() { return this.#type; }
  get target() { return this[state].target; }
  get currentTarget() { return this[state].phase ? this[state].target : null; }
  get srcElement() { return this[state].target; }
  get eventPhase() { return this[state].phase; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get defaultPrevented() { return this.#cancelable && this.#prevented; }
  get returnValue() { return !this.defaultPrevented; }
  get timeStamp() { return this.#time; }
  get isTrusted() { return false; }
  get cancelBubble() { return this.#stopped; }
  set cancelBubble(v) { if (v) this.#stopped = true; }
  composedPath() { return this[state].phase ? [this[state].target] : []; }
  preventDefault() { if (!this[state].passive) this.#prevented = true; }
  stopPropagation() { this.#stopped = true; }
  stopImmediatePropagation() { this.#stopped = true; this[state].immediate = true; }
}
Object.assign(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
Object.defineProperty(Event.prototype, Symbol.toStringTag, { value: 'Event', configurable: true });

class CustomEvent extends Event {
  #detail;
  constructor(type, options) { super(type, options); this.#detail = options?.detail ?? null; }
  get detail() { return this.#detail; }
}

class EventTarget {
  #listeners = new Map();

  static listeners(target, type) { return (target.#listeners.get(type) ?? []).map((l) => l.f); }

  addEventListener(type, f, options) {
    if (f == null) return;
    if (typeof f !== 'function' && typeof f !== 'object') throw argument('listener', 'an instance of EventListener', f);
    const { once = false, capture = false, passive = false, signal } = typeof options === 'boolean' ? { capture: options } : options ?? {};
    if (signal?.aborted) return;
    const key = `${type}`;
    const list = this.#listeners.get(key) ?? [];
    if (list.some((l) => l.f === f && l.capture === !!capture)) return;
    list.push({ f, once: !!once, capture: !!capture, passive: !!passive, removed: false });
    this.#listeners.set(key, list);
    signal?.addEventListener('abort', () => this.removeEventListener(key, f, options), { once: true });
  }

  removeEventListener(type, f, options) {
    const capture = typeof options === 'boolean' ? options : !!options?.capture;
    const key = `${type}`;
    const list = this.#listeners.get(key);
    const i = list?.findIndex((l) => l.f === f && l.capture === capture) ?? -1;
    if (i < 0) return;
    list[i].removed = true;
    this.#listeners.set(key, list.toSpliced(i, 1));
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw argument('event', 'an instance of Event', event);
    const s = event[state];
    if (s.phase) throw coded(Error, 'ERR_EVENT_RECURSION', `The event "${event.type}" is already being dispatched`);
    s.target = this;
    s.phase = Event.AT_TARGET;
    for (const l of [...this.#listeners.get(event.type) ?? []]) {
      if (l.removed) continue;
      if (l.once) this.removeEventListener(event.type, l.f, l.capture);
      s.passive = l.passive;
      try {
        const result = typeof l.f === 'function' ? l.f.call(this, event) : l.f.handleEvent?.(event);
        if (typeof result?.then === 'function') result.then(undefined, (error) => process.nextTick(() => { throw error; }));
      } catch (error) {
        process.nextTick(() => { throw error; });
      }
      s.passive = false;
      if (s.immediate) break;
    }
    s.phase = 0;
    return !event.defaultPrevented;
  }
}
Object.defineProperty(EventTarget.prototype, Symbol.toStringTag, { value: 'EventTarget', configurable: true });

/** handler defines on<type>, a listener that is a property. */
function handler(prototype, type) {
  const current = Symbol(`on${type}`);
  Object.defineProperty(prototype, `on${type}`, {
    get() { return this[current]?.f ?? null; },
    set(f) {
      if (this[current]) this.removeEventListener(type, this[current].run);
      this[current] = undefined;
      if (typeof f !== 'function') return;
      const run = (event) => f.call(this, event);
      Object.defineProperty(this, current, { value: { f, run }, writable: true, configurable: true, enumerable: false });
      this.addEventListener(type, run);
    },
    enumerable: true, configurable: true,
  });
}

module.exports = { Event, CustomEvent, EventTarget, handler, listenersOf: EventTarget.listeners };
require('./names.js').named(module.exports, ['Event', 'EventTarget', 'CustomEvent']);
