// An express app with a player page of its own: the streams that are live, and one to watch.
//
//   cd express-page && npm install
//
//   # millrace.yaml
//   app: express-page/app.js
//
//   millrace serve -c millrace.yaml, and open http://localhost:8080/app/tv/
import express from 'express';
import { http, streams } from 'millrace';

const app = express();
const live = () => streams.list().filter((s) => s.state === 'live');
const html = (title, body) => `<!doctype html><meta charset="utf-8"><title>${title}</title>${body}`;
const safe = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

app.get('/', (req, res) => {
  const items = live().map((s) => `<li><a href="watch/${safe(s.path)}">${safe(s.path)}</a>: ${s.viewers} watching</li>`);
  res.send(html('On air', `<h1>On air</h1><ul>${items.join('') || 'nothing'}</ul>`));
});

app.get('/api/streams', (req, res) => res.json(live().map(({ path, viewers, tracks }) => ({ path, viewers, tracks }))));

app.get('/watch/:path', (req, res) => {
  const { path } = req.params;
  if (!streams.get(path)) return res.status(404).send(html('Not here', `<h1>${safe(path)} is not on air</h1>`));
  res.send(html(safe(path), `<video id="video" controls autoplay muted style="width: 100%"></video>
    <script type="module">
      import Hls from 'https://cdn.jsdelivr.net/npm/hls.js@1/+esm';
      const url = ${JSON.stringify(`/hls/${path}/index.m3u8`)};
      if (Hls.isSupported()) { const hls = new Hls(); hls.loadSource(url); hls.attachMedia(video); } else video.src = url;
    </script>`));
});

http.mount('/tv', app);
