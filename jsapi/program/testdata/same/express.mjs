import { readFile } from 'node:fs/promises';
import express5 from 'express';
import express4 from 'express4';
for (const express of [express4, express5]) {
  const app = express();
  app.use(express.json());
  app.get('/', (req, res) => res.send('hello'));
  app.post('/json', (req, res) => res.json({ got: req.body, type: req.get('content-type') }));
  const router = express.Router();
  router.get('/:id', (req, res) => res.status(201).json({ id: req.params.id, q: req.query }));
  app.use('/items', router);
  app.use('/static', express.static(import.meta.dirname));
  app.get('/fail', async () => { throw new Error('broken'); });
  app.get('/sync', () => { throw new Error('broken'); });
  app.use((error, req, res, next) => res.status(500).json({ error: error.message }));
  const server = app.listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const show = async (path, options) => {
    const r = await fetch(base + path, options);
    const body = await r.text();
    // What a parser says of bad JSON is the engine's own.
    console.log(path, r.status, r.headers.get('content-type'), body.length >= 200 ? `${body.length} characters` : options?.body === '{bad' ? '' : body);
  };
  await show('/');
  await show('/json', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ a: [1, 'ü'] }) });
  await show('/json', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{bad' });
  await show('/items/7?x=1&y=b%20c');
  await show('/static/express.mjs');
  await show('/static/nothing');
  await show('/sync');
  if (express === express5) await show('/fail');
  await show('/nowhere');
  console.log((await readFile(new URL('./express.mjs', import.meta.url), 'utf8')).length > 100);
  await new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
}
