'use strict';
const { Socket, normalize } = require('../internal/net/socket.js');
const { Server: NetServer } = require('../internal/net/server.js');
const { isIP } = require('../internal/net/ip.js');
const { coded } = require('../internal/errors.js');
const native = internalBinding('net');

const NAMES = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized', 'ALPNProtocols', 'minVersion', 'maxVersion', 'requestCert'];

/** settings is what the natives take of a script's options. */
function settings(options) {
  const context = options.secureContext?.context;
  const all = {};
  for (const name of NAMES) {
    const value = options[name] ?? context?.[name];
    if (value !== undefined && value !== null) all[name] = value;
  }
  return all;
}

class TLSSocket extends Socket {
  constructor(socket, options = {}) {
    super({ allowHalfOpen: socket?.allowHalfOpen ?? options.allowHalfOpen, signal: options.signal });
    this._tlsOptions = options;
    this.encrypted = true;
    this.authorized = false;
    this.authorizationError = null;
    this.alpnProtocol = false;
    this.servername = options.servername ?? null;
    if (!socket) return;
    this._parent = socket;
    this.connecting = true;
    if (socket.connecting) socket.once('connect', () => this._take(socket));
    else if (socket._handle) this._take(socket);
    else this.destroy(coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  // The handle changes hands; the plain socket stays for its addresses.
  _take(socket) {
    socket.pause();
    this._secure(socket._handle, socket.read() ?? undefined);
    socket._read = () => {};
    socket._write = (data, encoding, done) => this.write(data, encoding, done);
  }

  _adopt(handle) {
    if (this._secured) super._adopt(handle);
    else {
      this.connecting = true;
      this._secure(handle);
    }
  }

  _connected() {} // comes with the handshake's end

  _secure(handle, head) {
    const options = this._tlsOptions;
    const isServer = !!options.isServer;
    const wanted = settings(options);
    if (!isServer) {
      const host = options.servername ?? options.host ?? this._host ?? 'localhost';
      wanted.servername ??= host;
      if (options.rejectUnauthorized === undefined && process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') wanted.rejectUnauthorized = false;
    }
    this._handshaking = handle;
    native.secure(handle, isServer, wanted, (error, session) => {
      this._handshaking = undefined;
      if (this.destroyed) {
        handle.close();
        return;
      }
      this.connecting = false;
      if (error) {
        handle.close();
        this.destroy(error);
        return;
      }
      this._secured = true;
      this._session = session;
      this.authorized = session.authorized;
      this.alpnProtocol = session.alpn || false;
      if (!this.authorized && !isServer) this.authorizationError = 'SELF_SIGNED_CERT';
      super._adopt(handle);
      this.emit('connect');
      this.emit(isServer ? 'secure' : 'secureConnect');
      this.emit('ready');
      if (!this.destroyed && !this.isPaused()) this.read(0);
    }, head);
  }

  _destroy(error, done) {
    this._handshaking?.close();
    super._destroy(error, done);
  }

  getProtocol() { return this._session?.protocol ?? null; }
  getCipher() { return { name: this._session?.cipher, standardName: this._session?.cipher, version: this._session?.protocol }; }
  getPeerCertificate() {
    const peer = this._session?.peer;
    return peer ? { ...peer, raw: Buffer.from(peer.raw) } : {};
  }

  getSession() { return undefined; }
  isSessionReused() { return false; }
  setServername(name) { this.servername = name; }
  renegotiate(options, callback) { process.nextTick(callback, coded(Error, 'ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation is not available')); }
}

function connect(...args) {
  const [options, callback] = normalize(args);
  const all = typeof args[1] === 'object' ? { ...options, ...args[1] } : typeof args[2] === 'object' ? { ...options, ...args[2] } : options;
  const socket = new TLSSocket(all.socket, all);
  if (callback) socket.once('secureConnect', callback);
  if (all.timeout) socket.setTimeout(all.timeout);
  if (!all.socket) socket.connect([{ ...all }, null]);
  return socket;
}

class Server extends NetServer {
  constructor(options, listener) {
    if (typeof options === 'function') [options, listener] = [{}, options];
    super(options, undefined);
    this._tls = options ?? {};
    if (listener) this.on('secureConnection', listener);
    this.on('connection', (plain) => {
      plain.server = this;
      const socket = new TLSSocket(plain, { ...this._tls, isServer: true });
      socket.server = this;
      socket.once('secure', () => this.emit('secureConnection', socket));
      socket.once('error', (error) => { if (!socket._secured) this.emit('tlsClientError', error, socket); });
    });
  }

  setSecureContext(options) { Object.assign(this._tls, options); }
}

const createSecureContext = (options = {}) => ({ context: settings(options) });

function checkServerIdentity(host, cert) {
  const names = `${cert?.subjectaltname ?? ''}`.split(', ').map((n) => n.replace(/^(DNS|IP Address):/, '').toLowerCase());
  const name = host.toLowerCase();
  const fits = names.some((n) => n === name || (n.startsWith('*.') && name.split('.').slice(1).join('.') === n.slice(2) && !isIP(name)));
  if (fits) return undefined;
  return Object.assign(coded(Error, 'ERR_TLS_CERT_ALTNAME_INVALID',
    `Hostname/IP does not match certificate's altnames: Host: ${host}. is not in the cert's altnames: ${cert?.subjectaltname}`), { host, cert });
}

module.exports = {
  TLSSocket, Server, connect, createServer: (options, listener) => new Server(options, listener),
  createSecureContext, checkServerIdentity, settings,
  DEFAULT_MIN_VERSION: 'TLSv1.2', DEFAULT_MAX_VERSION: 'TLSv1.3', rootCertificates: [], getCiphers: () => [],
};
