'use strict';
// Express-style routes under /app/, over Node's own request and response.
const { METHODS } = require('node:http');
const { coded, check } = require('../internal/errors.js');
const { Request, Response } = require('./app-messages.js');
const { compile } = require('./app-pattern.js');
const native = internalBinding('app');

const BASE = '/app';

/** Router is routes and middlewares in the order in which they were added. */
class Router {
  constructor() { this.layers = []; }

  /** add has handlers answer requests; method '' is any, whole says that the pattern is all of the path. */
  add(method, pattern, whole, handlers) {
    const list = handlers.flat(Infinity);
    if (list.length === 0) throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `http: ${pattern} has no handler`);
    for (const fn of list) check.function(fn, 'handler');
    const match = compile(pattern, whole);
    for (const fn of list) this.layers.push({ method, match, whole, fn });
    return this;
  }

  use(...args) {
    const pattern = typeof args[0] === 'string' || args[0] instanceof RegExp ? args.shift() : '/';
    return this.add('', pattern, false, args);
  }

  all(pattern, ...handlers) { return this.add('', pattern, true, handlers); }

  /** mount has an express or koa application, or any request listener, answer all below a path. */
  mount(path, app) {
    check.string(path, 'path');
    const listener = typeof app === 'function' ? app : app?.callback?.() ?? app?.handle?.bind(app);
    check.function(listener, 'app');
    return this.add('', path, false, [(req, res, next) => listener(req, res, next)]);
  }

  handle(req, res, done) {
    const { layers } = this;
    const url = req.url;
    const base = req.baseUrl;
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    let i = 0;
    const next = (error) => {
      req.url = url;
      req.baseUrl = base;
      for (; i < layers.length; i++) {
        const layer = layers[i];
        if ((layer.fn.length === 4) !== (error !== undefined && error !== null)) continue;
        if (layer.method !== '' && layer.method !== req.method && !(req.method === 'HEAD' && layer.method === 'GET')) continue;
        const found = layer.match(path);
        if (!found) continue;
        i++;
        req.params = { ...found.params };
        if (!layer.whole && found.path !== '') {
          const rest = url.slice(found.path.length);
          req.url = rest.startsWith('/') ? rest : `/${rest}`;
          req.baseUrl = base + found.path;
        }
        this.call(layer, error, req, res, next);
        return;
      }
      done(error);
    };
    next();
  }

  call(layer, error, req, res, next) {
    let called = false;
    const once = (e) => {
      if (called) return;
      called = true;
      next(e);
    };
    try {
      const result = error === undefined || error === null ? layer.fn(req, res, once) : layer.fn(error, req, res, once);
      if (typeof result?.then === 'function') result.then(undefined, (e) => once(e ?? new Error('a handler was rejected without a reason')));
    } catch (e) {
      once(e ?? new Error('a handler threw nothing'));
    }
  }
}

for (const method of METHODS) {
  Router.prototype[method.toLowerCase()] = function (pattern, ...handlers) { return this.add(method, pattern, true, handlers); };
}

const root = new Router();

// first is a request as it comes from the server.
function first(req, res) {
  Object.setPrototypeOf(req, Request.prototype);
  Object.setPrototypeOf(res, Response.prototype);
  req.res = res;
  req.arrive(BASE);
  root.handle(req, res, (error) => {
    if (error === undefined || error === null) {
      res.status(404).type('txt').send(`there is no ${req.method} ${req.originalUrl.split('?')[0]}\n`);
      return;
    }
    const status = Number(error.status ?? error.statusCode) || 500;
    if (status >= 500) console.error(`${req.method} ${req.originalUrl.split('?')[0]}:`, error);
    if (res.headersSent) {
      res.destroy(error);
      return;
    }
    const shown = status < 500 || error.expose ? String(error.message ?? error) : 'the app failed to answer';
    res.status(status >= 400 && status < 600 ? status : 500).type('txt').send(`${shown}\n`);
  });
}

let server;
function serve() {
  server ??= native.serve(first);
  return server;
}

// http is the root router; the first thing that is asked of it has it served.
const http = Object.assign(root, {
  Router: () => new Router(),
  /** ws answers plain WebSockets: handler(socket, request). */
  ws(pattern, options, handler) {
    return require('./app-ws.js').route(pattern, options, handler);
  },
  static: (folder, options) => require('./app-static.js').serveFolder(folder, options),
  json: (options) => require('./app-body.js').json(options),
  text: (options) => require('./app-body.js').text(options),
  urlencoded: (options) => require('./app-body.js').urlencoded(options),
});
Object.defineProperty(http, 'server', { get: serve, enumerable: true });
const add = Router.prototype.add;
http.add = function (...args) {
  serve();
  return add.apply(this, args);
};
http.listen = () => {
  throw coded(Error, 'ERR_NO_PORTS', 'an app opens no ports: its routes are served under /app/ as soon as they are added');
};
// A router inside a router is a middleware.
const handler = (router) => (typeof router === 'object' && router instanceof Router ? router.handle.bind(router) : router);
const use = Router.prototype.use;
Router.prototype.use = function (...args) { return use.apply(this, args.map(handler)); };
const mount = Router.prototype.mount;
Router.prototype.mount = function (path, app) { return mount.call(this, path, handler(app)); };

exports.http = http;
exports.serving = () => server;
exports.BASE = BASE;
