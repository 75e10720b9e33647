'use strict';
const callable = require('../internal/callable.js');
const { Socket, normalize } = require('../internal/net/socket.js');
const { Server } = require('../internal/net/server.js');
const { isIP, isIPv4, isIPv6, BlockList } = require('../internal/net/ip.js');

function connect(...args) {
  const normalized = normalize(args);
  const socket = new Socket(normalized[0]);
  if (normalized[0].timeout) socket.setTimeout(normalized[0].timeout);
  return socket.connect(normalized);
}

class SocketAddress {
  constructor({ address = '127.0.0.1', port = 0, family = 'ipv4', flowlabel = 0 } = {}) {
    Object.assign(this, { address, port, family, flowlabel });
  }
}

const callableSocket = callable(Socket);

let family = true;
let patience = 250;
module.exports = {
  Socket: callableSocket, Stream: callableSocket, Server: callable(Server), SocketAddress, BlockList, isIP, isIPv4, isIPv6,
  createServer: (options, listener) => new Server(options, listener),
  connect, createConnection: connect,
  getDefaultAutoSelectFamily: () => family,
  setDefaultAutoSelectFamily(on) { family = on; },
  getDefaultAutoSelectFamilyAttemptTimeout: () => patience,
  setDefaultAutoSelectFamilyAttemptTimeout(ms) { patience = ms; },
  _normalizeArgs: normalize,
};
