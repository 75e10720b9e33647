'use strict';
const EventEmitter = require('node:events');
const { coded } = require('../errors.js');
const { settings } = require('../../node/tls.js');
const native = internalBinding('http');

class Agent extends EventEmitter {
  constructor(options) {
    super();
    this.options = { __proto__: null, noDelay: true, path: null, ...options };
    this.defaultPort = this.options.defaultPort ?? 80;
    this.protocol = this.options.protocol ?? 'http:';
    this.keepAlive = !!this.options.keepAlive;
    this.keepAliveMsecs = this.options.keepAliveMsecs ?? 1000;
    this.maxSockets = this.options.maxSockets ?? Infinity;
    this.maxFreeSockets = this.options.maxFreeSockets ?? 256;
    this.maxTotalSockets = this.options.maxTotalSockets ?? Infinity;
    this.scheduling = this.options.scheduling ?? 'lifo';
    this.requests = {};
    this.sockets = {};
    this.freeSockets = {};
    this._natives = new Map();
    if (this.keepAlive && this.options.timeout === undefined) this.options.timeout = 5000;
  }

  /** _native is what keeps the connections of requests that agree on what a connection is. */
  _native(options) {
    const tls = settings({ ...this.options, ...options });
    if (tls.rejectUnauthorized === undefined && process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') tls.rejectUnauthorized = false;
    const { socketPath, family } = options;
    const key = JSON.stringify([tls, socketPath, family]);
    let made = this._natives.get(key);
    if (!made) {
      made = native.agent({
        ...tls, socketPath, family, keepAlive: this.keepAlive, maxSockets: this.maxSockets, maxFreeSockets: this.maxFreeSockets,
        timeout: this.options.timeout, maxHeaderSize: options.maxHeaderSize ?? 16384,
      });
      this._natives.set(key, made);
    }
    return made;
  }

  getName(options = {}) {
    return `${options.host || 'localhost'}:${options.port || ''}:${options.localAddress || ''}${options.socketPath ? `:${options.socketPath}` : ''}`;
  }

  createConnection() {
    throw coded(Error, 'ERR_FEATURE_UNAVAILABLE', 'Agent.createConnection() is not available: use net.connect()');
  }

  destroy() { for (const one of this._natives.values()) one.destroy(); }
}

const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
module.exports = { Agent, globalAgent };
