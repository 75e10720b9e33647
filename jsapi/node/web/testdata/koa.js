const fs = require('fs');
const { Readable } = require('stream');
const Koa = require('koa');
const body = require('koa-bodyparser');

const app = new Koa();
app.silent = true;
app.use(async (ctx, next) => {
  try {
    await next();
  } catch (e) {
    ctx.status = e.status || 500;
    ctx.body = { error: e instanceof SyntaxError ? 'syntax' : e.message };
  }
});
app.use(body());
const routes = {
  '/': (ctx) => { ctx.body = 'Hello'; },
  '/json': (ctx) => { ctx.body = { got: ctx.request.body, type: ctx.request.type }; },
  '/throw': (ctx) => ctx.throw(418, 'teapot'),
  '/stream': (ctx) => { ctx.body = Readable.from(['a', 'b']); },
  '/boom': () => { throw new Error('boom'); },
  '/buffer': (ctx) => { ctx.body = Buffer.from('buffer'); },
  '/file': (ctx) => { ctx.type = 'text/plain'; ctx.body = fs.createReadStream(__filename); },
  '/cookie': (ctx) => { ctx.cookies.set('a', 'b'); ctx.redirect('/'); },
};
app.use(async (ctx) => { await routes[ctx.path]?.(ctx); });

const server = app.listen(0, '127.0.0.1', async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const asked = [['GET', '/'], ['HEAD', '/'], ['POST', '/json', '{"a":1}'], ['POST', '/json', '{bad'], ['GET', '/throw'], ['GET', '/stream'],
    ['GET', '/boom'], ['GET', '/buffer'], ['GET', '/nope'], ['GET', '/file'], ['GET', '/cookie']];
  for (const [method, path, text] of asked) {
    const headers = text ? { 'content-type': 'application/json' } : {};
    const r = await fetch(base + path, { method, body: text, redirect: 'manual', headers });
    const all = await r.text();
    console.log(method, path, r.status, r.statusText, r.headers.get('content-type'), r.headers.get('content-length'), r.headers.get('set-cookie'), all.length > 100 ? all.length : all);
  }
  server.close(() => console.log('closed'));
});
