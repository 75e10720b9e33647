'use strict';
// io: Socket.IO's server API. The protocol is spoken by the native side.
const EventEmitter = require('node:events');
const { coded, check } = require('../internal/errors.js');
const app = internalBinding('app');

const RESERVED = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']);
const object = (flat) => {
  const o = {};
  for (let i = 0; i < flat.length; i += 2) o[flat[i]] = flat[i + 1];
  return o;
};
const rooms = (room) => (Array.isArray(room) ? room : [room]).map(String);

let started;
let options = {};
// native starts the server with the first use of io.
function native() {
  started ??= app.realtime(options, heard, (buffer) => Buffer.from(buffer));
  return started;
}

const sockets = new Map(); // key -> Socket
const namespaces = new Map(); // name -> Namespace
const families = []; // dynamic namespaces: { match, namespace }

const check_event = (name) => {
  if (RESERVED.has(name)) throw new Error(`"${String(name)}" is a reserved event name`);
  return String(name);
};
// ack takes the function from the end of an event's arguments.
const ack = (args) => (typeof args.at(-1) === 'function' ? args.pop() : undefined);
const late = () => new Error('operation has timed out');

/** Operator is whom a broadcast is for. */
class Operator {
  constructor(namespace, to = [], except = [], flags = {}) {
    Object.assign(this, { namespace, targets: to, excepted: except, flags });
  }

  with(change) {
    return new Operator(this.namespace, change.to ?? this.targets, change.except ?? this.excepted, { ...this.flags, ...change.flags });
  }

  to(room) { return this.with({ to: [...this.targets, ...rooms(room)] }); }
  in(room) { return this.to(room); }
  except(room) { return this.with({ except: [...this.excepted, ...rooms(room)] }); }
  timeout(ms) { return this.with({ flags: { timeout: ms } }); }
  compress() { return this.with({}); }
  get volatile() { return this.with({ flags: { volatile: true } }); }
  get local() { return this.with({}); }

  emit(name, ...args) {
    const done = ack(args);
    native().broadcast(this.namespace, this.targets, this.excepted, this.flags, check_event(name), args,
      done && ((error, answers) => done(error ? late() : null, answers ?? [])));
    return true;
  }

  emitWithAck(name, ...args) {
    return new Promise((resolve, reject) => {
      this.emit(name, ...args, (error, answers) => (error ? reject(Object.assign(error, { responses: answers })) : resolve(answers)));
    });
  }

  async allSockets() { return new Set(native().sockets(this.namespace, this.targets, this.excepted)); }
  async fetchSockets() {
    return [...await this.allSockets()].map((id) => sockets.get(`${this.namespace}\n${id}`)).filter(Boolean);
  }

  socketsJoin(room) { native().move(this.namespace, this.targets, this.excepted, {}, 'join', rooms(room)); }
  socketsLeave(room) { native().move(this.namespace, this.targets, this.excepted, {}, 'leave', rooms(room)); }
  disconnectSockets(close = false) { native().move(this.namespace, this.targets, this.excepted, {}, 'disconnect', close); }
}

const emit = EventEmitter.prototype.emit;

/** Socket is one client in one namespace. */
class Socket extends EventEmitter {
  constructor(namespace, handle) {
    super();
    this.setMaxListeners(0);
    this.nsp = namespace;
    this.id = handle.id;
    this.data = {};
    this.connected = false;
    this.recovered = false;
    const headers = object(handle.headers);
    const lower = Object.fromEntries(Object.keys(headers).map((name) => [name.toLowerCase(), headers[name]]));
    this.handshake = {
      headers: lower, query: object(handle.query), auth: handle.auth ?? {}, address: lower['x-forwarded-for'] ?? handle.address,
      url: handle.url, secure: lower['x-forwarded-proto'] === 'https' || handle.secure, xdomain: handle.xdomain,
      issued: handle.issued, time: new Date(handle.issued).toString(),
    };
    this.request = { headers: lower, url: handle.url, socket: { remoteAddress: this.handshake.address } };
    this._handle = handle;
    this._middlewares = [];
    this._any = [];
    this._early = []; // events that came before connection was told
    this._flags = {};
  }

