'use strict';
const context = internalBinding('context');

// The context is a Map from storage to value that is never changed, only replaced.
class AsyncLocalStorage {
  static bind(f) { return AsyncResource.bind(f); }
  static snapshot() { return AsyncResource.bind((f, ...args) => f(...args)); }

  getStore() { return context.get()?.get(this); }
  enterWith(store) { context.set(new Map(context.get()).set(this, store)); }
  run(store, f, ...args) {
    const before = context.get();
    context.set(new Map(before).set(this, store));
    try {
      return f(...args);
    } finally {
      context.set(before);
    }
  }

  exit(f, ...args) {
    const before = context.get();
    const after = new Map(before);
    after.delete(this);
    context.set(after);
    try {
      return f(...args);
    } finally {
      context.set(before);
    }
  }

  disable() {
    const after = new Map(context.get());
    after.delete(this);
    context.set(after);
  }
}

let last = 1;
class AsyncResource {
  #context = context.get();
  #id = ++last;
  constructor(type) { this.type = type; }
  static bind(f, type, self) { return new AsyncResource(type || f.name || 'bound-anonymous-fn').bind(f, self); }
  bind(f, self) {
    const resource = this;
    return function bound(...args) { return resource.runInAsyncScope(f, self === undefined ? this : self, ...args); };
  }

  runInAsyncScope(f, self, ...args) {
    const before = context.get();
    context.set(this.#context);
    try {
      return Reflect.apply(f, self, args);
    } finally {
      context.set(before);
    }
  }

  emitDestroy() { return this; }
  asyncId() { return this.#id; }
  triggerAsyncId() { return 1; }
}

const hook = { enable() { return hook; }, disable() { return hook; } };
module.exports = {
  AsyncLocalStorage, AsyncResource,
  createHook: () => hook,
  executionAsyncId: () => 1,
  triggerAsyncId: () => 0,
  executionAsyncResource: () => ({}),
};
