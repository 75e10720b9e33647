const through2 = require('through2');
const { Readable } = require('stream');
const all = [];
Readable.from([Buffer.from('a1'), Buffer.from('b2')])
  .pipe(through2(function (chunk, enc, done) { this.push(`[${enc}]`); done(null, chunk.toString().replace(/\d/, 'x')); }, function (done) { this.push('!'); done(); }))
  .on('data', (c) => all.push(String(c)))
  .on('end', () => console.log(all));
const count = through2.obj(function (n, _, done) { this.total = (this.total ?? 0) + n; done(); }, function (done) { this.push({ total: this.total }); done(); });
count.on('data', (d) => console.log(d));
for (const n of [1, 2, 3]) count.write(n);
count.end();
