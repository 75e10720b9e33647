// The order of ticks, promise jobs, timers and immediates.
const log = (...args) => console.log(...args);
setImmediate(() => log('immediate 1'));
setTimeout(() => {
  log('timeout 0');
  process.nextTick(() => log('tick of timeout'));
  Promise.resolve().then(() => log('job of timeout'));
  setImmediate(() => log('immediate of timeout'));
  setTimeout(() => log('timeout of timeout'), 0);
}, 0);
setTimeout(() => log('timeout 1'), 1);
setTimeout(() => log('timeout 200'), 200);
setTimeout(() => log('timeout 100'), 100);
process.nextTick(() => {
  log('tick 1');
  Promise.resolve().then(() => log('job of tick'));
  process.nextTick(() => log('tick of tick'));
});
process.nextTick((a, b) => log('tick 2', a, b), 'a', 'b');
queueMicrotask(() => { log('microtask'); process.nextTick(() => log('tick of microtask')); });
(async () => {
  log('async begins');
  await null;
  log('async 1');
  await new Promise((resolve) => process.nextTick(resolve));
  log('async 2');
})();
Promise.reject(new Error('late')).catch((e) => log('caught', e.message));
process.on('beforeExit', () => { if (!globalThis.again) { globalThis.again = true; log('before exit'); setImmediate(() => log('once more')); } });
process.on('exit', (code) => log('exit', code));
const interval = setInterval(() => { log('interval'); if (interval.n === undefined) interval.n = 0; if (++interval.n === 2) clearInterval(interval); }, 250);
setTimeout(() => log('never'), 5000).unref();
log('main');
