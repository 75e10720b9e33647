// Captions from a text feed: each line that is posted is burnt into the picture, and is in the stream's subtitles, for viewers
// who switch those on.
//
//   # millrace.yaml
//   app: captions/app.js
//   streams: [{path: cam, pipeline: captions/pipeline.js, hls: {subtitles: [{language: en, name: English}]}}]
//
//   curl -d 'Good evening.' http://localhost:8080/app/captions/cam
//
// Where nothing is to be burnt in, there is no need of a pipeline: stream.caption({ subtitles: 'en', text }) here does it.
import { http, streams } from 'millrace';

http.post('/captions/:path', async (req, res) => {
  const text = await req.text();
  const stream = streams.get(req.params.path);
  if (!stream) return res.status(404).send('no such stream\n');
  stream.send('caption', { text: text.trim().slice(0, 200), seconds: 4 });
  res.status(202).end();
});
