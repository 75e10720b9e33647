'use strict';
// The half of the module millrace that an app script uses: hooks, streams, a schedule, HTTP, WebSockets, Socket.IO.
const EventEmitter = require('node:events');
const { coded, check } = require('../internal/errors.js');
const { pack, unpack } = require('./message.js');
const { every, schedule } = require('./app-schedule.js');
const { caption } = require('./caption.js');
const { marker } = require('./marker.js');
const native = internalBinding('app');

const QUESTIONS = ['publish', 'read', 'view'];
const deciding = new Map(); // question -> [{ fn, timeout, onTimeout }]
const telling = []; // { pattern, matches, fn }
const topics = new EventEmitter();
topics.setMaxListeners(0);
let topicsWanted = false;
let told = false; // begin was called

function begin() {
  if (told) return;
  told = true;
  native.begin(decide, tell, hear, (...request) => require('./app-ws.js').upgraded(...request));
}

// register tells the server what the script listens to.
function register() {
  begin();
  native.hooks(
    [...deciding].flatMap(([name, list]) => [
      name, `${Math.max(...list.map((h) => h.timeout))}`, list.every((h) => h.onTimeout === 'allow') ? 'allow' : 'deny',
    ]),
    [...new Set(telling.map((t) => t.pattern))],
    topicsWanted,
  );
}

function milliseconds(value, name) {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  const m = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value);
  if (m) return m[1] * { ms: 1, s: 1000, m: 60e3, h: 3600e3, d: 86400e3 }[m[2]];
  throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `${name} is ${String(value)}; write milliseconds, or '500ms', '2s', '5m'`);
}

function known(name) {
  return QUESTIONS.includes(name) || name === 'segment' || name === '*' || /^[a-z*]+:[a-z*]+$/.test(name);
}

/** on(name[, options], fn): a question that fn decides, or an event that it is told of. */
function on(name, options, fn) {
  if (typeof options === 'function') [options, fn] = [{}, options];
  check.function(fn, 'fn');
  if (typeof name !== 'string' || !known(name)) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE',
      `there is no hook '${String(name)}': ${QUESTIONS.join(', ')} decide; segment, stream:live, viewer:join, worker:died, stream:* and * tell`);
  }
  if (QUESTIONS.includes(name)) {
    const { timeout = 2000, onTimeout = 'deny' } = options;
    if (onTimeout !== 'deny' && onTimeout !== 'allow') {
      throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `onTimeout is '${onTimeout}'; write 'deny' or 'allow'`);
    }
    const list = deciding.get(name) ?? [];
    list.push({ fn, timeout: milliseconds(timeout, 'timeout'), onTimeout });
    deciding.set(name, list);
  } else {
    const source = name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    telling.push({ pattern: name, matches: new RegExp(`^${source}$`), fn });
  }
  register();
}

function off(name, fn) {
  if (deciding.has(name)) {
    const rest = deciding.get(name).filter((h) => h.fn !== fn);
    if (rest.length > 0) deciding.set(name, rest);
    else deciding.delete(name);
  }
  for (let i = telling.length - 1; i >= 0; i--) {
    if (telling[i].pattern === name && telling[i].fn === fn) telling.splice(i, 1);
  }
  register();
}

// chosen puts a hook's pick of tracks as their places.
function chosen(picked, tracks, question) {
  if (picked === undefined) return undefined;
  const list = Array.isArray(picked) ? picked : [picked];
  const places = list.flatMap((item) => {
    if (Number.isInteger(item)) return [item];
    if (typeof item === 'object' && item !== null && Number.isInteger(item.index)) return [item.index];
    if (item === 'video' || item === 'audio') return tracks.filter((t) => t.kind === item).map((t) => t.index);
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `the ${question} hook picks track ${String(item)}; name video, audio, a place, or a track of session.tracks`);
  });
  return [...new Set(places)].sort((a, b) => a - b);
}

async function asked(question, session) {
  session.tracks?.forEach((t, index) => { t.index = index; });
  const answer = {};
  for (const { fn } of deciding.get(question) ?? []) {
    const said = await fn(session);
    if (said === false) throw Object.assign(new Error(`not allowed to ${question} ${session.path}`), { stack: '' });
    if (said === null || typeof said !== 'object') continue;
    for (const key of Object.keys(said)) {
      if (!['path', 'tracks', 'ladder', 'pipeline'].includes(key)) {
        throw coded(TypeError, 'ERR_INVALID_RETURN_PROPERTY', `the ${question} hook returned ${key}; path, tracks, ladder and pipeline are understood`);
      }
    }
    if (said.path !== undefined) answer.path = String(said.path);
    if (said.tracks !== undefined) answer.tracks = chosen(said.tracks, session.tracks ?? [], question);
    if (said.ladder !== undefined) answer.ladder = typeof said.ladder === 'string' ? said.ladder : JSON.stringify(said.ladder);
    if (said.pipeline !== undefined) answer.pipeline = native.resolve(String(said.pipeline));
  }
  return answer;
}

