// Who watched in the last five minutes: viewers of each stream, how long they stayed and with what player, over a window
// that slides.
//
//   # millrace.yaml
//   app: viewers.js
//
//   curl http://localhost:8080/app/viewers                    # all streams
//   curl 'http://localhost:8080/app/viewers/cam?window=60'    # one, over the last minute
//   wscat -c ws://localhost:8080/app/viewers                  # all, whenever somebody comes or goes
import { every, http, on } from 'millrace';

const longest = 300; // seconds
let visits = []; // { path, ip, player, from, to }, oldest first; to is Infinity while they watch

/** report sums up the visits that reach into the last seconds. */
function report(seconds, only) {
  const now = Date.now();
  const since = now - 1000 * seconds;
  const streams = {};
  for (const { path, ip, player, from, to } of visits) {
    if (to < since || only && path !== only) continue;
    const s = streams[path] ??= { now: 0, visits: 0, addresses: new Set(), watched: 0, players: {} };
    s.visits++;
    if (to === Infinity) s.now++;
    s.addresses.add(ip);
    s.watched += (Math.min(to, now) - Math.max(from, since)) / 1000;
    s.players[player] = (s.players[player] ?? 0) + 1;
  }
  for (const s of Object.values(streams)) Object.assign(s, { addresses: s.addresses.size, watched: Math.round(s.watched) });
  return streams;
}

const seconds = (req) => Math.min(Number(req.query.window) || longest, longest);
http.get('/viewers', (req, res) => res.json(report(seconds(req))));
http.get('/viewers/:path', (req, res) => res.json(report(seconds(req), req.params.path)[req.params.path] ?? {}));
const dashboards = http.ws('/viewers', (socket) => socket.send(JSON.stringify(report(longest))));

on('viewer:*', ({ type, path, ip, userAgent }) => {
  if (type === 'viewer:join') {
    visits.push({ path, ip, player: (userAgent || 'unknown').split('/')[0], from: Date.now(), to: Infinity });
  } else {
    const visit = visits.find((v) => v.path === path && v.ip === ip && v.to === Infinity);
    if (visit) visit.to = Date.now();
  }
  dashboards.broadcast(JSON.stringify(report(longest)));
});

every('30s', () => { visits = visits.filter((v) => v.to > Date.now() - 1000 * longest); });
