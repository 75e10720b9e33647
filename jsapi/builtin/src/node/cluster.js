'use strict';
const EventEmitter = require('./events.js');
const { coded } = require('../internal/errors.js');

module.exports = Object.assign(new EventEmitter(), {
  isPrimary: true, isMaster: true, isWorker: false, workers: {}, settings: {},
  setupPrimary() {},
  fork() { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'cluster.fork() is not available: a script has one process'); },
});
