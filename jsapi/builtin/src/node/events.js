'use strict';
const { coded, argument, range, aborted, check } = require('../internal/errors.js');

const kCapture = Symbol('kCapture');
const rejection = Symbol.for('nodejs.rejection');
const errorMonitor = Symbol('events.errorMonitor');

function EventEmitter(options) { EventEmitter.init.call(this, options); }
EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;

let defaultMaxListeners = 10;
Object.defineProperties(EventEmitter, {
  defaultMaxListeners: {
    enumerable: true,
    get: () => defaultMaxListeners,
    set(n) { count(n, 'defaultMaxListeners'); defaultMaxListeners = n; },
  },
  captureRejections: {
    enumerable: true,
    get: () => EventEmitter.prototype[kCapture],
    set(on) { check.boolean(on, 'EventEmitter.captureRejections'); EventEmitter.prototype[kCapture] = on; },
  },
  captureRejectionSymbol: { value: rejection, enumerable: true },
  errorMonitor: { value: errorMonitor, enumerable: true },
});
Object.defineProperty(EventEmitter.prototype, kCapture, { value: false, writable: true, enumerable: false });

function count(n, name) {
  if (typeof n !== 'number') throw argument(name, 'of type number', n);
  if (n < 0 || Number.isNaN(n)) throw range(name, 'a non-negative number', n);
}

function listener(f) {
  if (typeof f !== 'function') throw argument('listener', 'of type function', f);
}

EventEmitter.init = function init(options) {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = Object.create(null);
    this._eventsCount = 0;
  }
  this._maxListeners ??= undefined;
  if (options?.captureRejections) {
    check.boolean(options.captureRejections, 'options.captureRejections');
    this[kCapture] = true;
  } else {
    this[kCapture] = EventEmitter.prototype[kCapture];
  }
};

EventEmitter.prototype.setMaxListeners = function setMaxListeners(n) {
  count(n, 'setMaxListeners');
  this._maxListeners = n;
  return this;
};
EventEmitter.prototype.getMaxListeners = function getMaxListeners() { return this._maxListeners ?? defaultMaxListeners; };

