'use strict';
const native = internalBinding('os');
const { constants: signals } = native;

const lazy = (name) => () => native[name]();
module.exports = {
  EOL: '\n', devNull: '/dev/null',
  arch: () => process.arch, platform: () => process.platform, type: () => native.system().type, release: () => native.system().release,
  version: () => native.system().version, machine: () => native.system().machine,
  hostname: lazy('hostname'), uptime: lazy('uptime'), loadavg: lazy('loadavg'), totalmem: lazy('totalmem'), freemem: lazy('freemem'),
  cpus: lazy('cpus'), availableParallelism: lazy('parallelism'), networkInterfaces: lazy('interfaces'),
  homedir: () => process.env.HOME || native.home(),
  tmpdir() {
    const dir = process.env.TMPDIR || process.env.TMP || process.env.TEMP || '/tmp';
    return dir.length > 1 && dir.endsWith('/') ? dir.slice(0, -1) : dir;
  },
  userInfo: () => native.user(),
  endianness: () => 'LE',
  getPriority: () => 0, setPriority() {},
  constants: { signals, errno: {}, priority: { PRIORITY_LOW: 19, PRIORITY_BELOW_NORMAL: 10, PRIORITY_NORMAL: 0, PRIORITY_ABOVE_NORMAL: -7, PRIORITY_HIGH: -14, PRIORITY_HIGHEST: -20 }, UV_UDP_REUSEADDR: 4 },
};
