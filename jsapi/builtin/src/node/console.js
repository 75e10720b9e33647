'use strict';
const { format, formatWithOptions, inspect } = require('./util.js');
const { coded, check } = require('../internal/errors.js');

class Console {
  #out; #err; #indent = ''; #counts = new Map(); #timers = new Map(); #options; #step = 2;
  constructor(options, stderr) {
    const o = typeof options?.write === 'function' ? { stdout: options, stderr } : options ?? {};
    if (typeof o.stdout?.write !== 'function') throw coded(TypeError, 'ERR_CONSOLE_WRITABLE_STREAM', 'Console expects a writable stream instance for stdout');
    this.#out = o.stdout;
    this.#err = o.stderr ?? o.stdout;
    this.#options = o;
    if (o.groupIndentation !== undefined) this.#step = o.groupIndentation;
    // Methods are taken off the object and passed on.
    for (const name of Object.getOwnPropertyNames(Console.prototype)) {
      if (name !== 'constructor') Object.defineProperty(this, name, { value: this[name].bind(this), writable: true, enumerable: true, configurable: true });
    }
  }

  #inspection(stream) {
    const { colorMode = 'auto', inspectOptions } = this.#options;
    const colors = colorMode === 'auto' ? !!stream.isTTY : !!colorMode;
    return { ...(colors ? { colors: true } : {}), ...inspectOptions };
  }

  #write(stream, args) {
    let text = formatWithOptions(this.#inspection(stream), ...args);
    if (this.#indent !== '') text = this.#indent + text.replaceAll('\n', `\n${this.#indent}`);
    stream.write(`${text}\n`);
  }

  log(...args) { this.#write(this.#out, args); }
  info(...args) { this.#write(this.#out, args); }
  debug(...args) { this.#write(this.#out, args); }
  warn(...args) { this.#write(this.#err, args); }
  error(...args) { this.#write(this.#err, args); }
  dir(value, options) { this.#write(this.#out, [inspect(value, { customInspect: false, ...this.#inspection(this.#out), ...options })]); }
  dirxml(...args) { this.#write(this.#out, args); }
  trace(...args) {
    const error = { name: 'Trace', message: format(...args) };
    Object.setPrototypeOf(error, Error.prototype);
    Error.captureStackTrace(error);
    this.#write(this.#err, [error.stack]);
  }

  assert(value, ...args) {
    if (value) return;
    if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift('Assertion failed');
    this.#write(this.#err, args);
  }

  count(label = 'default') {
    const n = (this.#counts.get(`${label}`) ?? 0) + 1;
    this.#counts.set(`${label}`, n);
    this.log(`${label}: ${n}`);
  }

  countReset(label = 'default') {
    if (!this.#counts.delete(`${label}`)) process.emitWarning(`Count for '${label}' does not exist`);
  }

  group(...args) {
    if (args.length > 0) this.log(...args);
    this.#indent += ' '.repeat(this.#step);
  }

  groupCollapsed(...args) { this.group(...args); }
  groupEnd() { this.#indent = this.#indent.slice(0, Math.max(0, this.#indent.length - this.#step)); }
  time(label = 'default') {
    if (this.#timers.has(`${label}`)) process.emitWarning(`Label '${label}' already exists for console.time()`);
    else this.#timers.set(`${label}`, performance.now());
  }

  #elapsed(label, args) {
    const start = this.#timers.get(`${label}`);
    if (start === undefined) {
      process.emitWarning(`No such label '${label}' for console.time()`);
      return;
    }
    const ms = performance.now() - start;
    this.log(`${label}: ${ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`}`, ...args);
  }

  timeLog(label = 'default', ...args) { this.#elapsed(label, args); }
  timeEnd(label = 'default') { this.#elapsed(label, []); this.#timers.delete(`${label}`); }
  timeStamp() {}
  profile() {}
  profileEnd() {}
  table(data, columns) {
    if (data === null || typeof data !== 'object') return this.log(data);
    if (columns !== undefined && !Array.isArray(columns)) check.object(null, 'properties');
    return this.log(require('../internal/table.js')(data, columns, this.#inspection(this.#out)));
  }
}

const late = (name) => ({ write: (text) => process[name].write(text), get isTTY() { return process[name].isTTY; } });
const console = new Console({ stdout: late('stdout'), stderr: late('stderr') });
console.Console = Console;
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
module.exports = console;
