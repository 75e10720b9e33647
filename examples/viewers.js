// Who watched in the last five minutes: viewers a stream, and where they come from, over a window that slides.
//
//   # millrace.yaml
//   app: viewers.js
//
//   curl http://localhost:8080/app/viewers                 # all streams
//   curl http://localhost:8080/app/viewers/cam?window=60   # one, over the last minute
//   wscat -c ws://localhost:8080/app/viewers/live          # the same, every two seconds
import { http, on, schedule } from 'millrace';

const longest = 300;
const views = []; // { at, path, viewer, agent }, oldest first

on('view', ({ path, ip, userAgent }) => {
  views.push({ at: Date.now(), path, viewer: `${ip} ${userAgent}`, agent: (userAgent || 'unknown').split('/')[0] });
});

/** report counts viewers, by stream and by player, over the last seconds. */
function report(seconds = longest, only) {
  const since = Date.now() - 1000 * seconds;
  const all = {};
  for (const { at, path, viewer, agent } of views) {
    if (at < since || only && path !== only) continue;
    const stream = all[path] ??= { viewers: new Set(), players: {} };
    if (stream.viewers.has(viewer)) continue;
    stream.viewers.add(viewer);
    stream.players[agent] = (stream.players[agent] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(all).map(([path, s]) => [path, { viewers: s.viewers.size, players: s.players }]));
}

http.get('/viewers', (req, res) => res.json(report(Number(req.query.window) || longest)));
http.get('/viewers/:path', (req, res) => res.json(report(Number(req.query.window) || longest, req.params.path)));
http.ws('/viewers/live', (socket) => {
  const timer = setInterval(() => socket.send(JSON.stringify(report())), 2000);
  socket.on('close', () => clearInterval(timer));
});

schedule('* * * * *', () => { // what has left the window is forgotten
  const since = Date.now() - 1000 * longest;
  while (views.length > 0 && views[0].at < since) views.shift();
});
