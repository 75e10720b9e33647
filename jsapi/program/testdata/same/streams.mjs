import { Readable, Transform, Writable, PassThrough, Duplex, compose, finished } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text, json } from 'node:stream/consumers';

const upper = () => new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } });
console.log(await text(Readable.from(['a', 'b', 'c']).pipe(upper())));
console.log(await Readable.from([1, 2, 3, 4]).filter((n) => n % 2 === 0).map(async (n) => n * 10).toArray());
console.log(await json(Readable.from(['{"a":', '[1]}'])));
const out = [];
await pipeline(
  async function* () { for (let i = 0; i < 5; i++) yield i; },
  async function* (source) { for await (const n of source) yield n * n; },
  new Writable({ objectMode: true, highWaterMark: 1, write(n, _, done) { out.push(n); setImmediate(done); } }));
console.log(out);
const slow = new Writable({ highWaterMark: 3, write(c, _, done) { setTimeout(done, 1); } });
console.log(slow.write('ab'), slow.write('cd'), slow.writableLength, slow.writableNeedDrain);
slow.end();
slow.on('finish', () => console.log('finish'));
await new Promise((resolve) => finished(slow, resolve));
const failing = new Transform({ transform(c, _, done) { done(new Error('no')); } });
await pipeline(Readable.from(['x']), failing, new PassThrough()).catch((e) => console.log('failed:', e.message, failing.destroyed));
const duplex = compose(upper(), new PassThrough());
duplex.end('composed');
console.log(await text(duplex));
const ac = new AbortController();
const endless = Readable.from((async function* () { for (let i = 0; ; i++) yield i; })(), { signal: ac.signal });
try { for await (const n of endless) if (n === 3) ac.abort(); } catch (e) { console.log(e.name, e.code); }
console.log(await Duplex.from(async function* (source) { for await (const c of source) yield `<${c}>`; }).end('in').toArray());
const r = new Readable({ read() {} });
r.push('one'); r.push('two'); r.push(null);
r.on('readable', () => { let c; while ((c = r.read(2)) !== null) console.log('read', String(c)); });
r.on('end', () => console.log('end'));
