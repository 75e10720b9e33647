'use strict';
// The media half of the module millrace.
const native = internalBinding('media');
const { Packet, Frame } = require('./media-objects.js');
const { MediaReadable, MediaWritable, MediaDuplex, kStage, dropped } = require('./media-streams.js');

/** Where media comes from: all tracks, and each of them as a stream of its own. */
class Source extends MediaReadable {
  #tracks = new Map();
  #list = []; // what is known still, when the source is gone
  #duration;

  constructor(made, opening) {
    super(made);
    this.once('end', () => [this.tracks, this.duration]);
    if (opening) this.#opening();
  }

  // Until it is open, a source may be awaited: `const source = await open(url)` has its tracks.
  #opening() {
    const opened = new Promise((resolve, reject) => {
      this.once('open', resolve);
      this.once('close', () => reject(this.errored ?? new Error('the source was closed')));
    });
    opened.catch(() => {});
    const settle = () => { delete this.then; };
    Object.defineProperty(this, 'then', {
      configurable: true,
      value(resolve, reject) {
        this.on('error', () => {}); // who awaits hears of it there
        return opened.then(() => { settle(); resolve(this); }, reject);
      },
    });
    this.once('open', settle);
  }

  /** The newest revision of each track; none while it is being opened. */
  get tracks() {
    if (!this.destroyed) this.#list = native.tracks(this[kStage].id);
    return this.#list;
  }

  /** In seconds, where it is known. */
  get duration() {
    if (!this.destroyed) this.#duration = native.duration(this[kStage].id);
    return this.#duration;
  }

  /** How many packets were lost to slow readers. */
  get dropped() {
    let n = dropped(this);
    for (const track of this.#tracks.values()) n += track.dropped;
    return n;
  }

  /** What happens where readers are too slow: block, dropNonRef, dropToKey, latest. */
  set overflow(name) { native.overflow(this[kStage].id, { overflow: name }); }

  get video() { return this.#branch('video', -1, 'video'); }

  get audio() { return this.#branch('audio', -1, 'audio'); }

  /** The stream of one track: track(source.tracks[2]). */
  track(track) {
    const id = typeof track === 'object' ? track.id : track;
    return this.#branch(`#${id}`, id, '');
  }

  #branch(name, id, kind) {
    let branch = this.#tracks.get(name);
    if (!branch) {
      branch = new Track(native.track(this[kStage].id, id, kind), this);
      this.#tracks.set(name, branch);
    }
    return branch;
  }

  // Nobody is left who would read: the source has nothing to go on for.
  trackClosed(track, error) {
    if (error && !this.destroyed) track.failed = true;
    const open = [...this.#tracks.values()].some((t) => t !== track && !t.destroyed);
    if (!open && !this[kStage].reads && this[kStage].links.size === 0 && !this.destroyed) process.nextTick(() => this.destroy());
  }

  _destroy(error, callback) {
    // At its end the tracks still have something to give.
    if (error || !this.readableEnded) for (const track of this.#tracks.values()) track.destroy(error);
    super._destroy(error, callback);
  }
}

/** One track of a source. */
class Track extends MediaReadable {
  constructor(made, parent) {
    super(made);
    Object.defineProperty(this, 'parent', { value: parent });
  }

  get tracks() { return this.destroyed ? [] : native.tracks(this[kStage].id); }

  get dropped() { return dropped(this); }
}

class Filter extends MediaDuplex {
  /** What comes out, by label: the filter itself. */
  get outputs() { return { 0: this }; }

  /** Changes the graph while it runs: command('drawtext', 'reinit', 'text=hello'). */
  command(target, name, argument = '') { native.command(this[kStage].id, target, name, argument); }
}

/** A filter with several outputs, each of them a stream of its own. */
class Split extends MediaWritable {
  constructor({ outputs, ...made }) {
    super(made);
    const all = {};
    for (const [name, output] of Object.entries(outputs)) all[name] = new Output(output, this);
    Object.defineProperty(this, 'outputs', { value: all, enumerable: true });
  }

  command(target, name, argument = '') { native.command(this[kStage].id, target, name, argument); }

  pipe() {
    const names = Object.keys(this.outputs).map((name) => (/^[a-z_$][\w$]*$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`));
    const error = new Error(`${this[kStage].label}: it has several outputs; pipe each: ${names.map((name) => `filter.outputs${name}`).join(', ')}`);
    throw Object.assign(error, { code: 'ERR_MEDIA_LINK', stage: 'filter', recoverable: false });
  }

  // Nobody is left who would read.
  trackClosed(output, error) {
    const open = Object.values(this.outputs).some((o) => o !== output && !o.destroyed);
    if (!open && !this.destroyed && !this.writableFinished) this.destroy(error);
  }

  _destroy(error, callback) {
    if (error || !this.writableFinished) for (const output of Object.values(this.outputs)) output.destroy(error);
    super._destroy(error, callback);
  }
}

/** One output of a filter. */
class Output extends MediaReadable {
  constructor(made, parent) {
    super(made);
    Object.defineProperty(this, 'parent', { value: parent });
  }
}

class Ladder extends MediaDuplex {
  /** How many packets were lost to slow readers. */
  get dropped() { return dropped(this); }
}

let given;

module.exports = {
  Packet,
  Frame,
  open: (url, options) => new Source(native.open(String(url), options), true),
  decode: (options) => new MediaDuplex(native.decode(options)),
  filter(graph, options) {
    const made = native.filter(graph, options);
    return made.outputs ? new Split(made) : new Filter(made);
  },
  encode: (options) => new MediaDuplex(native.encode(options)),
  ladder: (options) => new Ladder(native.ladder(options)),
  mux: (format, options) => new MediaDuplex(native.mux(format, options)),
  tee: (options) => new MediaDuplex(native.tee(options)),
  hls: (options) => new MediaWritable(native.hls(options)),
  record: (options) => new MediaWritable(native.record(typeof options === 'string' ? { file: options } : options)),
  snapshot: (options) => new MediaWritable(native.snapshot(typeof options === 'string' ? { file: options } : options)),
  probe: async (url) => native.probe(String(url)),
  options: (kind, name) => native.options(kind, name),
};

/** What a pipeline script is called with. */
Object.defineProperty(module.exports, Symbol.for('millrace.source'), {
  value: () => given ??= new Source(native.source()),
});
