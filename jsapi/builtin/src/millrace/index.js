'use strict';
// The module millrace.
module.exports = {};
