const c = require('crypto');
const { Readable } = require('stream');

for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'SHA-256', 'sha3-256', 'blake2b512', 'RSA-SHA256', 'ripemd160', 'sha512-256']) {
  console.log(name, c.createHash(name).update('hello').update(Buffer.from(' world')).digest('hex'));
}
console.log(c.createHmac('sha256', 'key').update('data').digest('base64'), c.createHash('sha1').update('ff', 'hex').digest().length);
const h = c.createHash('md5').update('a');
const copy = h.copy();
console.log(h.update('b').digest('hex'), copy.digest('hex'));
const fails = (f) => {
  try {
    f();
    console.log('did not fail');
  } catch (e) {
    console.log(e.name, e.code, e.message);
  }
};
fails(() => h.update('x'));
fails(() => c.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')));
fails(() => c.createHash(1));
fails(() => c.createHash('md5').update(1));
console.log(c.randomBytes(8).length, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(c.randomUUID()),
  c.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), c.randomInt(5) < 5, c.getHashes().includes('sha256'));
console.log(c.pbkdf2Sync('p', 's', 1000, 20, 'sha256').toString('hex'), c.scryptSync('p', 's', 16, { N: 1024 }).toString('hex'),
  Buffer.from(c.hkdfSync('sha256', 'k', 's', 'i', 10)).toString('hex'));
for (const name of ['aes-256-cbc', 'aes-128-ctr', 'aes-256-gcm']) {
  const key = Buffer.alloc(name.includes('128') ? 16 : 32, 1);
  const iv = Buffer.alloc(name.endsWith('gcm') ? 12 : 16, 2);
  const there = c.createCipheriv(name, key, iv);
  const secret = there.update('hello world, this is text', 'utf8', 'hex') + there.final('hex');
  const back = c.createDecipheriv(name, key, iv);
  if (name.endsWith('gcm')) back.setAuthTag(there.getAuthTag());
  console.log(name, secret, back.update(secret, 'hex', 'utf8') + back.final('utf8'));
}
fails(() => {
  const d = c.createDecipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12));
  d.setAuthTag(Buffer.alloc(16));
  d.update('00', 'hex');
  d.final();
});

async function main() {
  await new Promise((done) => c.pbkdf2('p', 's', 1, 8, 'sha1', (e, key) => { console.log(key.toString('hex')); done(); }));
  const stream = c.createHash('sha1');
  stream.write('ab');
  stream.end('c');
  for await (const d of stream) console.log(d.toString('hex'));
  for await (const d of Readable.from([Buffer.from('abc')]).pipe(c.createHash('sha1')).setEncoding('hex')) console.log(d);
  console.log(Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'))).toString('hex'),
    crypto.getRandomValues(new Uint8Array(4)).length, typeof crypto.randomUUID());
  const key = await crypto.subtle.importKey('raw', Buffer.from('k'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
  const signature = await crypto.subtle.sign('HMAC', key, Buffer.from('data'));
  console.log(Buffer.from(signature).toString('hex'), await crypto.subtle.verify('HMAC', key, signature, Buffer.from('data')));
}
main();
