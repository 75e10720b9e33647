// Everything is left as it is: a listener, connections in both states, a connection that is being made.
const net = require('net');
const server = net.createServer((socket) => socket.write('x'));
server.listen(0, '127.0.0.1', () => {
  let left = 20;
  for (let i = 0; i < 20; i++) {
    net.connect(server.address().port, '127.0.0.1').once('data', () => { if (--left === 0) process.exit(0); });
  }
});
