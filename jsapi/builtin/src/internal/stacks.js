'use strict';
// V8's way to look at the stack: Error.captureStackTrace, Error.prepareStackTrace and its call sites.

const { frames } = internalBinding('stack');

class CallSite {
  #frame;
  constructor(frame) { this.#frame = frame; }
  getFileName() { return this.#frame[1] || undefined; }
  getLineNumber() { return this.#frame[2] || null; }
  getColumnNumber() { return this.#frame[3] || null; }
  getFunctionName() { return this.#frame[0] || null; }
  getMethodName() { return null; }
  getTypeName() { return 'Object'; }
  getThis() { return undefined; }
  getFunction() { return undefined; }
  getEvalOrigin() { return undefined; }
  getScriptNameOrSourceURL() { return this.#frame[1] || undefined; }
  isNative() { return this.#frame[1] === ''; }
  isToplevel() { return true; }
  isEval() { return false; }
  isConstructor() { return false; }
  isAsync() { return false; }
  isPromiseAll() { return false; }
  getPromiseIndex() { return null; }
  toString() {
    const [name, file, line, column] = this.#frame;
    const place = file ? `${file}:${line}:${column}` : 'native';
    return name ? `${name} (${place})` : place;
  }
}

const head = (o) => { try { return Error.prototype.toString.call(o); } catch { return 'Error'; } };

Object.defineProperty(Error, 'captureStackTrace', {
  value: function captureStackTrace(object, below) {
    const limit = typeof Error.stackTraceLimit === 'number' ? Error.stackTraceLimit : 0;
    const name = typeof below === 'function' ? below.name : '';
    const sites = frames(1, limit, name).map((f) => new CallSite(f));
    const prepare = Error.prepareStackTrace;
    const value = typeof prepare === 'function' ? prepare(object, sites) :
      [head(object), ...sites.map((s) => `    at ${s}`)].join('\n');
    Object.defineProperty(object, 'stack', { value, writable: true, enumerable: false, configurable: true });
  },
  writable: true, enumerable: false, configurable: true,
});
if (Error.stackTraceLimit === undefined) Error.stackTraceLimit = 10;

/** normal gives a stack of the engine's V8's look: four spaces, and no places in the engine's own code. */
function normal(stack) {
  if (!stack.includes('\tat ')) return stack;
  return stack.trimEnd().split('\n').map((line) => {
    if (!line.startsWith('\tat ')) return line;
    return `    at ${line.slice(4).replace(/\(\d+\)(?=\)?$)/, '')}`;
  }).join('\n');
}

module.exports = { normal, CallSite };
