const net = require('net');
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));
const listening = async (server, ...where) => {
  server.listen(...where);
  await once(server, 'listening');
  return server.address();
};
const text = async (socket) => {
  let all = '';
  for await (const chunk of socket) all += chunk;
  return all;
};

async function names() {
  const dns = require('dns');
  console.log(await new Promise((done) => dns.lookup('127.0.0.1', (...args) => done(args))));
  console.log((await dns.promises.lookup('localhost', { family: 4 })).address);
  const e = await dns.promises.lookup('no-such-name.invalid').catch((error) => error);
  console.log(['ENOTFOUND', 'EAI_AGAIN'].includes(e.code), e.syscall, e.hostname);
}

async function main() {
  await names();
  console.log(['::1', '1.2.3.4', 'x', '::ffff:1.2.3.4', '01.2.3.4', '1::2::3', 'fe80::1%lo'].map((s) => net.isIP(s)).join());

  // Both halves of a connection.
  const echo = net.createServer({ allowHalfOpen: true }, async (socket) => {
    const about = [socket.remoteFamily, socket.readyState];
    const all = await text(socket);
    socket.end(`echo:${all}`);
    await once(socket, 'close');
    console.log('server done', ...about, socket.bytesRead, socket.bytesWritten);
  });
  const { port, address, family } = await listening(echo, 0, '127.0.0.1');
  console.log(address, family, port > 0, echo.listening);
  const client = net.connect({ port, host: '127.0.0.1' });
  console.log(client.connecting, client.pending, client.readyState);
  await once(client, 'connect');
  console.log(client.connecting, client.remotePort === port, client.remoteAddress, client.localFamily);
  client.write('hello ');
  client.end('world');
  console.log(await text(client));
  if (!client.closed) await once(client, 'close');
  console.log('client', client.bytesRead, client.bytesWritten, client.destroyed);
  await new Promise((done) => echo.close(done));
  console.log(echo.listening, echo.address());

  // Errors.
  const refused = net.connect(1, '127.0.0.1');
  const [e] = await once(refused, 'error');
  console.log(e.message, e.code, e.syscall, e.address, e.port, e.errno);
  const [hadError] = refused.closed ? [true] : await once(refused, 'close');
  console.log(hadError);
  for (const bad of [-1, 65536, 'x']) {
    try {
      net.connect({ port: bad });
    } catch (error) {
      console.log(error.name, error.code);
    }
  }
  const one = net.createServer();
  const { port: taken } = await listening(one, 0, '127.0.0.1');
  const two = net.createServer();
  two.listen(taken, '127.0.0.1');
  const [inUse] = await once(two, 'error');
  console.log(inUse.code, inUse.syscall, inUse.address, inUse.port === taken);
  one.close();

  // A path.
  const local = net.createServer((socket) => socket.end('by path'));
  console.log(await listening(local, './a.sock'));
  console.log(await text(net.connect('./a.sock')));
  local.close();

  // Backpressure: a reader that waits holds up the writer.
  const slow = net.createServer();
  const at = await listening(slow, 0, '127.0.0.1');
  const writer = net.connect(at.port, '127.0.0.1');
  const [reader] = await once(slow, 'connection');
  reader.pause();
  let sent = 0;
  const chunk = Buffer.alloc(65536, 1);
  while (writer.write(chunk)) sent++;
  while (sent < 2000 && writer.writableLength < 4 << 20) {
    writer.write(chunk);
    sent++;
  }
  console.log('held up', writer.writableNeedDrain, reader.bytesRead < sent * chunk.length);
  writer.end();
  let got = 0;
  for await (const d of reader) got += d.length;
  console.log('all came', got === writer.bytesWritten);
  slow.close();

  // Timeout, destruction, connections beyond a limit.
  const limited = net.createServer((socket) => socket.on('error', () => {}));
  limited.maxConnections = 1;
  const there = await listening(limited, 0, '127.0.0.1');
  const first = net.connect(there.port, '127.0.0.1');
  await once(limited, 'connection');
  const second = net.connect(there.port, '127.0.0.1').on('error', () => {});
  await once(limited, 'drop');
  if (!second.closed) await once(second, 'close');
  first.setTimeout(20);
  await once(first, 'timeout');
  console.log('timeout', first.destroyed);
  first.destroy(new Error('mine'));
  const [mine] = await once(first, 'error');
  console.log(mine.message, first.readyState);
  await new Promise((done) => limited.close(done));
  console.log('closed');
}
main();
