// The package ws as server; as client too, or the global WebSocket where process.argv[2] says so.
const http = require('http');
const ws = require('ws');
const Client = process.argv[2] === 'global' && typeof WebSocket === 'function' ? WebSocket : ws.WebSocket;

const server = http.createServer((req, res) => res.end('plain'));
const wss = new ws.WebSocketServer({ server });
const seen = [];
wss.on('connection', (socket, req) => {
  seen.push(req.url);
  socket.on('message', (m, binary) => {
    if (`${m}` === 'bye') socket.close(4001, 'done');
    else socket.send(binary ? m : `echo ${m}`, { binary });
  });
  socket.on('close', (code, reason) => {
    seen.push(`closed ${code} ${reason}`);
    finish();
  });
});
let left = 2;
const finish = () => {
  if (--left > 0) return;
  console.log(seen.join(', '));
  const bad = new Client('ws://127.0.0.1:1/');
  bad.onerror = () => console.log('error');
  bad.onclose = (e) => {
    console.log('not open', e.code);
    wss.close();
    server.close(() => console.log('closed'));
  };
};
server.listen(0, '127.0.0.1', () => {
  const client = new Client(`ws://127.0.0.1:${server.address().port}/path?q=1`);
  client.binaryType = 'arraybuffer';
  let n = 0;
  client.onopen = () => {
    console.log('open', client.readyState);
    client.send('hello');
  };
  client.onmessage = ({ data }) => {
    console.log(typeof data === 'string' ? data.slice(0, 20) : `${new Uint8Array(data).length} bytes`, data.length ?? data.byteLength);
    n++;
    if (n === 1) client.send(new Uint8Array([1, 2, 3]));
    else if (n === 2) client.send('x'.repeat(200000));
    else client.send('bye');
  };
  client.onclose = (e) => {
    console.log('close', e.code, e.reason, e.wasClean);
    finish();
  };
});
