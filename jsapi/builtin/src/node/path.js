'use strict';
const path = require('npm:path-browserify');

// Node has a Windows flavour too; where scripts run here, there is one only.
path.posix = path;
path.win32 ??= path;
path.toNamespacedPath ??= (p) => p;
module.exports = path;
