'use strict';
// The classes behind every media stream: node:stream's own, each standing for a stage in Go. Where two of them are piped
// together, the link is Go's and nothing comes by here but its end; what anybody else reads or writes comes by here.
const { Readable, Writable, Duplex, finished, pipeline } = require('node:stream');
const native = internalBinding('media');
const { chainOf, fuse } = require('./media-fuse.js');

const kStage = Symbol('millrace.stage');

const stageOf = (stream) => stream?.[kStage];

/** mediaError is an error of wiring, thrown where the script wires. */
function linkError(from, to, why) {
  const error = new Error(`${from.label} -> ${to.label}: ${why}`);
  error.code = 'ERR_MEDIA_LINK';
  error.stage = to.kind;
  error.recoverable = false;
  return error;
}

const remedy = {
  'packets>frames': 'decode() makes frames of packets: put it between them',
  'frames>packets': 'encode() makes packets of frames: put it between them',
};

function checkLink(from, to) {
  if (!to.takes) throw linkError(from, to, `${to.kind}() takes nothing: it is where a chain begins`);
  if (to.kind === 'hls' && from.gives !== 'bytes') return;
  if (from.kind === 'ladder' && to.kind === 'ladder') {
    throw linkError(from, to, 'behind ladder() stands what takes coded packets: hls(), mux(), record(), decode(), tee(), a Transform; another ladder does not');
  }
  if (from.kind === 'ladder' && to.takes === 'frames') {
    throw linkError(from, to, `ladder() gives coded packets, and ${to.kind}() takes frames; what changes the picture stands before the ladder`);
  }
  if (from.gives === 'packets or frames' || to.takes === 'packets or frames' || from.gives === to.takes) return;
  throw linkError(from, to, `${from.kind}() gives ${from.gives}, and ${to.kind}() takes ${to.takes}; ${
    remedy[`${from.gives}>${to.takes}`] ?? 'they cannot be joined'}`);
}

let names = 0;
const foreign = new WeakMap();

/** nameOf is what a stream is called in the graph, and its label. */
function nameOf(stream) {
  const stage = stageOf(stream);
  if (stage) return [`stage${stage.id}`, stage.label];
  if (!foreign.has(stream)) foreign.set(stream, `js${++names}`);
  return [foreign.get(stream), stream.constructor?.name ?? 'stream'];
}

/** draw notes a pipe for --dot, and what is known to hang on it. */
function draw(from, to, depth = 0) {
  native.edge(...nameOf(from), ...nameOf(to));
  if (stageOf(to) || depth > 16) return;
  for (const next of to._readableState?.pipes ?? []) draw(to, next, depth + 1);
}

/** Listeners for 'error' that the stream library adds itself, told by their text: they do not mean that the script sees to it. */
let librarys;
function libraryListeners() {
  if (!librarys) {
    librarys = new Set();
    const probe = new Duplex({ read() {}, write() {} });
    const target = new Writable({ write() {} });
    finished(probe, () => {});
    probe.pipe(target);
    pipeline(probe, target, () => {});
    for (const stream of [probe, target]) for (const f of stream.listeners('error')) librarys.add(String(f));
    probe.destroy();
    target.destroy();
  }
  return librarys;
}

/** watch makes a stream follow its stage. */
function watch(stream, made) {
  stream[kStage] = {
    ...made, links: new Map(), reads: false, waiting: false, readOver: false, over: false, // the reading side
    sources: new Set(), feeder: '', justEnded: false, finalCallback: null, finished: false, // the writing side
  };
  const stage = stream[kStage];
  native.listen(stage.id, (event, value) => {
    if (event === 'done') {
      stage.finished = true;
      const callback = stage.finalCallback;
      stage.finalCallback = null;
      callback?.();
      if (!made.takes && !stage.reads && stage.links.size === 0) endReading(stream);
      return;
    }
    if (event === 'error') {
      stream.destroy(value);
      return;
    }
    stream.emit(event, value);
  });
  stream.on('newListener', (event, f) => {
    if (event === 'error' && !stage.handled && !libraryListeners().has(String(f.listener ?? f))) {
      stage.handled = true;
      native.handles(stage.id, true);
    }
  });
  if (made.takes) {
    stream.on('pipe', (source) => follow(stream, source));
    stream.on('unpipe', (source) => {
      stage.sources.delete(source);
      feeders(stage);
    });
  }
}

