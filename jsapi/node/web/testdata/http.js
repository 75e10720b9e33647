const http = require('http');
const net = require('net');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));
const listening = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
const text = async (stream) => {
  let all = '';
  for await (const d of stream) all += d;
  return all;
};
const ask = async (options, body) => {
  const req = http.request({ host: '127.0.0.1', ...options });
  req.end(body);
  const [res] = await once(req, 'response');
  return [res, await text(res)];
};

async function plain() {
  const server = http.createServer(async (req, res) => {
    if (req.url === '/echo') {
      res.writeHead(200, 'Fine', { 'X-Length': req.headers['content-length'] ?? 'none', 'X-Coding': req.headers['transfer-encoding'] ?? 'none' });
      await pipeline(req, res);
    } else if (req.url === '/fields') {
      res.setHeader('X-Many', ['1', '2']);
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.statusCode = 404;
      res.end(JSON.stringify([req.headers['x-twice'], req.headers.cookie, req.rawHeaders.length > 4, req.httpVersion, req.complete]));
    } else if (req.url === '/none') {
      res.writeHead(204);
      res.end('not sent');
    } else if (req.url === '/hints') {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => res.end('hinted'));
    } else res.end(`${req.method} ${req.url}`);
  });
  const port = await listening(server);
  const agent = new http.Agent({ keepAlive: true });
  let [res, all] = await ask({ port, path: '/echo', method: 'POST', agent }, 'whole');
  console.log(res.statusCode, res.statusMessage, res.headers['x-length'], res.headers['x-coding'], all);
  const streamed = http.request({ port, host: '127.0.0.1', path: '/echo', method: 'POST', agent });
  streamed.write('piece ');
  streamed.end('by piece');
  [res] = await once(streamed, 'response');
  console.log(res.headers['x-length'], res.headers['x-coding'], res.headers['transfer-encoding'], await text(res), streamed.reusedSocket);
  [res, all] = await ask({ port, path: '/fields', agent, headers: { 'X-Twice': ['a', 'b'], Cookie: 'c=1; d=2' } });
  console.log(res.statusCode, res.headers['x-many'], res.headers['set-cookie'], all);
  [res, all] = await ask({ port, path: '/none', agent });
  console.log(res.statusCode, all === '', res.headers['content-length']);
  const hinted = http.get({ port, host: '127.0.0.1', path: '/hints', agent });
  hinted.on('information', (info) => console.log('information', info.statusCode, info.headers.link));
  [res] = await once(hinted, 'response');
  console.log(await text(res));
  [res, all] = await ask({ port, path: '/x?a=%20b', method: 'DELETE', agent });
  console.log(all);
  for (const bad of [() => http.get({ path: '/a b' }), () => http.get('ftp://x/'), () => http.request({ method: 'A B' }),
    () => http.request({ headers: { 'a b': '1' } }), () => http.request({ headers: { a: '1\n2' } })]) {
    try {
      bad().on('error', () => {});
      console.log('did not fail');
    } catch (e) {
      console.log(e.name, e.code);
    }
  }
  agent.destroy();
  await new Promise((done) => server.close(done));
}

async function backpressure() {
  const size = 20 << 20;
  let ahead = 0;
  const server = http.createServer((req, res) => {
    if (req.method === 'POST') {
      let n = 0;
      req.on('data', (d) => { n += d.length; });
      req.on('end', () => res.end(`${n}`));
      return;
    }
    let sent = 0;
    const chunk = Buffer.alloc(65536, 5);
    const more = () => {
      while (sent < size) {
        sent += chunk.length;
        ahead = Math.max(ahead, res.writableLength);
        if (!res.write(chunk)) {
          res.once('drain', more);
          return;
        }
      }
      res.end();
    };
    more();
  });
  const port = await listening(server);
  const [res] = await once(http.get({ port, host: '127.0.0.1' }), 'response');
  let n = 0;
  for await (const d of res) {
    n += d.length;
    if (n % 7 === 0) await new Promise(setImmediate);
  }
  console.log(n === size, ahead <= 131072);
  const req = http.request({ port, host: '127.0.0.1', method: 'POST' });
  const answered = once(req, 'response');
  await pipeline(Readable.from((function* () { for (let i = 0; i < 320; i++) yield Buffer.alloc(65536); })()), req);
  console.log(await text((await answered)[0]));
  await new Promise((done) => server.close(done));
}

