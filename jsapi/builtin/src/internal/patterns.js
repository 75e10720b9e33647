'use strict';
// Regular expressions with \p{…} and the flag v: rewritten, for those that a script makes while it runs.
// jsapi/compile rewrites the literals of a script.

module.exports = () => {};
