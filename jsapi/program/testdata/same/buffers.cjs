const assert = require('assert'), path = require('path'), url = require('url'), qs = require('querystring'), { StringDecoder } = require('string_decoder');
const b = Buffer.from('héllo wörld ✓ 😀');
for (const e of ['utf8', 'hex', 'base64', 'base64url', 'latin1', 'ascii', 'utf16le']) console.log(e, b.toString(e), Buffer.from(b.toString(e), e).length, Buffer.byteLength('ä😀', e));
console.log(Buffer.from([1, 2, 3]).readUInt16BE(1), Buffer.alloc(4).fill('ab').toString(), Buffer.concat([b, Buffer.from('x')]).length, b.indexOf('w'), b.includes('zz'), b.subarray(0, 3), b.equals(Buffer.from(b)), Buffer.compare(b, Buffer.from('a')));
console.log(Buffer.from([0xff, 0xc3, 0x28, 0xe2, 0x82]).toString(), Buffer.from('zz', 'hex'), Buffer.from('YQ=='), Buffer.from('YQ', 'base64').toString(), JSON.stringify(Buffer.from('ab')));
const w = Buffer.alloc(8); w.writeDoubleLE(1.5); console.log(w, w.readBigUInt64LE(), w.write('tüv', 1), w.swap16().toString('hex'));
const d = new StringDecoder('utf8'); console.log(d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end());
console.log(path.join('/a', '..', 'b', './c.txt'), path.parse('/x/y.tar.gz'), path.relative('/a/b', '/a/c/d'), path.normalize('a//b/../c'));
console.log(qs.parse('a=1&a=2&b=%20x&c'), qs.stringify({ a: [1, 2], b: 'ü&' }), url.parse('http://a.b:80/p?q=1#f', true).query.q, url.fileURLToPath('file:///a%20b'), url.pathToFileURL('/a b#').href);
for (const f of [() => assert.strictEqual(1, 2), () => assert.deepEqual({ a: 1 }, { a: 2 }), () => assert(0), () => assert.throws(() => {}), () => Buffer.from(5), () => b.readInt8(100), () => new URL('nope')]) try { f(); console.log('no error'); } catch (e) { console.log(e.name, e.code); }
console.log(new TextDecoder('utf-16le').decode(new Uint8Array([97, 0, 98, 0])), new TextEncoder().encode('é'), atob(btoa('hi')), new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])));
console.log(Object.fromEntries(new URL('http://x/?a=1&b=2').searchParams), [...new Set([1, 2]).union?.(new Set([3])) ?? [1, 2, 3]], 'a\ud800'.isWellFormed(), Promise.withResolvers ? 1 : 1);
console.log(process.argv.length, typeof process.pid, process.version.startsWith('v20'), process.platform, [process.hrtime().length, typeof process.hrtime.bigint()], process.env.NOTHING);