/** feeders notes the one stream of the script's that writes to a stage; '' where there are several, or none is known. */
function feeders(stage) {
  const scripts = [...stage.sources].filter((source) => !stageOf(source));
  stage.feeder = scripts.length === 1 ? nameOf(scripts[0])[0] : '';
}

/** follow remembers what is piped into a stream, so that the end of one of several does not end it. */
function follow(stream, source) {
  const stage = stream[kStage];
  if (stage.sources.has(source)) return;
  stage.sources.add(source);
  if (!stageOf(source)) native.expect(stage.id, nameOf(source)[0]);
  feeders(stage);
  source.prependOnceListener('end', () => {
    if (!stage.sources.delete(source)) return;
    feeders(stage);
    stage.justEnded = true;
    process.nextTick(() => { stage.justEnded = false; });
  });
}

const reading = {
  _read() {
    const stage = this[kStage];
    stage.reads = true;
    if (stage.waiting || stage.readOver) return;
    let got;
    try {
      got = native.read(stage.id, Math.max(1, this.readableHighWaterMark - this.readableLength || 1));
    } catch (error) {
      this.destroy(error);
      return;
    }
    if (got === undefined) {
      stage.waiting = true;
      native.whenReadable(stage.id, () => {
        stage.waiting = false;
        if (!this.destroyed) this._read();
      });
    } else if (got === null) {
      stage.readOver = true;
      mayEnd(this);
    } else {
      for (const object of got) this.push(object);
    }
  },

  pipe(dest, options) {
    const stage = this[kStage];
    const to = stageOf(dest);
    if (to) {
      checkLink(stage, to);
      native.settle(stage.id, to.id);
    } else if (!chainCandidate(dest)) {
      draw(this, dest);
      return Readable.prototype.pipe.call(this, dest, options);
    }
    const link = { dest, options, end: options?.end !== false, joined: 0, fused: null, library: false, over: false };
    stage.links.set(dest, link);
    dest.emit('pipe', this);
    link.onend = () => { if (link.end && !link.library) dest.end(); };
    link.onclose = () => { if (!link.library) this.unpipe(dest); };
    this.once('end', link.onend);
    dest.once('close', link.onclose);
    process.nextTick(() => decide(this, link));
    return dest;
  },

  unpipe(dest) {
    const stage = this[kStage];
    const links = dest === undefined ? [...stage.links.values()] : [stage.links.get(dest)].filter(Boolean);
    for (const link of links) {
      stage.links.delete(link.dest);
      if (link.library) continue;
      this.removeListener('end', link.onend);
      link.dest.removeListener('close', link.onclose);
      if (link.joined) native.unlink(link.joined);
      link.fused?.stop();
      link.dest.emit('unpipe', this, { hasUnpiped: false });
    }
    return Readable.prototype.unpipe.call(this, dest);
  },
};

/** chainCandidate tells a Transform of the script's own, whose neighbours may turn out to be ours. */
function chainCandidate(dest) { return chainOf(dest, stageOf, true) !== null; }

/** decide makes the link that pipe() asked for: once everything that is wired in this turn is. */
function decide(source, link) {
  const stage = source[kStage];
  if (stage.links.get(link.dest) !== link || source.destroyed || link.dest.destroyed) return;
  draw(source, link.dest);
  const to = stageOf(link.dest);
  if (to) {
    link.joined = native.link(stage.id, to.id, () => {
      link.over = true;
      mayEnd(source);
    });
    return;
  }
  const chain = chainOf(link.dest, stageOf, false);
  if (chain === null) {
    toLibrary(source, link);
    return;
  }
  link.fused = fuse(stage.id, stageOf(chain.dest)?.id, chain, nameOf(chain.steps.at(-1))[0], {
    over() {
      link.over = true;
      mayEnd(source);
    },
    undo() { // the script does something that the fast path does not know
      link.fused = null;
      if (stage.links.get(link.dest) === link) toLibrary(source, link);
    },
  });
}

