// process.argv[2]: which version of express.
const http = require('http');
const fs = require('fs');
const path = require('path');
const which = process.argv[2];
const express = which === 'express5' ? require('express5') : require('express4');

const dir = path.join(__dirname, 'static');
fs.mkdirSync(dir, { recursive: true });
fs.writeFileSync(path.join(dir, 'hello.txt'), 'static text\n');
fs.writeFileSync(path.join(dir, 'big.bin'), Buffer.alloc(3000000, 7));
fs.writeFileSync(path.join(dir, '..', 'secret.txt'), 'secret');
for (const name of ['hello.txt', 'big.bin']) fs.utimesSync(path.join(dir, name), 1700000000, 1700000000);

const app = express();
app.use(express.json({ limit: '10kb' }));
app.use(express.urlencoded({ extended: true }));
app.get('/', (req, res) => { res.send('Hello World!'); });
app.post('/json', (req, res) => { res.json({ got: req.body, ip: req.ip }); });
app.post('/form', (req, res) => { res.json(req.body); });
const router = express.Router();
router.get('/:id/x/:name', (req, res) => { res.status(201).json({ ...req.params, q: req.query }); });
app.use('/user', router);
app.use('/static', express.static(dir));
app.get('/file', (req, res) => { res.sendFile(path.join(dir, 'hello.txt')); });
app.get('/download', (req, res) => { res.download(path.join(dir, 'hello.txt'), 'x.txt'); });
app.get('/redirect', (req, res) => { res.redirect('/'); });
app.get('/cookie', (req, res) => { res.cookie('a', 'b', { httpOnly: true }).set('X-Y', 'z').type('html').send('<p>'); });
app.get('/throw', () => { throw new Error('thrown'); });
app.get('/reject', async (req, res, next) => {
  if (which === 'express5') throw new Error('rejected');
  next(new Error('rejected'));
});
app.get('/stream', (req, res) => {
  let i = 0;
  const timer = setInterval(() => {
    res.write(`tick${i}`);
    if (++i < 3) return;
    clearInterval(timer);
    res.end();
  }, 5);
});
app.use((error, req, res, next) => {
  const status = error.status || 500;
  res.status(status).json(error.type ? { type: error.type } : { error: error.message });
});

const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const ask = (method, target, { body, headers = {} } = {}) => new Promise((done, fail) => {
    const req = http.request({ port, host: '127.0.0.1', method, path: target, headers, agent: false }, (res) => {
      const parts = [];
      res.on('data', (d) => parts.push(d));
      res.on('end', () => {
        const all = Buffer.concat(parts);
        const { date, connection, 'keep-alive': keepAlive, ...fields } = res.headers;
        const sorted = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
        console.log(method, target, res.statusCode, res.statusMessage, JSON.stringify(sorted), all.length > 300 ? `${all.length} bytes` : JSON.stringify(`${all}`));
        done();
      });
    });
    req.on('error', fail);
    req.end(body);
  });
  const json = { 'content-type': 'application/json' };
  await ask('GET', '/');
  await ask('HEAD', '/');
  await ask('POST', '/json', { body: '{"a":[1,2]}', headers: json });
  await ask('POST', '/json', { body: '{"a":', headers: json });
  await ask('POST', '/json', { body: JSON.stringify({ x: 'y'.repeat(20000) }), headers: json });
  await ask('POST', '/form', { body: 'a=1&b[c]=2', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  await ask('GET', '/user/7/x/bob?q=1&z[]=2');
  await ask('GET', '/nope');
  await ask('GET', '/static/hello.txt');
  await ask('GET', '/static/big.bin');
  await ask('GET', '/static/big.bin', { headers: { range: 'bytes=10-19' } });
  await ask('GET', '/static/big.bin', { headers: { range: 'bytes=9999999-' } });
  await ask('GET', '/static/hello.txt', { headers: { 'if-modified-since': new Date(1700000000000).toUTCString() } });
  await ask('GET', '/', { headers: { 'if-none-match': 'W/"c-Lve95gjOVATpfV8EL5X4nxwjKHE"' } });
  for (const climb of ['../secret.txt', '%2e%2e/secret.txt', '..%2fsecret.txt', '%2e%2e%2fsecret.txt', '....//secret.txt', '', '%00', 'hello.txt%00.png']) {
    await ask('GET', `/static/${climb}`);
  }
  await ask('GET', '/file');
  await ask('GET', '/download');
  await ask('GET', '/redirect');
  await ask('GET', '/cookie');
  await ask('GET', '/throw');
  await ask('GET', '/reject');
  await ask('GET', '/stream');
  await ask('OPTIONS', '/user/7/x/bob');
  await ask('PUT', '/');
  server.close(() => console.log('closed'));
});