function unheard(emitter, error) {
  if (error instanceof Error) return error;
  let text;
  try { text = require('./util.js').inspect(error); } catch { text = String(error); }
  const e = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`);
  e.context = error;
  return e;
}

// What a listener returned is looked at only where rejections are captured.
function watch(emitter, promise, type, args) {
  if (promise === undefined || promise === null || typeof promise.then !== 'function') return;
  try {
    promise.then(undefined, (error) => process.nextTick(captured, emitter, error, type, args));
  } catch (error) {
    emitter.emit('error', error);
  }
}
function captured(emitter, error, type, args) {
  if (typeof emitter[rejection] === 'function') {
    emitter[rejection](error, type, ...args);
    return;
  }
  const before = emitter[kCapture];
  try {
    emitter[kCapture] = false;
    emitter.emit('error', error);
  } finally {
    emitter[kCapture] = before;
  }
}

EventEmitter.prototype.emit = function emit(type, ...args) {
  const events = this._events;
  if (type === 'error') {
    if (events !== undefined && events[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
    if (events === undefined || events.error === undefined) throw unheard(this, args[0]);
  }
  const handler = events === undefined ? undefined : events[type];
  if (handler === undefined) return false;
  const capture = this[kCapture];
  if (typeof handler === 'function') {
    const result = args.length === 0 ? handler.call(this) : args.length === 1 ? handler.call(this, args[0]) : handler.apply(this, args);
    if (capture && result !== undefined) watch(this, result, type, args);
    return true;
  }
  const all = handler.slice();
  for (let i = 0; i < all.length; i++) {
    const result = all[i].apply(this, args);
    if (capture && result !== undefined) watch(this, result, type, args);
  }
  return true;
};

function add(target, type, f, first) {
  listener(f);
  let events = target._events;
  if (events === undefined) {
    events = target._events = Object.create(null);
    target._eventsCount = 0;
  } else if (events.newListener !== undefined) {
    target.emit('newListener', type, f.listener ?? f);
    events = target._events;
  }
  const existing = events[type];
  if (existing === undefined) {
    events[type] = f;
    ++target._eventsCount;
    return target;
  }
  let all = existing;
  if (typeof existing === 'function') all = events[type] = first ? [f, existing] : [existing, f];
  else if (first) existing.unshift(f);
  else existing.push(f);
  const most = target.getMaxListeners();
  if (most > 0 && all.length > most && !all.warned) {
    all.warned = true;
    const w = new Error(`Possible EventEmitter memory leak detected. ${all.length} ${String(type)} listeners added to ` +
      `${require('./util.js').inspect(target, { depth: -1 })}. MaxListeners is ${most}. Use emitter.setMaxListeners() to increase limit`);
    Object.assign(w, { name: 'MaxListenersExceededWarning', emitter: target, type, count: all.length });
    process.emitWarning(w);
  }
  return target;
}

EventEmitter.prototype.addListener = function addListener(type, f) { return add(this, type, f, false); };
EventEmitter.prototype.on = EventEmitter.prototype.addListener;
EventEmitter.prototype.prependListener = function prependListener(type, f) { return add(this, type, f, true); };

function oneShot(target, type, f) {
  let fired = false;
  const wrapped = function (...args) {
    if (fired) return undefined;
    target.removeListener(type, wrapped);
    fired = true;
    return f.apply(target, args);
  };
  wrapped.listener = f;
  return wrapped;
}
EventEmitter.prototype.once = function once(type, f) {
  listener(f);
  return this.on(type, oneShot(this, type, f));
};
EventEmitter.prototype.prependOnceListener = function prependOnceListener(type, f) {
  listener(f);
  return this.prependListener(type, oneShot(this, type, f));
};

EventEmitter.prototype.removeListener = function removeListener(type, f) {
  listener(f);
  const events = this._events;
  const list = events?.[type];
  if (list === undefined) return this;
  if (list === f || list.listener === f) {
    this._eventsCount -= 1;
    delete events[type];
    if (events.removeListener !== undefined) this.emit('removeListener', type, list.listener ?? f);
    return this;
  }
  if (typeof list === 'function') return this;
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i] !== f && list[i].listener !== f) continue;
    if (i === 0) list.shift();
    else list.splice(i, 1);
    if (list.length === 1) events[type] = list[0];
    if (events.removeListener !== undefined) this.emit('removeListener', type, f);
    break;
  }
  return this;
};
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

EventEmitter.prototype.removeAllListeners = function removeAllListeners(type) {
  const events = this._events;
  if (events === undefined) return this;
  if (events.removeListener === undefined) {
    if (arguments.length === 0) {
      this._events = Object.create(null);
      this._eventsCount = 0;
    } else if (events[type] !== undefined) {
      delete events[type];
      this._eventsCount -= 1;
    }
    return this;
  }
  if (arguments.length === 0) {
    for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
    this.removeAllListeners('removeListener');
    this._events = Object.create(null);
    this._eventsCount = 0;
    return this;
  }
  const list = events[type];
  if (typeof list === 'function') this.removeListener(type, list);
  else if (list !== undefined) for (let i = list.length - 1; i >= 0; i--) this.removeListener(type, list[i]);
  return this;
};

function listed(emitter, type, unwrap) {
  const list = emitter._events?.[type];
  if (list === undefined) return [];
  if (typeof list === 'function') return unwrap ? [list.listener ?? list] : [list];
  return unwrap ? list.map((f) => f.listener ?? f) : list.slice();
}
EventEmitter.prototype.listeners = function listeners(type) { return listed(this, type, true); };
EventEmitter.prototype.rawListeners = function rawListeners(type) { return listed(this, type, false); };
EventEmitter.prototype.listenerCount = function listenerCount(type, f) {
  const list = this._events?.[type];
  if (list === undefined) return 0;
  if (f !== undefined) return listed(this, type, true).filter((l) => l === f).length;
  return typeof list === 'function' ? 1 : list.length;
};
EventEmitter.prototype.eventNames = function eventNames() { return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []; };

EventEmitter.listenerCount = (emitter, type) => emitter.listenerCount?.(type) ?? 0;

function subscribe(emitter, name, f, options) {
  if (typeof emitter.on === 'function') {
    if (options?.once) emitter.once(name, f);
    else emitter.on(name, f);
  } else if (typeof emitter.addEventListener === 'function') {
    emitter.addEventListener(name, f, options);
  } else {
    throw argument('emitter', 'an instance of EventEmitter', emitter);
  }
}
function unsubscribe(emitter, name, f) {
  if (typeof emitter.removeListener === 'function') emitter.removeListener(name, f);
  else emitter.removeEventListener(name, f);
}

EventEmitter.once = async function once(emitter, name, options = {}) {
  check.object(options, 'options');
  const { signal } = options;
  check.signal(signal, 'options.signal');
  if (signal?.aborted) throw aborted(signal.reason);
  return new Promise((resolve, reject) => {
    const failed = (error) => {
      unsubscribe(emitter, name, resolved);
      signal?.removeEventListener('abort', cancel);
      reject(error);
    };
    const resolved = (...args) => {
      if (typeof emitter.removeListener === 'function') emitter.removeListener('error', failed);
      signal?.removeEventListener('abort', cancel);
      resolve(args);
    };
    const cancel = () => {
      unsubscribe(emitter, name, resolved);
      unsubscribe(emitter, 'error', failed);
      reject(aborted(signal.reason));
    };
    subscribe(emitter, name, resolved, { once: true });
    if (name !== 'error' && typeof emitter.once === 'function') emitter.once('error', failed);
    signal?.addEventListener('abort', cancel, { once: true });
  });
};

EventEmitter.on = function on(emitter, name, options = {}) {
  check.object(options, 'options');
  const { signal, close = [] } = options;
  check.signal(signal, 'options.signal');
  if (signal?.aborted) throw aborted(signal.reason);
  const high = options.highWaterMark ?? options.highWatermark ?? Infinity;
  const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
  const values = [];
  const waiting = [];
  let error = null;
  let finished = false;
  let paused = false;

  const finish = () => {
    finished = true;
    signal?.removeEventListener('abort', cancel);
    unsubscribe(emitter, name, came);
    if (name !== 'error' && typeof emitter.on === 'function') unsubscribe(emitter, 'error', failed);
    for (const event of close) unsubscribe(emitter, event, finish);
    for (const p of waiting.splice(0)) p.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  const failed = (e) => {
    const p = waiting.shift();
    if (p) p.reject(e);
    else error = e;
    finish();
  };
  const came = (...args) => {
    const p = waiting.shift();
    if (p) {
      p.resolve({ value: args, done: false });
      return;
    }
    values.push(args);
    if (!paused && values.length > high) {
      paused = true;
      emitter.pause?.();
    }
  };
  const cancel = () => failed(aborted(signal.reason));

  subscribe(emitter, name, came);
  if (name !== 'error' && typeof emitter.on === 'function') emitter.on('error', failed);
  for (const event of close) subscribe(emitter, event, finish);
  signal?.addEventListener('abort', cancel, { once: true });

  return Object.setPrototypeOf({
    next() {
      if (values.length > 0) {
        const value = values.shift();
        if (paused && values.length < low) {
          paused = false;
          emitter.resume?.();
        }
        return Promise.resolve({ value, done: false });
      }
      if (error) {
        const p = Promise.reject(error);
        error = null;
        return p;
      }
      if (finished) return finish();
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return() { return finish(); },
    throw(e) {
      if (!e || !(e instanceof Error)) throw argument('EventEmitter.AsyncIterator', 'an instance of Error', e);
      failed(e);
    },
    [Symbol.asyncIterator]() { return this; },
  }, Object.prototype);
};

EventEmitter.getEventListeners = function getEventListeners(emitter, type) {
  if (typeof emitter.listeners === 'function') return emitter.listeners(type);
  return require('../internal/event-target.js').listenersOf(emitter, type);
};
EventEmitter.getMaxListeners = (emitter) => emitter.getMaxListeners?.() ?? defaultMaxListeners;
EventEmitter.setMaxListeners = function setMaxListeners(n = defaultMaxListeners, ...targets) {
  count(n, 'setMaxListeners');
  if (targets.length === 0) defaultMaxListeners = n;
  for (const target of targets) target.setMaxListeners?.(n);
};
EventEmitter.addAbortListener = function addAbortListener(signal, f) {
  if (signal === undefined) throw argument('signal', 'an instance of AbortSignal', signal);
  check.signal(signal, 'signal');
  check.function(f, 'listener');
  let remove = () => {};
  if (signal.aborted) {
    queueMicrotask(() => f());
  } else {
    signal.addEventListener('abort', f, { once: true });
    remove = () => signal.removeEventListener('abort', f);
  }
  return { [Symbol.dispose]: remove };
};

class EventEmitterAsyncResource extends EventEmitter {
  constructor(options) {
    super(typeof options === 'object' ? options : undefined);
    const { AsyncResource } = require('./async_hooks.js');
    this.asyncResource = new AsyncResource(typeof options === 'string' ? options : options?.name ?? new.target.name);
  }

  emit(...args) { return this.asyncResource.runInAsyncScope(super.emit, this, ...args); }
  emitDestroy() { this.asyncResource.emitDestroy(); }
}

EventEmitter.EventEmitter = EventEmitter;
EventEmitter.EventEmitterAsyncResource = EventEmitterAsyncResource;
EventEmitter.usingDomains = false;
module.exports = EventEmitter;
