import Koa from 'koa';
import { AsyncLocalStorage } from 'node:async_hooks';
const storage = new AsyncLocalStorage();
const app = new Koa();
app.silent = true;
app.use(async (ctx, next) => storage.run({ path: ctx.path }, next));
app.use(async (ctx, next) => { await next(); ctx.set('X-Seen', storage.getStore().path); });
app.use(async (ctx) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (ctx.path === '/fail') ctx.throw(418, 'teapot');
  ctx.body = { path: storage.getStore().path, method: ctx.method, query: { ...ctx.query } };
});
const server = app.listen(0);
await new Promise((resolve) => server.once('listening', resolve));
for (const path of ['/a?b=c', '/fail', '/x/y']) {
  const r = await fetch(`http://127.0.0.1:${server.address().port}${path}`);
  console.log(r.status, r.headers.get('content-type'), r.headers.get('x-seen'), await r.text());
}
server.close();
server.closeAllConnections();