function decide(id, question, session) {
  asked(question, session).then(
    (answer) => native.answer(id, JSON.stringify(answer)),
    (error) => {
      const message = error instanceof Error ? error.message : String(error);
      const status = Number(error?.status ?? error?.statusCode) || 0;
      native.answer(id, null, message || `not allowed to ${question}`, status, error?.stack ? String(error.stack) : '');
    },
  );
}

/** Stream is one path of the server. */
class Stream {
  constructor(path, fields) {
    Object.assign(this, fields);
    this.path = path;
  }

  kick(reason) { return streams.kick(this.path, reason); }
  stop() { return streams.stop(this.path); }
  mark(options) { return streams.mark(this.path, options); }
  endMark(id, options) { return streams.endMark(this.path, id, options); }
  caption(options) { return streams.caption(this.path, options); }
  send(topic, value) { streams.send(this.path, topic, value); }
  on(topic, fn) {
    streams.on(topic, (value, stream) => { if (stream.path === this.path) fn(value, stream); });
    return this;
  }
}

function tell(text) {
  const { type, path, data, time, id, missed } = JSON.parse(text);
  if (missed) process.emitWarning?.(`${missed} events were dropped because the script was too slow`);
  for (const { matches, fn } of [...telling]) {
    if (!matches.test(type)) continue;
    const fields = { ...(data !== null && typeof data === 'object' ? data : { data }), type, time: new Date(time), id };
    fn(type.startsWith('stream:') ? new Stream(path, fields) : { ...fields, path });
  }
}

function hear(path, topic, text, blobs) {
  const value = unpack(text, blobs);
  if (topic === 'error' && topics.listenerCount('error') === 0) return;
  topics.emit(topic, value, new Stream(path));
}

const named = (path) => {
  if (typeof path === 'string' && path !== '') return path;
  throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `a stream is named by its path, a string; got ${typeof path}`);
};

const ask = (method, args) => JSON.parse(native.ask(method, JSON.stringify(args)));
const request = (method, args) => new Promise((resolve, reject) => {
  native.request(method, JSON.stringify(args), (error, text) => (error ? reject(error) : resolve(text && JSON.parse(text))));
});

const streams = {
  list: () => ask('list', {}).map((s) => new Stream(s.path, s)),
  get(path) {
    const found = ask('get', { path: named(path) });
    return found === null ? undefined : new Stream(path, found);
  },
  kick: async (path, reason) => { await request('kick', { path: named(path), reason: reason === undefined ? '' : String(reason) }); },
  async start(path, { source = '', ladder = '', pipeline = '' } = {}) {
    await request('start', {
      path: named(path), source: String(source), ladder: typeof ladder === 'string' ? ladder : JSON.stringify(ladder),
      pipeline: pipeline === '' ? '' : native.resolve(String(pipeline)),
    });
    return streams.get(path);
  },
  stop: async (path) => { await request('stop', { path: named(path) }); },
  mark: async (path, options) => request('mark', { path: named(path), marker: marker(options) }),
  async endMark(path, id, options) {
    check.string(id, 'id');
    return request('endMark', { path: named(path), id, end: marker(options) });
  },
  async caption(path, options) {
    const { subtitles, time, cue } = caption(options);
    if (time !== undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'time is for pipeline scripts; an app says start');
    return request('caption', { path: named(path), subtitles, cue });
  },
  markers: (path) => ask('markers', { path: named(path) }),
  /** send gives a pipeline script a value: structured clone, 1 MiB at most, the oldest dropped where it is too slow. */
  send(path, topic, value) {
    check.string(topic, 'topic');
    const { json, blobs } = pack(value);
    native.send(named(path), topic, json, blobs);
  },
  /** on hears what pipeline scripts send: fn(value, stream). */
  on(topic, fn) {
    check.string(topic, 'topic');
    topics.on(topic, fn);
    if (!topicsWanted) {
      topicsWanted = true;
      register();
    }
    return streams;
  },
  off(topic, fn) {
    topics.off(topic, fn);
    return streams;
  },
};

module.exports = {
  on, off, streams, Stream, every: (interval, fn) => every(milliseconds(interval, 'interval'), fn), schedule,
  get http() { begin(); return require('./app-http.js').http; },
  get io() { begin(); return require('./app-io.js').io; },
};
