'use strict';
const EventEmitter = require('node:events');
const { toPath, toOptions } = require('./args.js');
const { Stats } = require('./stats.js');
const { check } = require('../errors.js');
const native = internalBinding('fs');

class FSWatcher extends EventEmitter {
  #handle;
  constructor(path, { persistent = true, signal }) {
    super();
    this.#handle = native.watch(toPath(path, 'filename'), (event, name) => { if (this.#handle) this.emit('change', event, name); });
    if (!persistent) this.#handle.ref(false);
    if (signal?.aborted) process.nextTick(() => this.close());
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  close() {
    if (!this.#handle) return;
    this.#handle.close();
    this.#handle = undefined;
    process.nextTick(() => this.emit('close'));
  }

  ref() { this.#handle?.ref(true); return this; }
  unref() { this.#handle?.ref(false); return this; }
}

function watch(path, options, listener) {
  if (typeof options === 'function') [options, listener] = [undefined, options];
  const watcher = new FSWatcher(path, toOptions(options));
  if (listener) watcher.on('change', listener);
  return watcher;
}

/** events is fs.promises.watch: an iterable of what happens. */
async function* events(path, options = {}) {
  const watcher = new FSWatcher(path, options);
  const waiting = [];
  let wake;
  let over = false;
  watcher.on('change', (eventType, filename) => { waiting.push({ eventType, filename }); wake?.(); });
  watcher.on('close', () => { over = true; wake?.(); });
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift();
      if (options.signal?.aborted) throw Object.assign(new Error('The operation was aborted', { cause: options.signal.reason }), { code: 'ABORT_ERR', name: 'AbortError' });
      if (over) return;
      await new Promise((done) => { wake = done; });
    }
  } finally {
    watcher.close();
  }
}

const none = () => new Stats(new Array(14).fill(0));
const polled = new Map();

class StatWatcher extends EventEmitter {
  constructor(path, interval, persistent) {
    super();
    let last;
    const look = () => native.stat(path, false, (error, flat) => {
      const now = error ? none() : new Stats(flat);
      const before = last;
      last = now;
      if (this.stopped || before === undefined && !error) return;
      if (before === undefined) this.emit('change', now, none());
      else if (now.mtimeMs !== before.mtimeMs || now.size !== before.size || now.ino !== before.ino || now.mode !== before.mode) {
        this.emit('change', now, before);
      }
    });
    look();
    this.timer = setInterval(look, interval);
    if (!persistent) this.timer.unref();
  }

  stop() { this.stopped = true; clearInterval(this.timer); }
  ref() { this.timer.ref(); return this; }
  unref() { this.timer.unref(); return this; }
}

function watchFile(path, options, listener) {
  if (typeof options === 'function') [options, listener] = [{}, options];
  check.function(listener, 'listener');
  path = toPath(path, 'filename');
  let watcher = polled.get(path);
  if (!watcher) polled.set(path, watcher = new StatWatcher(path, options?.interval ?? 5007, options?.persistent ?? true));
  watcher.on('change', listener);
  return watcher;
}

function unwatchFile(path, listener) {
  path = toPath(path, 'filename');
  const watcher = polled.get(path);
  if (!watcher) return;
  if (listener) watcher.removeListener('change', listener);
  else watcher.removeAllListeners('change');
  if (watcher.listenerCount('change') > 0) return;
  watcher.stop();
  polled.delete(path);
}

module.exports = { FSWatcher, watch, events, watchFile, unwatchFile, StatWatcher };