async function aborted() {
  const server = http.createServer();
  const port = await listening(server);
  // The client leaves before the answer.
  const gone = http.get({ port, host: '127.0.0.1' });
  gone.on('error', (e) => console.log('client', e.code));
  let [req, res] = await once(server, 'request');
  const ended = once(res, 'close');
  gone.destroy();
  await ended;
  console.log('left', res.writableFinished, res.destroyed, req.aborted);
  // The client leaves in the middle of its body.
  const half = http.request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': 100 } });
  half.on('error', () => {});
  half.write('half');
  [req, res] = await once(server, 'request');
  const failed = once(req, 'error');
  await once(req, 'data');
  half.destroy();
  const [e] = await failed;
  console.log('half', e.code, e.message, req.complete, req.aborted);
  // The server leaves in the middle of its answer.
  const cut = http.get({ port, host: '127.0.0.1', agent: false });
  [req, res] = await once(server, 'request');
  res.writeHead(200, { 'content-length': 100 });
  res.write('half');
  const [answer] = await once(cut, 'response');
  const broken = once(answer, 'error');
  answer.once('data', () => res.destroy());
  const [error] = await broken;
  console.log('cut', error.code, error.message, answer.complete);
  await new Promise((done) => server.close(done));
}

async function upgraded() {
  const server = http.createServer();
  server.on('upgrade', (req, socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  const port = await listening(server);
  const req = http.get({ port, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'echo' } });
  const [res, socket] = await once(req, 'upgrade');
  console.log(res.statusCode, res.headers.upgrade);
  socket.end('through');
  console.log(await text(socket));
  await new Promise((done) => server.close(done));
}

async function limits() {
  const server = http.createServer({ maxHeaderSize: 8192 }, (req, res) => res.end('answer'));
  server.headersTimeout = 100;
  server.requestTimeout = 100;
  server.keepAliveTimeout = 50;
  const port = await listening(server);
  const raw = async (sent) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(sent);
    const all = await text(socket).catch((e) => e.code);
    return all.split('\r\n')[0].replace(/^HTTP\/1.\d /, '');
  };
  console.log(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20000)}\r\n\r\n`));
  console.log(await raw('NOT HTTP\r\n\r\n'));
  console.log(await raw('GET / HTTP/1.1\r\nHost: x\r\n\r\n')); // and the idle connection ends by itself
  console.log(await raw('GET / HTTP/1.0\r\n\r\n'));
  await new Promise((done) => server.close(done));
}

async function main() {
  await plain();
  await backpressure();
  await aborted();
  await upgraded();
  await limits();
  const late = http.createServer((req, res) => { res.on('timeout', () => { console.log('timeout'); res.destroy(); }); });
  late.setTimeout(30);
  const port = await listening(late);
  await new Promise((done) => http.get({ port, host: '127.0.0.1', agent: false }).on('error', (e) => { console.log(e.code, e.message); done(); }));
  const slow = http.createServer(() => {});
  const at = await listening(slow);
  const req = http.get({ port: at, host: '127.0.0.1', timeout: 30, agent: false });
  req.on('timeout', () => req.destroy(new Error('too slow')));
  console.log((await once(req, 'error'))[0].message);
  console.log((await new Promise((done) => http.get({ port: 1, host: '127.0.0.1' }).on('error', done))).message);
  const controller = new AbortController();
  const stopped = http.get({ port: at, host: '127.0.0.1', signal: controller.signal });
  controller.abort();
  console.log((await once(stopped, 'error'))[0].name);
  for (const server of [late, slow]) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  console.log('done');
}
main();
