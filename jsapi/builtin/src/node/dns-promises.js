'use strict';
module.exports = require('./dns.js').promises;
