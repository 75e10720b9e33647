'use strict';
// The fast path: plain Transforms of a script between two of our stages. Go calls their transform functions itself and
// hands on what they put out; everything else about them (ends, errors, flush, destroy) stays the stream library's.
const { Readable, Writable, Transform } = require('node:stream');
const native = internalBinding('media');

const own = (stream, name) => Object.hasOwn(stream, name);

/** isPlain tells a Transform whose data path is the library's own. */
function isPlain(t) {
  if (!(t instanceof Transform) || t.destroyed || t._transform === Transform.prototype._transform) return false;
  const { _readableState: r, _writableState: w } = t;
  return t._write === Transform.prototype._write && t._read === Transform.prototype._read && !t._writev &&
    t._final === Transform.prototype._final && t.push === Readable.prototype.push && t.write === Writable.prototype.write &&
    t.pipe === Readable.prototype.pipe && t.on === Readable.prototype.on && !own(t, 'emit') && !own(t, 'end') &&
    r.objectMode && w.objectMode && w.constructed !== false && r.constructed !== false &&
    !w.ending && !w.ended && !w.corked && r.length === 0 && w.length === 0 && r.flowing !== false && !r.ended;
}

/** isSink tells a Writable whose way in is the library's own. */
function isSink(w) {
  const s = w?._writableState;
  return w instanceof Writable && !w._readableState && s && !w.destroyed && w._write !== Writable.prototype._write && !w._writev &&
    w.write === Writable.prototype.write && !own(w, 'emit') && !own(w, 'end') && s.objectMode && s.constructed !== false &&
    !s.ending && !s.ended && !s.corked && s.length === 0;
}

/**
 * chainOf follows plain Transforms from t to a stage, or to a plain Writable, which is the last step then: { steps, dest },
 * or null. Where maybe is set, what t is piped to is not known yet.
 */
function chainOf(t, stageOf, maybe) {
  const steps = [];
  for (let next = t; ; [next] = next._readableState.pipes) {
    if (steps.length > 0 && stageOf(next)) return { steps, dest: next };
    if (isSink(next)) return { steps: [...steps, next], dest: null };
    if (!isPlain(next) || steps.includes(next)) return null;
    steps.push(next);
    if (maybe) return { steps };
    if (next._readableState.pipes.length !== 1 || next.listenerCount('data') !== 1 || next.listenerCount('readable') > 0) return null;
  }
}

// What a script may call that the fast path does not serve.
const guarded = ['pipe', 'unpipe', 'pause', 'write', 'cork', 'setEncoding', 'iterator', 'compose', Symbol.asyncIterator];
const listening = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'];

/** fuse begins the fast path. Its result has stop(), which ends it for good. */
function fuse(from, to, { steps, dest }, name, { over, undo }) {
  let stopped = false;
  const called = steps.map((self) => ({ self, transform: dest === null && self === steps.at(-1) ? self._write : self._transform }));
  const bridge = native.fuse(from, to, called, over, (i, error) => {
    stop();
    (i < steps.length ? steps[i] : dest).destroy(error);
  }, name);

  function release() {
    for (const t of steps) {
      delete t.push;
      for (const name of [...guarded, ...listening]) delete t[name];
    }
  }
  function stop() {
    if (stopped) return;
    stopped = true;
    bridge.stop();
    release();
  }
  function leave() {
    if (stopped) return;
    bridge.whenIdle(0, () => {
      if (stopped) return;
      stop();
      undo();
    });
  }
  // Where a step is at work the change waits for it; what the script called is done at once, and the library goes on after.
  const hide = (t, name, value) => Object.defineProperty(t, name, { value, writable: true, configurable: true, enumerable: false });
  steps.forEach((t, i) => {
    if (t.push) hide(t, 'push', (object) => {
      if (object !== null) return bridge.push(i, object);
      const end = () => {
        delete t.push;
        t.push(null);
      };
      if (i + 1 < steps.length) bridge.whenIdle(i + 1, end);
      else end();
      return false;
    });
    for (const name of guarded) {
      const method = t[name];
      if (typeof method !== 'function') continue;
      hide(t, name, function (...args) {
        leave();
        return method.apply(this, args);
      });
    }
    for (const name of listening) {
      const method = t[name];
      hide(t, name, function (event, ...args) {
        if (event === 'data' || event === 'readable') leave();
        return method.call(this, event, ...args);
      });
    }
    t.once('close', stop);
  });
  return { stop };
}

module.exports = { chainOf, fuse };
