'use strict';
const callable = require('../internal/callable.js');
const { Agent, globalAgent } = require('../internal/http/agent.js');
const { ClientRequest } = require('../internal/http/client.js');
const { IncomingMessage } = require('../internal/http/incoming.js');
const { OutgoingMessage } = require('../internal/http/outgoing.js');
const { ServerResponse } = require('../internal/http/response.js');
const { Server } = require('../internal/http/server.js');
const { STATUS_CODES, METHODS, validateHeaderName, validateHeaderValue } = require('../internal/http/header.js');

function request(input, options, callback) { return new ClientRequest(input, options, callback); }

let agent = globalAgent;
module.exports = {
  METHODS, STATUS_CODES, maxHeaderSize: 16384,
  Agent: callable(Agent), ClientRequest, IncomingMessage, OutgoingMessage, ServerResponse, Server: callable(Server),
  createServer: (options, listener) => new Server(options, listener),
  request,
  get(input, options, callback) {
    const req = request(input, options, callback);
    req.end();
    return req;
  },
  validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {},
  get globalAgent() { return agent; },
  set globalAgent(other) { agent = other; },
};
