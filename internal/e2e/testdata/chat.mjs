// Viewers of examples/chat: node chat.mjs http://host:port
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';

const url = process.argv[2];
const deadline = setTimeout(() => { throw new Error('it takes too long'); }, 50_000);
const all = [];
async function join(path, name) {
  const socket = io(url, { forceNew: true, query: { path, name } });
  all.push(socket);
  const history = new Promise((resolve) => socket.once('history', resolve));
  await new Promise((resolve, reject) => { socket.on('connect', resolve); socket.on('connect_error', reject); });
  return { socket, history: await history, heard: (event) => new Promise((resolve) => socket.once(event, resolve)) };
}

const ann = await join('cam', 'Ann');
const arrival = ann.heard('joined');
const bob = await join('cam', 'Bob');
assert.equal(await arrival, 'Bob');
const other = await join('garden', 'Eve');
let strayed = false;
other.socket.on('said', () => { strayed = true; });

const lines = Promise.all([ann.heard('said'), bob.heard('said')]);
assert.equal(await bob.socket.timeout(5000).emitWithAck('say', 'What a view!'), 'sent');
for (const line of await lines) assert.deepEqual([line.name, line.text], ['Bob', 'What a view!']);

const late = await join('cam', 'Cid');
assert.deepEqual(late.history.map((l) => l.text), ['What a view!']);
const left = ann.heard('left');
bob.socket.disconnect();
assert.equal(await left, 'Bob');
assert.equal(strayed, false);

const nowhere = io(url, { forceNew: true });
all.push(nowhere);
assert.equal((await new Promise((resolve) => nowhere.on('connect_error', resolve))).message, 'which stream?');

for (const socket of all) socket.disconnect();
clearTimeout(deadline);
console.log('all is well');
