const http = require('http'), zlib = require('zlib');
const server = http.createServer((req, res) => {
  if (req.url === '/gz') { res.setHeader('content-encoding', 'gzip'); res.end(zlib.gzipSync('zipped!')); return; }
  if (req.url === '/redir') { res.writeHead(302, { location: '/json' }); res.end(); return; }
  if (req.url === '/loop') { res.writeHead(302, { location: '/loop' }); res.end(); return; }
  if (req.url === '/json') { res.setHeader('content-type', 'application/json'); res.end('{"a":1}'); return; }
  if (req.url === '/slow') { res.write('x'); return; }
  if (req.url === '/stream') { let i = 0; const t = setInterval(() => { res.write('c' + i); if (++i === 3) { clearInterval(t); res.end(); } }, 10); return; }
  if (req.url === '/form') { const p = []; req.on('data', (d) => p.push(d)); req.on('end', () => { const t = Buffer.concat(p).toString(); res.end([/name="a"\r\n\r\n1/.test(t), /filename="f.txt"/.test(t), /text\/x/.test(t), /^multipart\/form-data; boundary=/.test(req.headers['content-type'])].join()); }); return; }
  const p = []; req.on('data', (d) => p.push(d)); req.on('end', () => { res.setHeader('set-cookie', ['a=1', 'b=2']); res.statusCode = 201; res.end(req.method + ' ' + req.headers['content-type'] + ' ' + req.headers['content-length'] + ' ' + req.headers['transfer-encoding'] + ' ' + req.headers['x-h'] + ' ' + Buffer.concat(p)); });
});
server.listen(0, '127.0.0.1', async () => {
  const base = 'http://127.0.0.1:' + server.address().port;
  try {
  let r = await fetch(base + '/x', { method: 'POST', body: 'hi', headers: { 'X-H': 'v' } });
  console.log(r.status, r.ok, r.statusText, await r.text(), r.headers.getSetCookie(), r.headers.get('set-cookie'), r.bodyUsed, r.type, r.redirected, r.url === base + '/x');
  try { await r.text(); } catch (e) { console.log(e.name, e.message); }
  r = await fetch(base + '/gz'); console.log(await r.text(), r.headers.get('content-encoding'));
  r = await fetch(base + '/redir'); console.log(await r.json(), r.redirected, r.url.endsWith('/json'));
  r = await fetch(base + '/redir', { redirect: 'manual' }); console.log(r.status, r.headers.get('location')); await r.text();
  try { await fetch(base + '/loop'); } catch (e) { console.log(e.name, e.message, e.cause.message); }
  try { await fetch(base + '/redir', { redirect: 'error' }); } catch (e) { console.log(e.name, e.message, e.cause.message); }
  try { await fetch('http://127.0.0.1:9999/'); } catch (e) { console.log(e.name, e.message, e.cause.code); }
  try { await fetch('nope'); } catch (e) { console.log(e.name, e.message); }
  r = await fetch(base + '/stream'); let s = ''; for await (const c of r.body) s += Buffer.from(c); console.log(s);
  r = await fetch(base + '/stream'); const rd = r.body.getReader(); let all = ''; for (;;) { const { done, value } = await rd.read(); if (done) break; all += new TextDecoder().decode(value); } console.log(all);
  r = await fetch(base + '/p', { method: 'PUT', body: new URLSearchParams({ q: '1 2' }) }); console.log(await r.text());
  r = await fetch(base + '/p', { method: 'PUT', duplex: 'half', body: (async function* () { yield Buffer.from('a'); yield Buffer.from('b'); })() }); console.log(await r.text());
  r = await fetch(base + '/p', { method: 'PUT', duplex: 'half', body: new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('web')); c.close(); } }) }); console.log(await r.text());
  const f = new FormData(); f.append('a', '1'); f.append('b', new Blob(['z'], { type: 'text/x' }), 'f.txt'); r = await fetch(base + '/form', { method: 'POST', body: f }); console.log(await r.text());
  const ac = new AbortController(); setTimeout(() => ac.abort(), 30); try { r = await fetch(base + '/slow', { signal: ac.signal }); await r.text(); } catch (e) { console.log(e.name, e.message); }
  try { await fetch(base + '/slow', { signal: AbortSignal.timeout(20) }).then((r) => r.text()); } catch (e) { console.log(e.name, e.message); }
  console.log(await (await fetch('data:text/plain;base64,aGk=')).text());
  console.log(new Headers({ B: '1', a: ' 2 ' }).get('A'), [...new Headers([['x', '1'], ['X', '2']])], await new Response('x').clone().text(), await Response.json({ a: 1 }).json(), new Request('http://x/', { method: 'post' }).method);
  r = await fetch(base + '/json'); const c = r.clone(); console.log(await r.text(), await c.text());
  const fd = await new Response(f).formData().catch((e) => e); console.log(fd.get ? fd.get('a') + (await fd.get('b').text()) : fd);
  } catch (e) { console.log('FAIL', e); }
  server.closeAllConnections(); server.close();
});
