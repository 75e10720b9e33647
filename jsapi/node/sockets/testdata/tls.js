// process.argv: certificate, key.
const fs = require('fs');
const tls = require('tls');
const https = require('https');
const [cert, key] = process.argv.slice(2).map((f) => fs.readFileSync(f));
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));

async function main() {
  let accept;
  const accepted = new Promise((done) => { accept = done; });
  const server = tls.createServer({ cert, key }, (socket) => {
    socket.end('secret');
    accept(socket.encrypted);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const client = tls.connect({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' });
  await once(client, 'secureConnect');
  console.log(client.authorized, client.getProtocol(), client.getPeerCertificate().subject.CN);
  console.log('encrypted', await accepted); // either end may be the first to know
  let all = '';
  for await (const d of client) all += d;
  console.log(all);
  const stranger = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' });
  const [untrusted] = await once(stranger, 'error');
  console.log(untrusted.code);
  const wrong = tls.connect({ port, host: '127.0.0.1', servername: 'elsewhere.test', ca: cert });
  const [name] = await once(wrong, 'error');
  console.log(name.code);
  server.close();

  const web = https.createServer({ cert, key }, (req, res) => res.end(`${req.method} ${req.url} ${req.socket.encrypted}`));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const at = { port: web.address().port, host: '127.0.0.1', servername: 'localhost', path: '/x', agent: new https.Agent({ ca: cert }) };
  const [res] = await once(https.get(at), 'response');
  let body = '';
  for await (const d of res) body += d;
  console.log(res.statusCode, body);
  const [lax] = await once(https.get({ ...at, agent: undefined, rejectUnauthorized: false }), 'response');
  lax.resume();
  console.log(lax.statusCode);
  const [refused] = await once(https.get({ ...at, agent: undefined }), 'error');
  console.log(refused.code);
  web.close();
  https.globalAgent.destroy();
}
main();
