'use strict';
module.exports = require('npm:assert');
require('../internal/names.js').named(module.exports, ['AssertionError']);
