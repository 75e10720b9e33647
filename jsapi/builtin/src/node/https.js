'use strict';
const { Agent: HttpAgent } = require('../internal/http/agent.js');
const { ClientRequest } = require('../internal/http/client.js');
const { Server: HttpServer } = require('../internal/http/server.js');
const { settings } = require('./tls.js');
const native = internalBinding('http');

class Agent extends HttpAgent {
  constructor(options) { super({ ...options, protocol: 'https:', defaultPort: options?.defaultPort ?? 443 }); }
}
let globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });

class Server extends HttpServer {
  constructor(options, listener) {
    super(options, listener);
    this._tls = native.tls(settings(this._options));
  }
}

function request(input, options, callback) {
  if (typeof options === 'function') [options, callback] = [undefined, options];
  const isUrl = typeof input === 'string' || input instanceof URL;
  const base = { _defaultAgent: globalAgent };
  return isUrl ? new ClientRequest(input, { ...base, ...options }, callback) : new ClientRequest({ ...base, ...input }, undefined, callback);
}

module.exports = {
  Agent, Server, request,
  get(input, options, callback) {
    const req = request(input, options, callback);
    req.end();
    return req;
  },
  createServer: (options, listener) => new Server(options, listener),
  get globalAgent() { return globalAgent; },
  set globalAgent(other) { globalAgent = other; },
};
