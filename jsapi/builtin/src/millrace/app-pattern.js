'use strict';
// Patterns of routes: /hello/:name, /files/*, /:year(\d+)/:month?, or a regular expression.
const { coded } = require('../internal/errors.js');

const quote = (text) => text.replace(/[.+?^${}()|[\]\\/]/g, '\\$&');

/** compile gives match(path) => { path, params } | undefined; whole says that the pattern is all of the path. */
exports.compile = (pattern, whole) => {
  if (pattern instanceof RegExp) {
    return (path) => {
      const m = pattern.exec(path);
      return m ? { path: m[0], params: { ...m.groups, ...m.slice(1) } } : undefined;
    };
  }
  if (typeof pattern !== 'string' || pattern !== '*' && !pattern.startsWith('/')) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `http: a route begins with a slash; got ${String(pattern)}`);
  }
  const names = [];
  let stars = 0;
  const text = pattern === '*' ? '/*' : pattern.replace(/\/+$/, '');
  let source = '';
  for (const part of text.split('/').slice(1)) {
    const m = /^:(\w+)(?:\((.+)\))?(\?)?$/.exec(part);
    if (m) {
      names.push(m[1]);
      source += m[3] ? `(?:\\/(${m[2] ?? '[^/]+'}))?` : `\\/(${m[2] ?? '[^/]+'})`;
    } else if (/^\*(\w*)$/.test(part)) {
      names.push(part.slice(1) || String(stars++));
      source += '(?:\\/(.*))?';
    } else {
      source += `\\/${part.split(/(:\w+|\*)/).map((piece) => {
        if (/^:\w/.test(piece)) {
          names.push(piece.slice(1));
          return '([^/]+?)';
        }
        if (piece === '*') {
          names.push(String(stars++));
          return '(.*)';
        }
        return quote(piece);
      }).join('')}`;
    }
  }
  const matcher = new RegExp(`^(${source})${whole ? '\\/?$' : '(?=\\/|$)'}`, 'i');
  return (path) => {
    const m = matcher.exec(path);
    if (!m) return undefined;
    const params = {};
    for (let i = 0; i < names.length; i++) {
      if (m[i + 2] === undefined) continue;
      try {
        params[names[i]] = decodeURIComponent(m[i + 2]);
      } catch {
        return undefined; // %zz names nothing
      }
    }
    return { path: m[1], params };
  };
};
