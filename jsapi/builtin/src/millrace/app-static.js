'use strict';
// Files of a folder, as middleware.
const fs = require('node:fs');
const { join, normalize, resolve, extname, sep } = require('node:path');
const { pipeline } = require('node:stream/promises');
const { coded, check } = require('../internal/errors.js');
const { types } = require('./app-types.js');

const missing = (error) => error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG';

// range reads a Range header of one range; undefined where there is none to heed, null where it cannot be met.
function range(header, size) {
  const m = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!m || m[1] === '' && m[2] === '') return undefined;
  const start = m[1] === '' ? Math.max(0, size - Number(m[2])) : Number(m[1]);
  const end = m[1] === '' || m[2] === '' ? size - 1 : Math.min(Number(m[2]), size - 1);
  return start > end || start >= size ? null : { start, end };
}

async function sendFile(req, res, path, { maxAge = 0, headers = {} } = {}) {
  const info = await fs.promises.stat(path);
  if (!info.isFile()) throw coded(Error, 'EISDIR', `${path} is no file`, { status: 404 });
  const tag = `W/"${info.size.toString(16)}-${Math.floor(info.mtimeMs).toString(16)}"`;
  const set = (name, value) => { if (!res.hasHeader(name)) res.setHeader(name, value); };
  for (const name of Object.keys(headers)) res.setHeader(name, headers[name]);
  set('Content-Type', types[extname(path).slice(1).toLowerCase()] ?? types.bin);
  set('ETag', tag);
  set('Last-Modified', info.mtime.toUTCString());
  set('Cache-Control', `public, max-age=${Math.floor(maxAge / 1000)}`);
  set('Accept-Ranges', 'bytes');
  const seen = req.headers['if-none-match'];
  const since = Date.parse(req.headers['if-modified-since']);
  if (seen !== undefined ? seen.split(/,\s*/).some((t) => t === tag || t === '*') : Math.floor(info.mtimeMs / 1000) * 1000 <= since) {
    res.statusCode = 304;
    res.end();
    return;
  }
  const part = range(req.headers.range, info.size);
  if (part === null) {
    res.statusCode = 416;
    res.setHeader('Content-Range', `bytes */${info.size}`);
    res.end();
    return;
  }
  if (part) {
    res.statusCode = 206;
    res.setHeader('Content-Range', `bytes ${part.start}-${part.end}/${info.size}`);
  }
  res.setHeader('Content-Length', part ? part.end - part.start + 1 : info.size);
  if (req.method === 'HEAD' || info.size === 0) {
    res.end();
    return;
  }
  await pipeline(fs.createReadStream(path, part ?? {}), res);
}

function serveFolder(folder, options = {}) {
  check.string(folder, 'folder');
  const root = resolve(folder);
  const { index = 'index.html', dotfiles = false } = options;
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return next();
    let name;
    try {
      name = decodeURIComponent(req.url.split('?')[0]);
    } catch {
      return next();
    }
    const path = join(root, normalize(`/${name}`));
    const inside = path === root || path.startsWith(root + sep);
    if (!inside || name.includes('\0') || !dotfiles && name.split('/').some((e) => e.startsWith('.'))) return next();
    try {
      const info = await fs.promises.stat(path);
      if (!info.isDirectory()) return await sendFile(req, res, path, options);
      if (index === false) return next();
      if (!name.endsWith('/')) return res.writeHead(301, { Location: `${req.baseUrl}${req.url.split('?')[0]}/` }).end();
      return await sendFile(req, res, join(path, index), options);
    } catch (error) {
      if (missing(error)) return next();
      throw error;
    }
  };
}

module.exports = { sendFile, serveFolder };
