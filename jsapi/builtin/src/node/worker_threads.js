'use strict';
// Scripts have one thread here; packages ask only whether they are on the main one.
const { coded } = require('../internal/errors.js');

class Worker {
  constructor() { throw coded(Error, 'ERR_WORKER_UNSUPPORTED_OPERATION', 'worker_threads.Worker is not available: a script has one thread'); }
}
module.exports = { isMainThread: true, threadId: 0, parentPort: null, workerData: null, resourceLimits: {}, SHARE_ENV: Symbol('SHARE_ENV'), Worker };
