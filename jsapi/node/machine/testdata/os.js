const os = require('os');
console.log(os.EOL === '\n', os.platform(), os.arch(), os.hostname(), os.totalmem(), os.cpus().length, os.type(), os.release());
console.log(os.endianness(), os.tmpdir(), os.homedir(), os.userInfo().username, os.constants.signals.SIGTERM, os.availableParallelism());
console.log(os.networkInterfaces().lo?.map((a) => `${a.address} ${a.family} ${a.netmask} ${a.internal} ${a.cidr}`));
console.log(os.freemem() > 1e6, os.uptime() > 0, os.loadavg().length);
