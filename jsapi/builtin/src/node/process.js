'use strict';
const EventEmitter = require('./events.js');
const native = internalBinding('process');
const { coded, argument, range, check } = require('../internal/errors.js');

const process = Object.create(Object.create(EventEmitter.prototype, {
  constructor: { value: function process() {}, writable: true, configurable: true },
  [Symbol.toStringTag]: { value: 'process', configurable: true },
}));
EventEmitter.call(process);

Object.assign(process, native.facts(), {
  env: native.env(),
  title: 'millrace',
  release: { name: 'node' },
  features: { inspector: false, debug: false, uv: false, ipv6: true, tls: true },
  config: { variables: {}, target_defaults: { default_configuration: 'Release' } },
  exitCode: undefined,
  allowedNodeEnvironmentFlags: new Set(),
});
// Numbers and flags become text, as they do in an environment.
process.env = new Proxy(process.env, {
  set(target, key, value) {
    if (typeof key === 'symbol' || typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
    target[key] = `${value}`;
    return true;
  },
  defineProperty(target, key, d) {
    return Reflect.defineProperty(target, key, 'value' in d ? { ...d, value: `${d.value}` } : d);
  },
});

process.nextTick = function nextTick(callback, ...args) {
  check.function(callback, 'callback');
  native.tick(callback, ...args);
};
process.hrtime = function hrtime(since) {
  const ns = native.hrtime();
  const now = [Number(ns / 1000000000n), Number(ns % 1000000000n)];
  if (since === undefined) return now;
  if (!Array.isArray(since)) throw argument('time', 'an instance of Array', since);
  if (since.length !== 2) throw range('time', '2', since.length);
  let [s, n] = [now[0] - since[0], now[1] - since[1]];
  if (n < 0) { s--; n += 1e9; }
  return [s, n];
};
process.hrtime.bigint = () => native.hrtime();
process.uptime = () => internalBinding('clock').now() / 1000;
process.cwd = native.cwd;
process.chdir = native.chdir;
process.umask = (mask) => native.umask(mask === undefined ? -1 : typeof mask === 'string' ? parseInt(mask, 8) : mask);
process.memoryUsage = () => native.memory();
process.memoryUsage.rss = () => native.memory().rss;
process.cpuUsage = (before) => {
  const now = native.cpu();
  return before ? { user: now.user - before.user, system: now.system - before.system } : now;
};
process.resourceUsage = () => ({ userCPUTime: native.cpu().user, systemCPUTime: native.cpu().system, maxRSS: native.memory().rss / 1024 });
for (const name of ['getuid', 'geteuid', 'getgid', 'getegid']) process[name] = () => native.id(name);
process.getgroups = () => [];
process.kill = (pid, signal = 'SIGTERM') => {
  if (typeof pid !== 'number') throw argument('pid', 'of type number', pid);
  return native.kill(pid, typeof signal === 'number' ? `${signal}` : signal);
};
process.abort = () => native.exit(134);
process.binding = (name) => { throw coded(Error, 'ERR_INVALID_MODULE', `No such module: ${name}`); };
process.getBuiltinModule = (name) => require('./module.js').builtin(name);
process.setUncaughtExceptionCaptureCallback = (f) => { capture = f; };
process.hasUncaughtExceptionCaptureCallback = () => capture !== null;
process.setSourceMapsEnabled = () => {};
process.constrainedMemory = () => 0;
process.availableMemory = () => 0;

let capture = null;
let exiting = false;
function code(value) {
  if (value === undefined || value === null) return undefined;
  const n = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof n !== 'number') throw argument('code', 'of type number', value);
  if (!Number.isInteger(n)) throw range('code', 'an integer', value);
  return n & 0xff;
}
process.exit = function exit(value) {
  if (value !== undefined && value !== null) process.exitCode = code(value);
  native.exit(end());
};
process.reallyExit = (value) => native.exit(code(value) ?? 0);

// end is the last that a script gets to run; it gives the exit code.
function end(failed) {
  if (!exiting) {
    exiting = true;
    if (failed && process.exitCode === undefined) process.exitCode = 1;
    process.emit('exit', code(process.exitCode) ?? 0);
  }
  return code(process.exitCode) ?? 0;
}

const warned = new Set();
process.emitWarning = function emitWarning(warning, type, id) {
  if (typeof type === 'object' && type !== null) ({ type, code: id } = type);
  let w = warning;
  if (typeof warning === 'string') {
    w = new Error(warning);
    w.name = `${type ?? 'Warning'}`;
    if (id !== undefined) w.code = id;
  } else if (!(warning instanceof Error)) {
    throw argument('warning', 'of type string or an instance of Error', warning);
  }
  process.nextTick(() => process.emit('warning', w));
};
process.on('warning', (w) => {
  if (native.quiet) return;
  if (w.name === 'DeprecationWarning') {
    if (process.noDeprecation || warned.has(w.code ?? w.message)) return;
    warned.add(w.code ?? w.message);
  }
  native.writeError(`(millrace:${process.pid}) ${w.code ? `[${w.code}] ` : ''}${w.name}: ${w.message}\n`);
});

// The loop asks here before an error ends the script.
native.hooks({
  uncaught(error, origin) {
    process.emit('uncaughtExceptionMonitor', error, origin);
    if (capture) { capture(error); return true; }
    return process.emit('uncaughtException', error, origin);
  },
  unhandled(reason, promise) {
    if (process.emit('unhandledRejection', reason, promise)) return true;
    process.emit('uncaughtExceptionMonitor', reason, 'unhandledRejection');
    if (capture) { capture(reason); return true; }
    return process.emit('uncaughtException', reason, 'unhandledRejection');
  },
  handled(promise) { process.emit('rejectionHandled', promise); },
  idle() { process.emit('beforeExit', code(process.exitCode) ?? 0); },
  end,
});

const lazy = (name, make) => Object.defineProperty(process, name, {
  configurable: true, enumerable: true,
  get() {
    const value = make();
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
    return value;
  },
  set(value) { Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true }); },
});
lazy('stdin', () => require('../internal/stdio.js').input());
lazy('stdout', () => require('../internal/stdio.js').output(1));
lazy('stderr', () => require('../internal/stdio.js').output(2));

// Signals are delivered only while somebody listens.
process.on('newListener', (name) => {
  if (typeof name === 'string' && name.startsWith('SIG') && process.listenerCount(name) === 0) {
    native.signal(name, () => process.emit(name, name, native.number(name)));
  }
});
process.on('removeListener', (name) => {
  if (typeof name === 'string' && name.startsWith('SIG') && process.listenerCount(name) === 0) native.signal(name, null);
});

module.exports = process;
