'use strict';
const { coded } = require('../internal/errors.js');

for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']) {
  exports[name] = function () {
    throw coded(Error, 'ERR_FEATURE_UNAVAILABLE',
      `child_process.${name}() is not available: a script starts no programs; media is decoded, filtered and encoded by the module millrace`);
  };
}
exports.ChildProcess = class ChildProcess {};