  get server() { return io; }
  get rooms() { return new Set(this._handle.rooms()); }
  get disconnected() { return !this.connected; }
  get conn() { return { transport: { name: this._handle.transport() } }; }
  get broadcast() { return new Operator(this.nsp.name, [], [this.id]); }
  get volatile() {
    this._flags.volatile = true;
    return this;
  }

  compress() { return this; }
  timeout(ms) {
    this._flags.timeout = ms;
    return this;
  }

  to(room) { return this.broadcast.to(room); }
  in(room) { return this.to(room); }
  except(room) { return this.broadcast.except(room); }

  emit(name, ...args) {
    const done = ack(args);
    const flags = this._flags;
    this._flags = {};
    if (!done) {
      this._handle.emit(flags, check_event(name), args);
      return true;
    }
    let timer;
    let over = false;
    if (flags.timeout !== undefined) {
      timer = setTimeout(() => {
        over = true;
        done(late());
      }, flags.timeout);
    }
    this._handle.emit(flags, check_event(name), args, (error, answer) => {
      if (over) return;
      clearTimeout(timer);
      if (flags.timeout !== undefined) done(null, ...(answer ?? []));
      else done(...(answer ?? []));
    });
    return true;
  }

  send(...args) {
    this.emit('message', ...args);
    return this;
  }

  write(...args) { return this.send(...args); }

  emitWithAck(name, ...args) {
    const timed = this._flags.timeout !== undefined;
    return new Promise((resolve, reject) => {
      this.emit(name, ...args, timed ? (error, answer) => (error ? reject(error) : resolve(answer)) : resolve);
    });
  }

  join(room) { this._handle.join(rooms(room)); }
  leave(room) { this._handle.leave(String(room)); }
  disconnect(close = false) {
    this._handle.disconnect(close);
    return this;
  }

  use(fn) {
    check.function(fn, 'fn');
    this._middlewares.push(fn);
    return this;
  }

  onAny(fn) {
    this._any.push(fn);
    return this;
  }

  prependAny(fn) {
    this._any.unshift(fn);
    return this;
  }

  offAny(fn) {
    this._any = fn ? this._any.filter((other) => other !== fn) : [];
    return this;
  }

  _event(args, done) {
    if (!this.connected) {
      this._early?.push([args, done]);
      return;
    }
    if (done) args.push(done);
    for (const fn of this._any) fn(...args);
    run(this._middlewares, (fn, next) => fn(args, next), (error) => {
      if (error) {
        if (this.listenerCount('error') > 0) emit.call(this, 'error', error);
      } else if (this.connected) {
        if (args[0] !== 'error' || this.listenerCount('error') > 0) emit.call(this, ...args);
      }
    });
  }

  _connect() {
    this.connected = true;
    const early = this._early;
    this._early = undefined;
    return () => { for (const [args, done] of early) this._event(args, done); };
  }

  _disconnecting(reason) { emit.call(this, 'disconnecting', reason); }
  _disconnect(reason) {
    this.connected = false;
    this.nsp.sockets.delete(this.id);
    emit.call(this, 'disconnect', reason);
  }
}

// run calls middlewares one after the other; the first error ends it.
function run(list, call, done) {
  const step = (i) => {
    if (i === list.length) {
      done();
      return;
    }
    let called = false;
    const next = (error) => {
      if (called) return;
      called = true;
      if (error) done(error);
      else step(i + 1);
    };
    const result = call(list[i], next);
    if (typeof result?.then === 'function') result.then(undefined, (error) => next(error ?? new Error('refused')));
  };
  step(0);
}

/** Namespace is a channel of its own over the same connections. */
class Namespace extends EventEmitter {
  constructor(name) {
    super();
    this.setMaxListeners(0);
    this.name = name;
    this.sockets = new Map();
    this._middlewares = [];
  }

  get server() { return io; }
  get _all() { return new Operator(this.name); }
  get volatile() { return this._all.volatile; }
  get local() { return this._all; }

  use(fn) {
    check.function(fn, 'fn');
    this._middlewares.push(fn);
    return this;
  }

