// What reaches nobody else reaches the process.
process.on('uncaughtException', (error, origin) => console.log('uncaught', error?.message ?? error, origin));
process.on('uncaughtExceptionMonitor', (error, origin) => console.log('monitor', error?.message ?? error, origin));
process.on('exit', (code) => { console.log('exit', code, process.exitCode); });
process.on('beforeExit', (code) => { console.log('before', code); process.exitCode = 0; });
const e = new (require('events'))().on('x', () => { throw new Error('listener'); });
const steps = [
  () => {
    process.nextTick(() => { throw new Error('tick'); });
    process.nextTick(() => console.log('the next tick'));
    queueMicrotask(() => { throw new Error('microtask'); });
    throw new Error('timer');
  },
  () => setImmediate(() => { throw 'text'; }),
  () => e.emit('x'),
  () => {
    process.on('unhandledRejection', (reason, promise) => console.log('rejected', reason.message, promise instanceof Promise));
    Promise.reject(new Error('lost'));
    const late = Promise.reject(new Error('late'));
    process.on('rejectionHandled', (p) => console.log('handled after all', p === late));
    setTimeout(() => late.catch(() => console.log('caught late')), 5);
  },
];
(function next() {
  if (steps.length === 0) return;
  setTimeout(next, 20);
  steps.shift()();
})();
