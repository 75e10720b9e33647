'use strict';
module.exports = require('npm:assert');
