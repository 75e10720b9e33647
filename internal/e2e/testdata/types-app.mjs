// What millrace.d.ts declares of an app is there: looked up whenever such an object comes by, and listed at /app/missing.
import { readFileSync } from 'node:fs';
import { every, http, io, on, schedule, streams } from 'millrace';

const { members } = JSON.parse(readFileSync(process.env.DECLARED, 'utf8'));
const missing = new Set();
const seen = new Set();
function look(type, object) {
  seen.add(type);
  for (const { name, optional } of members[type]) if (!optional && !(name in object)) missing.add(`${type}.${name}`);
}

look('http', http);
look('Router', http.Router());
look('io', io);
look('Namespace', io.of('/x'));
look('Broadcast', io.to('room'));
look('streams', streams);
const job = schedule('* * * * *', () => {});
look('Job', job);
job.stop();
every('1h', () => {}).stop();
on('publish', (session) => {
  look('Session', session);
  for (const track of session.tracks) look('SessionTrack', track);
});
on('stream:live', (stream) => look('Stream', streams.get(stream.path)));
streams.on('missing', (list) => { seen.add('Context'); list.forEach((name) => missing.add(name)); });
const group = http.ws('/socket', (socket) => { look('WebSocketClient', socket); socket.send('hello'); });
look('WebSocketGroup', group);
io.on('connection', (socket) => { look('Socket', socket); socket.emit('hello'); });
http.get('/missing', (req, res) => {
  look('Request', req);
  look('Response', res);
  res.json({ missing: [...missing], seen: [...seen] });
});
