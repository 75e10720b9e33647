'use strict';
const legacy = require('npm:url');
const native = internalBinding('url');
const { coded, argument } = require('../internal/errors.js');
const { URL, URLSearchParams } = require('../internal/url.js');

const fileURL = (u) => {
  const url = typeof u === 'string' ? new URL(u) : u;
  if (!url || typeof url.href !== 'string') throw argument('path', 'of type string or an instance of URL', u);
  return url;
};
function fileURLToPath(u) {
  const url = fileURL(u);
  if (url.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (url.hostname !== '') throw coded(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  if (/%2f/i.test(url.pathname)) throw coded(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  return decodeURIComponent(url.pathname);
}
function pathToFileURL(path) {
  const full = require('./path.js').resolve(path);
  const kept = path.endsWith('/') && !full.endsWith('/') ? `${full}/` : full;
  return new URL(`file://${encodeURI(kept).replace(/[?#]/g, encodeURIComponent)}`);
}
function urlToHttpOptions(url) {
  const options = {
    protocol: url.protocol,
    hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ''}${url.search || ''}`, href: url.href,
  };
  if (url.port !== '') options.port = Number(url.port);
  if (url.username || url.password) options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return options;
}
function format(value, options) {
  if (!(value instanceof URL)) return legacy.format(value);
  const { auth = true, fragment = true, search = true, unicode = false } = options ?? {};
  const url = new URL(value.href);
  if (!auth) { url.username = ''; url.password = ''; }
  if (!fragment) url.hash = '';
  if (!search) url.search = '';
  return unicode && url.hostname ? url.href.replace(url.hostname, native.domainToUnicode(url.hostname)) : url.href;
}
module.exports = {
  ...legacy, URL, URLSearchParams, fileURLToPath, pathToFileURL, urlToHttpOptions, format,
  domainToASCII: native.domainToASCII, domainToUnicode: native.domainToUnicode,
};
