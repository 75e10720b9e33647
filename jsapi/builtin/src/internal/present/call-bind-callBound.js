'use strict';
// RegExp.prototype.test and its like as functions of their this.
module.exports = (path) => {
  let f = globalThis;
  for (const name of path.split('.')) f = f[name];
  return (self, ...args) => f.apply(self, args);
};
