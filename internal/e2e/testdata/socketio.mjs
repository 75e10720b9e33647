// The stock client of Socket.IO against /socket.io/ of a server, run by node: node socketio.mjs http://host:port
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { io } from 'socket.io-client';

const url = process.argv[2];
const deadline = setTimeout(() => { throw new Error('it takes too long'); }, 50_000);
const open = [];
async function connect(options = {}, at = url) {
  const socket = io(at, { forceNew: true, query: { path: 'room' }, ...options });
  open.push(socket);
  await new Promise((resolve, reject) => { socket.on('connect', resolve); socket.on('connect_error', reject); });
  return socket;
}
const heard = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

for (const transports of [['websocket'], ['polling'], undefined]) {
  const [a, b, c] = await Promise.all([connect({ transports }), connect({ transports }), connect({ transports, query: { path: 'elsewhere' } })]);
  if (!transports && a.io.engine.transport.name !== 'websocket') await once(a.io.engine, 'upgrade');
  if (transports) assert.equal(a.io.engine.transport.name, transports[0]);

  let strayed = false;
  c.on('chat', () => { strayed = true; });
  const both = Promise.all([heard(a, 'chat'), heard(b, 'chat')]);
  assert.equal(await a.timeout(5000).emitWithAck('chat', { text: 'hällo', n: [1, null, 2.5] }), 'sent');
  assert.deepEqual(await both, [[{ text: 'hällo', n: [1, null, 2.5] }], [{ text: 'hällo', n: [1, null, 2.5] }]]);

  const [isBuffer, more, nested] = await new Promise((resolve) => a.emit('bytes', Buffer.from([0, 1, 2]), (...x) => resolve(x)));
  assert.equal(isBuffer, true);
  assert.deepEqual([...more], [0, 1, 2, 255]);
  assert.deepEqual([...nested.nested[0]], [0, 1, 2]);

  const from = Promise.all([heard(b, 'from'), heard(c, 'from')]);
  let own = false;
  a.on('from', () => { own = true; });
  a.emit('others');
  assert.deepEqual(await from, [[a.id], [a.id]]);

  a.on('question', (n, answer) => answer(n + 1));
  assert.equal(await a.timeout(5000).emitWithAck('ask'), 43);
  assert.equal(own, false);
  assert.equal(strayed, false);

  const gone = heard(b, 'disconnect');
  b.emit('bye');
  assert.deepEqual((await gone)[0], 'io server disconnect');
  for (const socket of [a, b, c]) socket.close();
}

const admin = io(`${url}/admin`, { forceNew: true });
open.push(admin);
assert.deepEqual(await heard(admin, 'admin'), ['/admin']);

const refused = await connect({ auth: { refuse: true } }).then(() => undefined, (error) => error);
assert.equal(refused?.message, 'refused');
assert.deepEqual(refused.data, { why: 'auth' });

for (const socket of open) socket.close();
clearTimeout(deadline);
console.log('all is well');
