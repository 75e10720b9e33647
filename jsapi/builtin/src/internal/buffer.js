'use strict';
// For the natives: a Buffer over an ArrayBuffer, without a copy.
module.exports = require('../node/buffer.js').fromBytes;
