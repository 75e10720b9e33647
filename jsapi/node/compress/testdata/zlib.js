const zlib = require('zlib');
const { pipeline } = require('stream/promises');
const { Readable, Writable } = require('stream');
const { promisify } = require('util');

const text = Buffer.from('hello hello hello '.repeat(1000));
for (const [a, b] of [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw'], ['brotliCompress', 'brotliDecompress'],
  ['gzip', 'unzip'], ['deflate', 'unzip']]) {
  console.log(a, b, zlib[`${b}Sync`](zlib[`${a}Sync`](text)).equals(text), zlib[`${a}Sync`]('x').length > 0);
}
const broken = {
  'no gzip': ['gunzipSync', Buffer.from('nope nope nope')],
  'cut short': ['gunzipSync', zlib.gzipSync('abc').subarray(0, 15)],
  'no zlib': ['inflateSync', Buffer.from([1, 2, 3, 4])],
  empty: ['gunzipSync', Buffer.alloc(0)],
};
for (const [name, [f, data]] of Object.entries(broken)) {
  try {
    console.log(name, zlib[f](data));
  } catch (e) {
    console.log(name, e.message, e.code, e.errno);
  }
}
try {
  zlib.gunzipSync(zlib.gzipSync(text), { maxOutputLength: 100 });
} catch (e) {
  console.log(e.name, e.code);
}
console.log(`${zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), zlib.gzipSync('b')]))}`,
  `${zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), Buffer.alloc(10)]))}`);
console.log(zlib.constants.Z_BEST_SPEED, zlib.codes.Z_OK, zlib.codes['-3']);

async function main() {
  console.log(`${await promisify(zlib.gunzip)(await promisify(zlib.gzip)('callbacks'))}`);
  await promisify(zlib.inflate)(Buffer.from('no')).catch((e) => console.log(e.code));
  const big = Buffer.alloc(1e6, 'abcdefghij');
  for (const [there, back] of [['createGzip', 'createGunzip'], ['createDeflateRaw', 'createInflateRaw'], ['createBrotliCompress', 'createBrotliDecompress']]) {
    const out = [];
    await pipeline(Readable.from([big.subarray(0, 1000), big.subarray(1000)]), zlib[there](), zlib[back](),
      new Writable({ write(chunk, encoding, done) { out.push(chunk); setImmediate(done); } }));
    console.log(there, Buffer.concat(out).equals(big));
  }
  const bad = zlib.createGunzip();
  const closed = new Promise((done) => bad.on('close', done));
  bad.on('error', (e) => console.log(e.message, e.code));
  bad.end('not gzip at all');
  await closed;
  const gz = zlib.createGzip();
  const parts = [];
  gz.on('data', (d) => parts.push(d));
  gz.write('first');
  await new Promise((done) => gz.flush(done));
  console.log(parts.length > 0);
  gz.end('second');
  await new Promise((done) => gz.on('end', done));
  console.log(`${zlib.gunzipSync(Buffer.concat(parts))}`, gz.bytesWritten);
}
main();