  to(room) { return this._all.to(room); }
  in(room) { return this._all.to(room); }
  except(room) { return this._all.except(room); }
  timeout(ms) { return this._all.timeout(ms); }
  compress() { return this._all; }
  emit(name, ...args) { return this._all.emit(name, ...args); }
  emitWithAck(name, ...args) { return this._all.emitWithAck(name, ...args); }
  send(...args) {
    this.emit('message', ...args);
    return this;
  }

  write(...args) { return this.send(...args); }
  allSockets() { return this._all.allSockets(); }
  fetchSockets() { return this._all.fetchSockets(); }
  socketsJoin(room) { this._all.socketsJoin(room); }
  socketsLeave(room) { this._all.socketsLeave(room); }
  disconnectSockets(close) { this._all.disconnectSockets(close); }

  _tell(socket) {
    emit.call(this, 'connect', socket);
    emit.call(this, 'connection', socket);
  }
}

function namespace(name) {
  const full = name.startsWith('/') ? name : `/${name}`;
  let found = namespaces.get(full);
  if (!found) {
    found = new Namespace(full);
    namespaces.set(full, found);
    native().of(full);
    if (full !== '/') emit.call(namespaces.get('/') ?? found, 'new_namespace', found);
  }
  return found;
}

// family makes a namespace for each name that matches, when a client asks for it.
function family(match) {
  const parent = new Namespace('*');
  const children = new Set();
  parent.emit = (name, ...args) => {
    for (const child of children) child.emit(name, ...args);
    return true;
  };
  families.push({ parent, children, match });
  native().dynamic((name, auth, answer) => {
    const decided = (ok) => {
      if (ok && !namespaces.has(name)) {
        const child = new Namespace(name);
        child._parent = parent;
        namespaces.set(name, child);
        children.add(child);
      }
      answer(Boolean(ok));
    };
    if (match instanceof RegExp) decided(match.test(name));
    else match(name, auth, (error, ok) => decided(!error && ok));
  });
  return parent;
}

function heard(event, key, a, b, c) {
  if (event === 'middleware') {
    const space = namespaces.get(a) ?? namespace(a);
    const socket = new Socket(space, b);
    sockets.set(key, socket);
    const list = [...(space._parent?._middlewares ?? []), ...space._middlewares];
    run(list, (fn, next) => fn(socket, next), (error) => {
      if (!error) {
        c();
        return;
      }
      sockets.delete(key);
      c(String(error.message ?? error), error.data);
    });
    return;
  }
  const socket = sockets.get(key);
  if (!socket) return;
  switch (event) {
    case 'connection': {
      const early = socket._connect();
      socket.nsp.sockets.set(socket.id, socket);
      socket.nsp._parent?._tell(socket);
      socket.nsp._tell(socket);
      early();
      break;
    }
    case 'event':
      socket._event(a, b);
      break;
    case 'disconnecting':
      if (socket.connected) socket._disconnecting(a);
      break;
    case 'disconnect':
      sockets.delete(key);
      if (socket.connected) socket._disconnect(a);
      break;
    default:
  }
}

/** io is the server; its root namespace is '/'. */
class Server extends Namespace {
  constructor() {
    super('/');
    namespaces.set('/', this);
  }

  of(name, fn) {
    if (name instanceof RegExp || typeof name === 'function') {
      const parent = family(name);
      if (fn) parent.on('connection', fn);
      return parent;
    }
    check.string(name, 'name');
    const found = namespace(name);
    if (fn) found.on('connection', fn);
    return found;
  }

  /** configure takes Socket.IO's server options, before io is used. */
  configure(o) {
    if (started) throw coded(Error, 'ERR_IO_STARTED', 'io.configure() comes before io is used otherwise');
    options = { ...o };
    return this;
  }

  get engine() { return { get clientsCount() { return native().clients(); } }; }
  close(done) {
    native().close();
    done?.();
  }
}

const root = new Server();
function start() {
  native().of('/');
  start = () => {};
}
// Whoever listens wants clients to be let in.
for (const name of ['on', 'addListener', 'once', 'use', 'emit', 'to', 'in', 'except']) {
  const method = root[name];
  root[name] = function (...args) {
    start();
    return method.apply(this, args);
  };
}

const io = root;
exports.io = io;
