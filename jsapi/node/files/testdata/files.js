const fs = require('fs');
const fsp = require('fs/promises');
const path = require('path');

const dir = fs.mkdtempSync('files-');
const plain = (v) => (typeof v === 'string' ? v.replaceAll(dir, 'TMP') : v);
const log = (...args) => console.log(...args.map(plain));
const fails = (name, f) => {
  try {
    f();
    log(name, 'did not fail');
  } catch (e) {
    log(name, e instanceof Error, e.message, e.code, e.syscall, e.path, e.dest, e.errno);
  }
};

async function main() {
  const file = path.join(dir, 'a.txt');
  fs.writeFileSync(file, 'hello');
  fs.appendFileSync(file, ' world');
  log(fs.readFileSync(file, 'utf8'), fs.readFileSync(file).length, fs.existsSync(file), fs.existsSync(`${file}x`));

  fails('read', () => fs.readFileSync(`${dir}/none`));
  fails('read a folder', () => fs.readFileSync(dir));
  fails('mkdir', () => fs.mkdirSync(dir));
  fails('rmdir', () => fs.rmdirSync(file));
  fails('readdir', () => fs.readdirSync(`${dir}/q`));
  fails('rename', () => fs.renameSync(`${dir}/x`, `${dir}/y`));
  fails('unlink', () => fs.unlinkSync(`${dir}/z`));
  fails('rm of a folder', () => fs.rmSync(dir));
  fails('copy', () => fs.copyFileSync(file, file, fs.constants.COPYFILE_EXCL));
  fails('close', () => fs.closeSync(999));
  fails('stat', () => fs.statSync(`${file}q`));
  fails('access', () => fs.accessSync(`${file}q`));
  fails('open a number', () => fs.openSync(5));
  fails('open a zero', () => fs.readFileSync('a\0b'));
  fails('open a flag', () => fs.openSync(file, 'zz'));
  fails('no callback', () => fs.readFile(file));

  const st = fs.statSync(file);
  log(st.isFile(), st.isDirectory(), st.size, (st.mode & 0o777).toString(8), st.mtime instanceof Date, Object.keys(st).join());
  log(typeof fs.statSync(file, { bigint: true }).mtimeNs, fs.statSync('/none', { throwIfNoEntry: false }));
  fs.utimesSync(file, 10, 20.5);
  log(fs.statSync(file).mtimeMs, fs.statSync(file).atimeMs);
  fs.chmodSync(file, 0o600);
  log((fs.statSync(file).mode & 0o777).toString(8));

  log(path.basename(fs.mkdirSync(`${dir}/p/q/r`, { recursive: true })), fs.mkdirSync(`${dir}/p/q/r`, { recursive: true }));
  fs.writeFileSync(`${dir}/p/q/b`, 'x');
  fs.symlinkSync('b', `${dir}/p/q/l`);
  log(fs.readdirSync(`${dir}/p`, { recursive: true }).sort().join(), fs.readlinkSync(`${dir}/p/q/l`), path.basename(fs.realpathSync(`${dir}/p/q/l`)));
  log(fs.readdirSync(`${dir}/p/q`, { withFileTypes: true }).map((d) => [d.name, d.isFile(), d.isDirectory(), d.isSymbolicLink()].join()).join(' '));
  fs.cpSync(`${dir}/p`, `${dir}/copy`, { recursive: true });
  log(fs.readdirSync(`${dir}/copy/q`).join());
  for await (const entry of await fsp.opendir(`${dir}/p`)) log(entry.name);

  const fd = fs.openSync(file, 'r+');
  const b = Buffer.alloc(5);
  log(fs.readSync(fd, b, 0, 5, 6), b.toString(), fs.writeSync(fd, 'HE', 0), fs.readFileSync(file, 'latin1'));
  fs.closeSync(fd);

  const handle = await fsp.open(file, 'r+');
  log((await handle.read({ buffer: Buffer.alloc(3), position: 1 })).bytesRead, (await handle.stat()).size, await handle.readFile('utf8'));
  log((await handle.write('ZZ', 3)).bytesWritten);
  await handle.close();
  await handle.close();
  await fsp.readFile('/nope/x').catch((e) => log(e.message, e.errno));
  await fsp.writeFile(`${dir}/it`, (async function* () { yield 'a'; yield Buffer.from('b'); })());
  log(await fsp.readFile(`${dir}/it`, 'utf8'));
  await new Promise((done) => fs.readFile(file, 'utf8', (e, text) => { log(e, text); done(); }));
  await new Promise((done) => fs.stat(`${file}x`, (e, s) => { log(e.code, s); done(); }));
  await fsp.truncate(file, 2);
  log(fs.readFileSync(file, 'utf8'));

  const out = fs.createWriteStream(`${dir}/big`);
  for (const event of ['open', 'ready', 'close']) out.on(event, () => log('written:', event));
  for (let i = 0; i < 2000; i++) {
    if (!out.write(`line ${i}\n${'x'.repeat(100)}`)) await new Promise((done) => out.once('drain', done));
  }
  const closed = new Promise((done) => out.on('close', done));
  await new Promise((done) => out.end(done));
  await closed;
  log(out.bytesWritten, fs.statSync(`${dir}/big`).size);
  const part = fs.createReadStream(`${dir}/big`, { start: 3, end: 100000 });
  let n = 0;
  let chunks = 0;
  for await (const d of part) {
    n += d.length;
    chunks++;
  }
  log(n, chunks, part.bytesRead, part.destroyed);
  const none = fs.createReadStream('/no/such');
  await new Promise((done) => none.on('error', (e) => { log(e.message); done(); }));
  const small = fs.createReadStream(`${dir}/big`, { encoding: 'utf8', highWaterMark: 10, start: 0, end: 14 });
  small.on('data', (d) => log(JSON.stringify(d)));
  await new Promise((done) => small.on('close', done));
  const cut = fs.createReadStream(`${dir}/big`);
  cut.once('data', () => cut.destroy());
  await new Promise((done) => cut.on('close', done));
  log('cut', cut.destroyed);

  const watcher = fs.watch(dir);
  const seen = new Promise((done) => watcher.once('change', (event, name) => { log(event, name); watcher.close(); done(); }));
  fs.writeFileSync(`${dir}/new`, '');
  await seen;
  fs.rmSync(dir, { recursive: true });
  log(fs.existsSync(dir));
  fs.rmSync(dir, { force: true });
}
main();
