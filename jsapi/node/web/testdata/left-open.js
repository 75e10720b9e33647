// A server, connections, requests that wait for an answer and answers that nobody reads, all left as they are.
const http = require('http');
const big = Buffer.alloc(8 << 20);
const server = http.createServer((req, res) => {
  if (req.url === '/big') res.end(big);
  else if (req.url === '/half') res.write('half');
});
let left = 0;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  for (let i = 0; i < 10; i++) {
    http.get({ port, host: '127.0.0.1', path: '/wait' });
    http.get({ port, host: '127.0.0.1', path: '/big' }, (res) => { res.once('readable', ready); });
    fetch(`http://127.0.0.1:${port}/half`).then(ready);
  }
});
const ready = () => { if (++left === 20) process.exit(0); };
