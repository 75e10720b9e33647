'use strict';
const { PromisesInterface, moves } = require('../internal/readline.js');

class Readline {
  #stream;
  #todo = [];
  #now;
  constructor(stream, { autoCommit = false } = {}) { this.#stream = stream; this.#now = autoCommit; }
  #add(f) { if (this.#now) process.nextTick(f); else this.#todo.push(f); return this; }
  cursorTo(x, y) { return this.#add(() => moves.cursorTo(this.#stream, x, y)); }
  moveCursor(dx, dy) { return this.#add(() => moves.moveCursor(this.#stream, dx, dy)); }
  clearLine(direction) { return this.#add(() => moves.clearLine(this.#stream, direction)); }
  clearScreenDown() { return this.#add(() => moves.clearScreenDown(this.#stream)); }
  async commit() { for (const f of this.#todo.splice(0)) f(); }
  rollback() { this.#todo = []; return this; }
}

module.exports = { Interface: PromisesInterface, Readline, createInterface: (...args) => new PromisesInterface(...args) };
