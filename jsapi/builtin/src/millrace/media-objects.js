'use strict';
// Packet and Frame: what flows between the stages. Their properties are the natives'; the methods stand here.
const native = internalBinding('media');
const { Buffer } = require('node:buffer');
const { custom } = require('node:util').inspect;

class Packet {
  constructor(init) { return native.newPacket(init); }

  /** Makes the payload this packet's alone, so that packet.data may be written to. */
  writable() { return native.writable(this); }

  /** Keeps the packet beyond the transform that was given it; close() gives it up. */
  retain() { return native.retain(this); }

  clone() { return native.clone(this); }

  close() { native.close(this); }

  get [Symbol.toStringTag]() { return 'Packet'; }

  [custom](depth, options, inspect) {
    const { kind, codec, pts, dts, duration, key, size } = this;
    return `Packet ${inspect({ kind, codec, pts, dts, duration, key, size }, options)}`;
  }
}

class Frame {
  constructor(init) { return native.newFrame(init); }

  /** Makes the memory this frame's alone, so that its planes may be written to. */
  writable() { return native.writable(this); }

  retain() { return native.retain(this); }

  clone() { return native.clone(this); }

  close() { native.close(this); }

  toJPEG({ quality } = {}) { return native.toJPEG(this, quality); }

  toPNG() { return native.toPNG(this); }

  scale(width, height, format) {
    if (typeof width === 'object' && width !== null) ({ width, height, format } = width);
    return native.scale(this, width, height, format);
  }

  diff(other) { return native.diff(this, other); }

  histogram() { return native.histogram(this); }

  levels() { return native.levels(this); }

  get [Symbol.toStringTag]() { return 'Frame'; }

  [custom](depth, options, inspect) {
    const shown = {};
    for (const key of Object.keys(this)) if (key !== 'planes' && key !== 'track') shown[key] = this[key];
    return `Frame ${inspect(shown, options)}`;
  }
}

native.setUp(Packet.prototype, Frame.prototype, (arrayBuffer) => Buffer.from(arrayBuffer));

module.exports = { Packet, Frame };
