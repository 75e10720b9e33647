// What console.log and util make of values.
const util = require('util');
class Point { constructor() { this.x = 1; this.y = -0; } get z() { return 3; } }
class Odd extends Map { [Symbol.toStringTag] = 'Odd'; }
const ring = { name: 'ring' }; ring.self = ring;
console.log([1, , 3], [undefined, null], { a: { b: { c: { d: 1 } } } }, new Point(), ring);
console.log(new Map([['k', { v: 1 }]]), new Set(['a', 1n]), new Odd(), Symbol('s'), [Symbol.iterator]);
console.log(() => {}, function named() {}, class A {}, class B extends Point {}, async () => {}, function* g() {});
console.log(new Date(0), /re/gi, Buffer.from('hey'), new Uint8Array(3), new ArrayBuffer(2), Promise.resolve(4), Promise.reject(1).catch(() => {}) && new Promise(() => {}));
console.log("it's", ['it\'s', "a\nb", 'q"q\''], 'multi\nline', -0, [-0], 1e21, 123456789n, [123456789n]);
console.log(Array.from({ length: 120 }, (_, i) => i), 'x'.repeat(10), ['a'.repeat(100), 'b'.repeat(100)]);
console.log({ 'a-b': 1, get g() { return 1; }, set s(v) {}, get gs() { return 1; }, set gs(v) {}, [Symbol('k')]: 2 }, Object.create(null), Object.create({ a: 1 }));
console.log('%s is %d years and %i, %f, %j %o %O %%', 'Bob', 42, 42.9, 1.5, { a: 1 }, [1], { b: 2 }, 'extra', { c: 3 });
console.log(util.inspect({ a: [{ b: { c: {} } }] }, { depth: 0 }), util.inspect('x'.repeat(5)), util.inspect({ a: 1, b: 'x' }, { compact: false }));
console.log(util.format('%s', null, undefined, 5n, Symbol('q')), util.isDeepStrictEqual({ a: [1] }, { a: [1] }), util.types.isRegExp(/a/));
console.log(Object.groupBy ? 'has groupBy' : 'has groupBy', [3, 1, 2].toSorted(), structuredClone({ d: new Date(0), m: new Map([[1, new Set([2])]]) }));
console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]);
console.group('group'); console.log('in\nside'); console.groupEnd();
console.log(new Proxy({ p: 1 }, {}), [new Boolean(true), new String('s'), new Number(3)], (function () { return arguments; })(1, 2));
try { null.x; } catch (e) { console.log(e instanceof TypeError, e.name); }
const e = new Error('outer', { cause: new TypeError('inner') }); e.stack = e.stack.split('\n')[0]; e.cause.stack = e.cause.stack.split('\n')[0];
console.log(e, Object.assign(Object.assign(new RangeError('r'), { stack: 'RangeError: r' }), { code: 'E_X', extra: [1] }));
console.log(new URL('https://user:pw@example.org:8080/a/b?x=1#h').searchParams.get('x'), new URLSearchParams({ a: '1 2' }).toString());
console.log(util.inspect(new Error('x')).split('\n')[1].replace(/\(.*[/\\]/, '('), [1.5, 2.25, 100], { s: 'a'.repeat(90) });
