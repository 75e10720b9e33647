'use strict';
const { Socket } = require('../internal/net/socket.js');
const { coded } = require('../internal/errors.js');

const standard = (fd) => [process.stdin, process.stdout, process.stderr][fd];
const unavailable = () => coded(Error, 'ERR_TTY_INIT_FAILED', 'terminals are reached through process.stdin, stdout and stderr');
class ReadStream extends Socket { constructor() { throw unavailable(); } }
class WriteStream extends Socket { constructor() { throw unavailable(); } }

module.exports = { isatty: (fd) => Number.isInteger(fd) && fd >= 0 && fd <= 2 && !!standard(fd).isTTY, ReadStream, WriteStream };
