// A chat beside the player: a page at /app/chat/cam with the stream on the left and what its viewers say on the right.
// Socket.IO keeps a room for each stream and the last fifty lines of it.
//
//   # millrace.yaml
//   app: chat/app.js
//
//   millrace serve -c millrace.yaml, and open http://localhost:8080/app/chat/demo
import { readFileSync } from 'node:fs';
import { http, io } from 'millrace';

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const history = new Map();

http.get('/chat/:path', (req, res) => res.type('html').send(page));

io.use((socket, next) => {
  const { path, name } = socket.handshake.query;
  if (!path) return next(new Error('which stream?'));
  socket.data = { path, name: String(name || 'somebody').slice(0, 40) };
  next();
});

io.on('connection', (socket) => {
  const { path, name } = socket.data;
  const said = history.get(path) ?? [];
  history.set(path, said);
  socket.join(path);
  socket.emit('history', said);
  socket.to(path).emit('joined', name);

  socket.on('say', (text, ack) => {
    const line = { name, text: String(text).slice(0, 500), at: Date.now() };
    said.push(line);
    if (said.length > 50) said.shift();
    io.to(path).emit('said', line);
    ack?.('sent');
  });
  socket.on('disconnect', () => io.to(path).emit('left', name));
});
