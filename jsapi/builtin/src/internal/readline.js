'use strict';
const EventEmitter = require('node:events');
const { StringDecoder } = require('node:string_decoder');
const { coded, argument, invalid, aborted, check } = require('./errors.js');

const ends = /\r\n|\n|\r|\u2028|\u2029/g;

/**
 * Interface reads lines of a stream. The terminal edits the line, also where input is one: what is typed comes when
 * Enter is pressed.
 */
class Interface extends EventEmitter {
  #decoder = new StringDecoder('utf8');
  #rest = '';
  #sawReturn = 0;
  #asked;
  #prompt = '> ';
  #off = [];
  constructor(input, output, completer, terminal) {
    super();
    let options = { input, output, completer, terminal };
    if (input?.input) options = input;
    if (!options.input || typeof options.input.on !== 'function') throw argument('options.input', 'a stream', options.input);
    if (options.historySize !== undefined && !(options.historySize >= 0)) throw invalid('historySize', options.historySize);
    this.input = options.input;
    this.output = options.output ?? undefined;
    this.terminal = options.terminal ?? !!this.output?.isTTY;
    this.crlfDelay = Math.max(100, options.crlfDelay ?? 100);
    this.line = '';
    this.cursor = 0;
    this.history = options.history ?? [];
    this.closed = false;
    this.paused = false;
    if (options.prompt !== undefined) this.#prompt = `${options.prompt}`;
    const listen = (event, f) => {
      this.input.on(event, f);
      this.#off.push(() => this.input.removeListener(event, f));
    };
    listen('data', (chunk) => this.#take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)));
    listen('end', () => this.#finish());
    listen('error', (error) => this.emit('error', error));
    if (options.signal) {
      if (options.signal.aborted) process.nextTick(() => this.close());
      else options.signal.addEventListener('abort', () => this.close(), { once: true });
    }
    this.input.resume();
  }

  #take(text) {
    if (text === '' || this.closed) return;
    if (this.#sawReturn && text[0] === '\n' && Date.now() - this.#sawReturn <= this.crlfDelay) text = text.slice(1);
    this.#sawReturn = text.endsWith('\r') ? Date.now() : 0;
    text = this.#rest + text;
    let from = 0;
    ends.lastIndex = 0;
    const lines = [];
    for (let found = ends.exec(text); found; found = ends.exec(text)) {
      lines.push(text.slice(from, found.index));
      from = ends.lastIndex;
    }
    this.#rest = text.slice(from);
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    const asked = this.#asked;
    if (asked) {
      this.#asked = undefined;
      this.setPrompt(asked.prompt);
      asked.done(line);
      return;
    }
    this.line = line;
    this.emit('line', line);
  }

  #finish() {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (last !== '') this.#line(last);
    this.close();
  }

  getPrompt() { return this.#prompt; }
  setPrompt(prompt) { this.#prompt = `${prompt}`; }
  prompt() {
    if (this.paused) this.resume();
    this.output?.write(this.#prompt);
  }

  question(query, options, callback) {
    if (this.closed) throw coded(Error, 'ERR_USE_AFTER_CLOSE', 'readline was closed');
    if (typeof options === 'function') [options, callback] = [{}, options];
    if (typeof callback !== 'function') return;
    const { signal } = options ?? {};
    if (signal?.aborted) return;
    if (this.#asked) {
      this.prompt();
      return;
    }
    const asked = { done: callback, prompt: this.#prompt };
    this.#asked = asked;
    signal?.addEventListener('abort', () => { if (this.#asked === asked) this.#asked = undefined; }, { once: true });
    this.setPrompt(query);
    this.prompt();
  }

  write(data) {
    if (this.closed) throw coded(Error, 'ERR_USE_AFTER_CLOSE', 'readline was closed');
    if (data != null) this.#take(typeof data === 'string' ? data : Buffer.from(data).toString());
  }

  pause() {
    if (this.paused) return this;
    this.input.pause();
    this.paused = true;
    this.emit('pause');
    return this;
  }

  resume() {
    if (!this.paused) return this;
    this.input.resume();
    this.paused = false;
    this.emit('resume');
    return this;
  }

  close() {
    if (this.closed) return;
    this.pause();
    this.closed = true;
    for (const off of this.#off) off();
    this.emit('close');
  }

  getCursorPos() { return { rows: 0, cols: this.cursor }; }

  async* [Symbol.asyncIterator]() {
    const lines = [];
    let wake;
    let over = this.closed;
    const line = (text) => { lines.push(text); if (lines.length >= 1024) this.pause(); wake?.(); };
    const close = () => { over = true; wake?.(); };
    this.on('line', line);
    this.on('close', close);
    try {
      for (;;) {
        while (lines.length > 0) yield lines.shift();
        if (over) return;
        this.resume();
        await new Promise((done) => { wake = done; });
      }
    } finally {
      this.removeListener('line', line);
      this.removeListener('close', close);
      this.close();
    }
  }

  [Symbol.dispose]() { this.close(); }
}

class PromisesInterface extends Interface {
  question(query, options = {}) {
    return new Promise((done, fail) => {
      const { signal } = options;
      if (signal?.aborted) {
        fail(aborted(signal.reason));
        return;
      }
      signal?.addEventListener('abort', () => fail(aborted(signal.reason)), { once: true });
      try {
        super.question(query, options, done);
      } catch (error) {
        fail(error);
      }
    });
  }
}

const told = (stream, text, callback) => {
  if (callback !== undefined) check.function(callback, 'callback');
  if (!stream) {
    if (callback) process.nextTick(callback, null);
    return true;
  }
  return stream.write(text, callback);
};
const moves = {
  cursorTo(stream, x, y, callback) {
    if (typeof y === 'function') [y, callback] = [undefined, y];
    if (Number.isNaN(x)) throw invalid('x', x);
    if (typeof x !== 'number') throw coded(TypeError, 'ERR_INVALID_CURSOR_POS', 'Cannot set cursor row without setting its column');
    return told(stream, typeof y === 'number' ? `\x1b[${y + 1};${x + 1}H` : `\x1b[${x + 1}G`, callback);
  },
  moveCursor(stream, dx, dy, callback) {
    const side = dx < 0 ? `\x1b[${-dx}D` : dx > 0 ? `\x1b[${dx}C` : '';
    return told(stream, side + (dy < 0 ? `\x1b[${-dy}A` : dy > 0 ? `\x1b[${dy}B` : ''), callback);
  },
  clearLine: (stream, direction, callback) => told(stream, direction < 0 ? '\x1b[1K' : direction > 0 ? '\x1b[0K' : '\x1b[2K', callback),
  clearScreenDown: (stream, callback) => told(stream, '\x1b[0J', callback),
};

module.exports = { Interface, PromisesInterface, moves };
