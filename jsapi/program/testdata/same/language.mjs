// What the engine lacks and the runtime brings.
async function* count(n) { try { for (let i = 0; i < n; i++) yield i; } finally { console.log('closed'); } }
for await (const i of count(5)) { if (i === 2) break; console.log(i); }
const gen = count(3);
console.log(await gen.next(), await gen.return('x'), await gen.next());
console.log(Symbol.asyncIterator.toString(), typeof gen[Symbol.asyncIterator], await (async () => { const r = []; for await (const x of [1, Promise.resolve(2)]) r.push(x); return r; })());
class A { #p = 1; static #s = 2; static { A.made = A.#s; } get p() { return this.#p; } has(o) { return #p in o; } static async *g() { yield 1; } }
console.log(new A().p, A.made, new A().has(new A()), new A().has({}));
console.log([3, 1, 2].toSorted(), [1, 2, 3].at(-1), [1, [2, [3]]].flat(Infinity), Object.hasOwn({ a: 1 }, 'a'), 'abc'.at(-1), [1, 2, 3].findLast((x) => x < 3), [1, 2].with(0, 5));
let x = null; x ??= 4; console.log(x, { a: { b: 1 } }.a?.b, ({}).q?.z?.(), 1_000n ** 2n, 2 ** 10);
console.log('aXbX'.replaceAll('X', '-'), [...'a1b2'.matchAll(/[a-z](\d)/g)].map((m) => m[1]), /(?<year>\d{4})/.exec('in 2024').groups.year, /(?<=\$)\d+/.exec('a$42')[0]);
console.log(await Promise.allSettled([1, Promise.reject(2)]), await Promise.any([Promise.reject(1), 3]), new AggregateError([new Error('a')], 'many').errors.length);
console.log(structuredClone(new Map([[{ a: 1 }, new Set([new Date(0), /x/g])]])), typeof WeakRef, new WeakRef({ a: 1 }).deref());
try { structuredClone(() => {}); } catch (e) { console.log(e.name, e.code); }
const t = new EventTarget();
t.addEventListener('x', (e) => console.log(e.type, e instanceof CustomEvent, e.detail, e.target === t), { once: true });
console.log(t.dispatchEvent(new CustomEvent('x', { detail: 7 })), t.dispatchEvent(new Event('x', { cancelable: true })));
const ac = new AbortController();
ac.signal.addEventListener('abort', () => console.log('aborted', ac.signal.reason.name));
const any = AbortSignal.any([ac.signal, AbortSignal.timeout(10000)]);
ac.abort();
console.log(any.aborted, any.reason === ac.signal.reason, AbortSignal.abort('why').reason);
try { ac.signal.throwIfAborted(); } catch (e) { console.log(e.name, e.code, e.message); }
class MyError extends Error { constructor(m) { super(m); this.name = 'MyError'; } }
const deep = () => { throw new MyError('mine'); };
try { deep(); } catch (e) { console.log(e.stack.split('\n').slice(0, 3).map((l) => l.replace(/file:\/\//, '').replace(/\(?\/.*[/\\]([^/\\]+)$/, '$1'))); }
const o = {}; Error.captureStackTrace(o); console.log(o.stack.split('\n')[1].includes('language.mjs'));
const { prepareStackTrace } = Error; Error.prepareStackTrace = (e, sites) => sites.map((s) => [s.getFunctionName(), s.getLineNumber()]); console.log((function named() { return new Error('x').stack[0]; })()); Error.prepareStackTrace = prepareStackTrace;
console.log(import.meta.url.startsWith('file:///'), import.meta.filename.endsWith('language.mjs'), import.meta.dirname.length > 1);
console.log(/^\p{Lu}\p{Ll}+$/u.test('Élan'), 'a😀b'.match(/./gu).length, [...'añ1'.matchAll(/\p{L}/gu)].length, /[\p{L}--[a-z]]/v.test('q'));
const { default: fs, readFileSync } = await import('node:fs');
console.log(fs.readFileSync === readFileSync, (await import('node:path')).basename('/a/b'));
label: for (const i of [1, 2]) { for (const j of [1, 2]) { if (j === 2) continue label; console.log(i, j); } }
console.log(Object.entries({ b: 1, a: 2, 1: 3 }), JSON.stringify({ a: [1, { b: undefined, c: () => {} }], d: new Date(0), n: NaN }), parseInt('12px'), Number('0x1f'), (0.1 + 0.2).toFixed(2), (1234.5).toLocaleString === undefined);
