// An ES module runs as a promise job: its jobs come before its ticks.
import { setTimeout as wait, setImmediate as soon } from 'node:timers/promises';
import { EventEmitter, once, on } from 'node:events';
process.nextTick(() => console.log('tick'));
Promise.resolve().then(() => console.log('job'));
console.log('main');
await wait(2);
console.log('waited', await soon('value'));
const e = new EventEmitter();
process.nextTick(() => e.emit('x', 1, 2));
console.log(await once(e, 'x'));
const seen = [];
setImmediate(() => { e.emit('y', 'a'); e.emit('y', 'b'); e.emit('end'); });
for await (const [v] of on(e, 'y', { close: ['end'] })) seen.push(v);
console.log(seen);
const controller = new AbortController();
setTimeout(() => controller.abort(), 1);
await wait(1000, null, { signal: controller.signal }).catch((error) => console.log(error.name, error.code));
const timeout = AbortSignal.timeout(1);
const alive = setTimeout(() => {}, 5000); // the signal's own timer keeps nothing alive
await new Promise((resolve) => timeout.addEventListener('abort', resolve));
clearTimeout(alive);
console.log(timeout.aborted, timeout.reason.name);
