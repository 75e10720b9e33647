'use strict';
// A pipeline script and what it is called with: its source and its context.
const EventEmitter = require('../node/events.js');
const { AbortController } = require('../internal/abort-controller.js');
const { inspect } = require('../node/util.js');
const { pack, unpack } = require('./message.js');
const media = require('./media.js');
const { caption } = require('./caption.js');
const { marker } = require('./marker.js');
const { coded } = require('../internal/errors.js');

const binding = internalBinding('script');

const levels = { debug: -4, info: 0, warn: 4, error: 8 };

function text(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ?? String(value);
  return inspect(value, { breakLength: Infinity });
}

// attributes are what follows the message: an object's properties, or whatever it is.
function attributes(rest) {
  const all = {};
  for (const item of rest) {
    if (item !== null && typeof item === 'object' && !(item instanceof Error) && !Array.isArray(item)) {
      for (const key of Object.keys(item)) all[key] = text(item[key]);
    } else {
      all.detail = 'detail' in all ? `${all.detail} ${text(item)}` : text(item);
    }
  }
  return all;
}

function makeLog() {
  const at = (level) => (message, ...rest) => binding.log(level, text(message), attributes(rest));
  const log = at(levels.info);
  for (const [name, level] of Object.entries(levels)) log[name] = at(level);
  return log;
}

const info = binding.info();
const topics = new EventEmitter();
topics.setMaxListeners(0);
const controller = new AbortController();

const stream = new EventEmitter();
stream.path = info.path;
stream.live = info.live;
stream.here = true;
stream.hls = Object.freeze(info.hls);

// What the script says of markers and subtitles goes the way of its messages to the app, under these names.
const marking = 'millrace:mark';
const captioning = 'millrace:caption';
let marks = 0;

function mark(said) {
  binding.send(marking, JSON.stringify(said), []);
}

const ctx = {
  log: makeLog(),
  stream,
  env: Object.freeze(info.env),
  signal: controller.signal,
  // Messages from the app; see stream.send() there.
  on(topic, listener) { topics.on(`topic ${topic}`, listener); return ctx; },
  once(topic, listener) { topics.once(`topic ${topic}`, listener); return ctx; },
  off(topic, listener) { topics.off(`topic ${topic}`, listener); return ctx; },
  // send gives a message to the app. Where the app is slower, the oldest are dropped.
  send(topic, value) {
    if ([marking, captioning].includes(`${topic}`)) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `${topic} is no topic of yours`);
    const { json, blobs } = pack(value);
    binding.send(String(topic), json, blobs);
  },
  // mark marks the stream, and gives the ID of the date range; what cannot be taken is in the server's log.
  mark(options) {
    const said = marker(options);
    if (!said.text && !said.private && !said.id3) {
      marks += 1;
      said.id ??= `script-${Date.now().toString(36)}-${marks}`;
    }
    mark({ marker: said, time: said.time });
    return said.id;
  },
  endMark(id, options) {
    if (typeof id !== 'string' || id === '') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'a date range is named by its id, a string');
    const end = marker(options);
    mark({ id, end, time: end.time });
  },
  // caption shows a text in the stream's subtitles; what cannot be taken is in the server's log.
  caption(options) { binding.send(captioning, JSON.stringify(caption(options)), []); },
  clock: Object.freeze({
    // now is the media time of the newest packet of the source, in seconds; wall is the date at which it arrived.
    now: () => binding.now(),
    wall: () => new Date(binding.wall()),
  }),
};

// start calls the script's function.
exports.start = (module) => {
  const run = typeof module === 'function' ? module : module.default?.default ?? module.default;
  if (typeof run !== 'function') {
    throw new TypeError('a pipeline script exports a function: export default async function (source, ctx) { … }');
  }
  Promise.resolve(run(media[Symbol.for('millrace.source')](), ctx)).then(undefined, (err) => binding.fail(err));
};

exports.hear = (topic, json, ...blobs) => { topics.emit(`topic ${topic}`, unpack(json, blobs)); };

exports.presence = (here) => {
  if (stream.here === here) return;
  stream.here = here;
  stream.emit(here ? 'back' : 'lost');
};

exports.abort = () => controller.abort();
