'use strict';
const { argument } = require('../internal/errors.js');

const channels = new Map();

class Channel {
  #subscribers = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0; }
  subscribe(f) {
    if (typeof f !== 'function') throw argument('subscription', 'of type function', f);
    this.#subscribers = [...this.#subscribers, f];
  }

  unsubscribe(f) {
    const i = this.#subscribers.indexOf(f);
    if (i < 0) return false;
    this.#subscribers = this.#subscribers.toSpliced(i, 1);
    return true;
  }

  publish(message) {
    for (const f of this.#subscribers) {
      try { f(message, this.name); } catch (error) { process.nextTick(() => { throw error; }); }
    }
  }

  bindStore() {}
  unbindStore() { return false; }
  runStores(message, f, self, ...args) { this.publish(message); return Reflect.apply(f, self, args); }
}

function channel(name) {
  let c = channels.get(name);
  if (!c) channels.set(name, c = new Channel(name));
  return c;
}
const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
function tracingChannel(name) {
  const all = Object.fromEntries(names.map((n) => [n, typeof name === 'string' ? channel(`tracing:${name}:${n}`) : name[n]]));
  return {
    ...all,
    get hasSubscribers() { return names.some((n) => all[n].hasSubscribers); },
    subscribe(handlers) { for (const n of names) if (handlers[n]) all[n].subscribe(handlers[n]); },
    unsubscribe(handlers) { return names.map((n) => !handlers[n] || all[n].unsubscribe(handlers[n])).every(Boolean); },
    traceSync(f, context = {}, self, ...args) {
      all.start.publish(context);
      try {
        context.result = Reflect.apply(f, self, args);
        return context.result;
      } catch (error) {
        context.error = error;
        all.error.publish(context);
        throw error;
      } finally {
        all.end.publish(context);
      }
    },
    async tracePromise(f, context = {}, self, ...args) {
      all.start.publish(context);
      try {
        context.result = await Reflect.apply(f, self, args);
        return context.result;
      } catch (error) {
        context.error = error;
        all.error.publish(context);
        throw error;
      } finally {
        all.asyncEnd.publish(context);
      }
    },
  };
}

module.exports = {
  channel, tracingChannel, Channel,
  hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (name, f) => channel(name).subscribe(f),
  unsubscribe: (name, f) => channel(name).unsubscribe(f),
};
