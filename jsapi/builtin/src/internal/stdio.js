'use strict';
// process.stdin, stdout and stderr as streams.
const { Readable, Writable } = require('../node/stream.js');
const native = internalBinding('process');

function input() {
  let pending;
  const stream = new Readable({
    highWaterMark: 65536,
    read() {
      pending = native.read((error, bytes) => {
        pending = undefined;
        if (error) stream.destroy(error);
        else stream.push(bytes);
      });
    },
    destroy(error, done) {
      pending?.unref();
      done(error);
    },
  });
  // A read that nobody waits for must not keep the program running.
  stream.on('pause', () => pending?.unref());
  stream.on('resume', () => pending?.ref());
  stream.ref = () => { pending?.ref(); return stream; };
  stream.unref = () => { pending?.unref(); return stream; };
  return terminal(stream, 0);
}

// What is written to the outputs is written before write returns, as Node does for files and terminals: nothing is
// lost when the program exits in the next line.
function output(fd) {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, encoding, done) {
      const error = typeof chunk === 'string' && (encoding === 'utf8' || encoding === 'utf-8') ?
        native.write(fd, chunk) : native.write(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      done(error);
    },
    destroy(error, done) { done(error); },
  });
  stream._type = 'fs';
  stream._isStdio = true;
  stream.destroySoon = stream.destroy;
  stream._destroy = (error, done) => done(error);
  return terminal(stream, fd);
}

function terminal(stream, fd) {
  stream.fd = fd;
  if (!native.terminal(fd)) return stream;
  stream.isTTY = true;
  if (fd === 0) {
    stream.isRaw = false;
    stream.setRawMode = () => stream;
    return stream;
  }
  const size = native.size(fd);
  [stream.columns, stream.rows] = size;
  stream.getWindowSize = () => native.size(fd);
  stream.getColorDepth = () => 8;
  stream.hasColors = (count = 16) => count <= 256;
  stream.cursorTo = (x, y, done) => stream.write(y === undefined ? `\x1b[${x + 1}G` : `\x1b[${y + 1};${x + 1}H`, done);
  stream.moveCursor = (dx, dy, done) => stream.write(
    (dx < 0 ? `\x1b[${-dx}D` : dx > 0 ? `\x1b[${dx}C` : '') + (dy < 0 ? `\x1b[${-dy}A` : dy > 0 ? `\x1b[${dy}B` : ''), done);
  stream.clearLine = (dir, done) => stream.write(dir < 0 ? '\x1b[1K' : dir > 0 ? '\x1b[0K' : '\x1b[2K', done);
  stream.clearScreenDown = (done) => stream.write('\x1b[0J', done);
  return stream;
}

module.exports = { input, output };
