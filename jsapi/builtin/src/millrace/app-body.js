'use strict';
// Middlewares that read a request's body into req.body.
const querystring = require('node:querystring');

const reader = (kind, read) => ({ limit = 1 << 20 } = {}) => async (req, res, next) => {
  const type = (req.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (req.body !== undefined || !kind(type)) return next();
  req.body = await read(req, limit);
  return next();
};

exports.json = reader((type) => type === 'application/json' || type.endsWith('+json'), (req, limit) => req.json(limit));
exports.text = reader((type) => type.startsWith('text/'), (req, limit) => req.text(limit));
exports.urlencoded = reader((type) => type === 'application/x-www-form-urlencoded',
  async (req, limit) => ({ ...querystring.parse(await req.text(limit)) }));
