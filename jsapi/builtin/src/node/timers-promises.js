'use strict';
const timers = require('./timers.js');
const { aborted, check } = require('../internal/errors.js');

function later(start, stop, value, options = {}) {
  try {
    check.object(options, 'options');
    check.signal(options.signal, 'options.signal');
    if (options.ref !== undefined) check.boolean(options.ref, 'options.ref');
  } catch (error) {
    return Promise.reject(error);
  }
  const { signal, ref = true } = options;
  if (signal?.aborted) return Promise.reject(aborted(signal.reason));
  return new Promise((resolve, reject) => {
    let cancel;
    const timer = start(() => {
      signal?.removeEventListener('abort', cancel);
      resolve(value);
    });
    if (!ref) timer.unref();
    if (!signal) return;
    cancel = () => { stop(timer); reject(aborted(signal.reason)); };
    signal.addEventListener('abort', cancel, { once: true });
  });
}

function setTimeout(delay, value, options) {
  return later((f) => timers.setTimeout(f, delay), timers.clearTimeout, value, options);
}
function setImmediate(value, options) {
  return later((f) => timers.setImmediate(f), timers.clearImmediate, value, options);
}
async function* setInterval(delay, value, options = {}) {
  check.object(options, 'options');
  check.signal(options.signal, 'options.signal');
  const { signal, ref = true } = options;
  if (signal?.aborted) throw aborted(signal.reason);
  let due = 0;
  let wake;
  const interval = timers.setInterval(() => { due++; wake?.(); }, delay);
  if (!ref) interval.unref();
  const cancel = () => { timers.clearInterval(interval); wake?.(); };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      if (signal?.aborted) throw aborted(signal.reason);
      if (due === 0) await new Promise((resolve) => { wake = resolve; });
      wake = undefined;
      for (; due > 0; due--) yield value;
    }
  } finally {
    timers.clearInterval(interval);
    signal?.removeEventListener('abort', cancel);
  }
}

const scheduler = {
  wait: (delay, options) => setTimeout(delay, undefined, options),
  yield: () => setImmediate(),
};

module.exports = { setTimeout, setImmediate, setInterval, scheduler };
require('../internal/names.js').named(module.exports, ['setTimeout', 'setImmediate', 'setInterval']);
