'use strict';
const callable = require('../internal/callable.js');
const { Interface, moves } = require('../internal/readline.js');

const custom = Symbol.for('nodejs.util.promisify.custom');
Object.defineProperty(Interface.prototype.question, custom, {
  value(query, options = {}) { return new Promise((done) => { this.question(query, options, done); }); },
});

module.exports = {
  Interface: callable(Interface),
  createInterface: (...args) => new Interface(...args),
  ...moves,
  emitKeypressEvents() {},
  get promises() { return require('./readline-promises.js'); },
};
