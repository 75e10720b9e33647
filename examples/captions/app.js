// Captions from a text feed: each line that is posted is burnt into the picture, and listed in a WebVTT file for players
// that show their own. (It stands beside the stream: the playlists have no subtitle renditions yet.)
//
//   # millrace.yaml
//   app: captions/app.js
//   streams: [{path: cam, pipeline: captions/pipeline.js}]
//
//   curl -d 'Good evening.' http://localhost:8080/app/captions/cam
//   curl http://localhost:8080/app/captions/cam.vtt
import { http, streams } from 'millrace';

const cues = new Map(); // by stream

streams.on('shown', ({ text, seconds, at }, stream) => {
  const list = cues.get(stream.path) ?? [];
  cues.set(stream.path, [...list, { text, from: at, to: at + seconds }].slice(-500));
});

const time = (s) => new Date(s * 1000).toISOString().slice(11, 23);

http.get('/captions/:path.vtt', (req, res) => {
  const list = cues.get(req.params.path) ?? [];
  res.type('text/vtt').send(`WEBVTT\n\n${list.map((c) => `${time(c.from)} --> ${time(c.to)}\n${c.text}\n`).join('\n')}`);
});

http.post('/captions/:path', async (req, res) => {
  const text = await req.text();
  const stream = streams.get(req.params.path);
  if (!stream) return res.status(404).send('no such stream\n');
  stream.send('caption', { text: text.trim().slice(0, 200), seconds: 4 });
  res.status(202).end();
});