/** toLibrary leaves a link to the stream library. */
function toLibrary(source, link) {
  source[kStage].links.delete(link.dest);
  source.removeListener('end', link.onend);
  link.dest.removeListener('close', link.onclose);
  link.library = true;
  const { emit } = link.dest;
  const own = Object.hasOwn(link.dest, 'emit');
  link.dest.emit = function (event, ...args) { return event === 'pipe' ? true : emit.call(this, event, ...args); };
  try {
    Readable.prototype.pipe.call(source, link.dest, link.options);
  } finally {
    if (own) link.dest.emit = emit;
    else delete link.dest.emit;
  }
}

/** mayEnd ends the reading side when everybody who reads has had everything. */
function mayEnd(stream) {
  const stage = stream[kStage];
  if (stage.over || stream.destroyed || stage.reads && !stage.readOver) return;
  const late = [...stage.links.values()].filter((link) => !link.over);
  if (late.length === 0) {
    endReading(stream);
  } else if (stage.lossy && late.length < stage.links.size && !stage.leaving) {
    stage.leaving = setTimeout(() => {
      for (const link of late) leave(link);
      mayEnd(stream);
    }, grace);
  }
}

// How long a lossy tee that has ended waits for its slower branches.
const grace = 500;

function leave(link) {
  if (link.joined) native.unlink(link.joined);
  link.fused?.stop();
  link.over = true;
}

function endReading(stream) {
  const stage = stream[kStage];
  if (stage.over || stream.destroyed) return;
  stage.over = true;
  stream.push(null);
  if (!stage.reads) stream.read();
}

const writing = {
  _write(object, encoding, callback) {
    const stage = this[kStage];
    let shared = false; // somebody else is given the same object
    for (const source of stage.sources) {
      const pipes = source._readableState?.pipes.length ?? 0;
      if (pipes > 1 || source.listenerCount('data') > pipes) shared = true;
    }
    let room;
    try {
      room = native.write(stage.id, object, shared, callback, stage.feeder);
    } catch (error) {
      callback(error);
      return;
    }
    if (room) callback();
  },

  _final(callback) {
    const stage = this[kStage];
    stage.finalCallback = callback;
    native.end(stage.id);
  },

  end(...args) {
    const stage = this[kStage];
    if (stage.justEnded && stage.sources.size > 0 && args.length === 0) return this;
    return Writable.prototype.end.apply(this, args);
  },
};

const both = {
  _destroy(error, callback) {
    const stage = this[kStage];
    for (const link of [...stage.links.values()]) {
      if (link.joined) native.unlink(link.joined);
      link.fused?.stop();
    }
    stage.links.clear();
    stage.dropped = native.dropped(stage.id);
    this.parent?.trackClosed(this, error);
    native.destroy(stage.id, () => callback(error));
  },
};

function mix(Class, ...parts) {
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      Object.defineProperty(Class.prototype, name, { value, writable: true, configurable: true });
    }
  }
}

const waiting = { packets: 32, frames: 4 };
const highWaterMark = (form) => waiting[form] ?? 16;

/** A stage that gives: a source, or one of its tracks. */
class MediaReadable extends Readable {
  constructor(made) {
    super({ objectMode: made.gives !== 'bytes', highWaterMark: highWaterMark(made.gives) });
    watch(this, made);
  }
}
mix(MediaReadable, reading, both);

/** A stage that takes: a sink. */
class MediaWritable extends Writable {
  constructor(made) {
    super({ objectMode: true, highWaterMark: highWaterMark(made.takes) });
    watch(this, made);
  }
}
mix(MediaWritable, writing, both);

/** A stage that takes and gives. */
class MediaDuplex extends Duplex {
  constructor(made) {
    super({
      writableObjectMode: true, writableHighWaterMark: highWaterMark(made.takes),
      readableObjectMode: made.gives !== 'bytes', ...(made.gives === 'bytes' ? {} : { readableHighWaterMark: highWaterMark(made.gives) }),
    });
    watch(this, made);
  }
}
mix(MediaDuplex, reading, writing, both);

/** dropped is how much a stage's readers lost, when it is gone too. */
const dropped = (stream) => (stream.destroyed ? stream[kStage].dropped ?? 0 : native.dropped(stream[kStage].id));

module.exports = { MediaReadable, MediaWritable, MediaDuplex, stageOf, kStage, dropped };
