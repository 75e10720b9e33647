// The engine drives one <video> by the machine in recovery.ts: it turns what
// hls.js and the video say into events, and commands into calls.

import Hls, { type ErrorData, type HlsConfig } from 'hls.js';
import { giveClearKeys } from './clearkey';
import { pace } from './pace';
import type { Place, Token } from './place';
import { reserved } from './reserve';
import { type Answer, type Command, type Event, initial, type Phase, type State, step } from './recovery';

const tick = 500; // ms

/** Bounded retries inside hls.js: what outlasts them is the machine's business. */
const retry = (maxNumRetry: number): HlsConfig['playlistLoadPolicy'] => ({
  default: {
    maxTimeToFirstByteMs: 20_000, // a blocked reload may take three target durations
    maxLoadTimeMs: 30_000,
    timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry, retryDelayMs: 500, maxRetryDelayMs: 2000, backoff: 'exponential' },
  },
});

export interface Watcher {
  phase(phase: Phase): void;
  levels(hls: Hls): void;
  sounds(hls: Hls): void;
}

export class Engine {
  hls: Hls | null = null;
  wrongToken = false;
  stalls = 0;
  private state: State = initial;
  private timer = 0;
  private answerCode = 0;
  private moved = { time: -1, at: 0 };
  private standing = false;
  private native = false; // no MediaSource: the browser plays HLS itself

  constructor(private readonly video: HTMLVideoElement, private readonly place: Place, private readonly token: Token, private readonly watcher: Watcher) {
    video.addEventListener('ended', () => this.send({ type: 'finished' }));
    video.addEventListener('error', () => this.native && this.send({ type: 'fatal', at: performance.now(), kind: 'network', what: 'manifest' }));
    for (const e of ['seeking', 'play']) video.addEventListener(e, () => this.watch());
    video.addEventListener('timeupdate', () => this.keepPace());
    setInterval(() => this.look(), tick);
  }

  get phase(): Phase {
    return this.state.phase;
  }

  start(): void {
    this.send({ type: 'start' });
  }

  /** To where a viewer of the live stream should be. */
  toLive(): void {
    const edge = this.liveEdge;
    if (edge !== null) this.video.currentTime = edge;
    void this.play();
  }

  /** Where playing live means to be, in media time. */
  get liveEdge(): number | null {
    if (this.hls) return this.hls.liveSyncPosition;
    const s = this.video.seekable;
    return s.length > 0 ? s.end(s.length - 1) : null;
  }

  get time(): number {
    return this.video.currentTime;
  }

  set time(t: number) {
    this.video.currentTime = t;
  }

  private send(e: Event): void {
    const before = `${this.state.phase} ${this.wrongToken}`;
    if (e.type === 'fatal' && e.status) this.wrongToken = e.status === 403;
    if (e.type === 'answer') this.wrongToken = this.answerCode === 403;
    const [next, commands] = step(this.state, e);
    this.state = next;
    for (const c of commands) this.obey(c);
    if (`${next.phase} ${this.wrongToken}` !== before) this.watcher.phase(next.phase);
  }

  private obey(c: Command): void {
    switch (c.do) {
      case 'load':
        return this.load();
      case 'unload':
        return this.unload();
      case 'resume':
        return this.hls?.startLoad();
      case 'recover':
        if (c.swap) this.hls?.swapAudioCodec();
        this.hls?.recoverMediaError();
        return void this.play();
      case 'jump':
        return this.toLive();
      case 'watch':
        return this.watch();
      case 'ask':
        return void this.ask();
      case 'wait':
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => this.send({ type: 'timer' }), c.ms * (0.9 + Math.random() * 0.2));
    }
  }

  private load(): void {
    clearTimeout(this.timer);
    this.unload();
    this.watch();
    if (!Hls.isSupported()) {
      this.native = true;
      this.video.src = this.place.source + (this.token.value ? `?token=${encodeURIComponent(this.token.value)}` : '');
      return void this.play();
    }
    const hls = new Hls({
      lowLatencyMode: true, // the distance to the live edge is what the playlist holds back
      backBufferLength: 30,
      maxBufferLength: 20,
      maxBufferSize: 40_000_000,
      abrEwmaDefaultEstimate: 3_000_000,
      enableInterstitialPlayback: false,
      manifestLoadPolicy: retry(0),
      playlistLoadPolicy: retry(4),
      fragLoadPolicy: retry(4),
      xhrSetup: (xhr, url) => {
        xhr.open('GET', url, true);
        if (this.token.value) xhr.setRequestHeader('Authorization', `Bearer ${this.token.value}`);
      },
    });
    // Given to the constructor it would have to come with a distance of our own.
    hls.config.liveMaxLatencyDurationCount = 8;
    if (this.place.source !== this.place.live) {
      // Who looks at the past wants to stay there.
      hls.config.liveMaxLatencyDurationCount = Number.POSITIVE_INFINITY;
    }
    this.hls = hls;
    let begun = false;
    const begin = () => {
      if (!begun && this.hls === hls) void this.play();
      begun = true;
    };
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.watcher.levels(hls));
    const look = () => {
      const details = hls.latestLevelDetails;
      if (details && reserved(details, buffered(this.video))) begin();
    };
    hls.on(Hls.Events.FRAG_BUFFERED, look);
    hls.on(Hls.Events.LEVEL_LOADED, look);
    hls.once(Hls.Events.LEVEL_LOADED, (_, { details }) => {
      setTimeout(begin, 2000 * details.targetduration); // there may be no more than that
    });
    hls.on(Hls.Events.LEVELS_UPDATED, () => this.watcher.levels(hls));
    hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => { // another coding of the sound brings levels of its own, too
      this.watcher.levels(hls);
      this.watcher.sounds(hls);
    });
    hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => this.watcher.sounds(hls));
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.hls === hls && this.send(fatal(data)));
    giveClearKeys(hls, this.video);
    hls.attachMedia(this.video);
    hls.loadSource(this.place.source);
  }

  private unload(): void {
    this.hls?.destroy();
    this.hls = null;
    if (this.native) {
      this.native = false;
      this.video.removeAttribute('src');
      this.video.load();
    }
  }

  /** Muted, every browser lets it start by itself; where not, the play button is there. */
  private async play(): Promise<void> {
    try {
      await this.video.play();
    } catch {
      // the viewer's turn, or replaced by another load
    }
  }

  private async ask(): Promise<void> {
    const [answer, code] = await this.stateOf();
    this.answerCode = code;
    this.send({ type: 'answer', answer });
  }

  private async stateOf(): Promise<[Answer, number]> {
    try {
      // A recording is there or not, whatever its stream does now.
      const r = await fetch(this.place.recording ? this.place.source : this.place.state, {
        headers: { Accept: 'application/json', ...(this.token.value ? { Authorization: `Bearer ${this.token.value}` } : {}) },
        cache: 'no-store',
        signal: AbortSignal.timeout(5000),
      });
      if (r.ok && this.place.recording) return [this.video.ended ? 'ended' : 'live', r.status];
      if (r.ok) return [((await r.json()) as { state: Answer }).state, r.status];
      if (r.status === 401 || r.status === 403) return ['denied', r.status];
      if (r.status === 400 || r.status === 404) return ['missing', r.status];
      return ['unreachable', r.status];
    } catch {
      return ['unreachable', 0];
    }
  }

  /** Who watches live comes back to the live edge, unnoticed. */
  private keepPace(): void {
    const { hls, video } = this;
    const details = hls?.latestLevelDetails;
    if (!hls || !details || hls.targetLatency === null || this.place.source !== this.place.live) return;
    const rate = pace({
      rate: video.playbackRate,
      beyond: details.live ? hls.latency - hls.targetLatency : 0,
      ahead: buffered(video),
      part: details.partTarget,
    });
    if (rate !== video.playbackRate) video.playbackRate = rate;
  }

  /** The stall clock starts anew. */
  private watch(): void {
    this.moved = { time: this.video.currentTime, at: performance.now() };
    this.standing = false;
  }

  /** Does the picture move? A paused one need not, nor one that waits for the viewer to press play. */
  private look(): void {
    const now = performance.now();
    const time = this.video.currentTime;
    if (time !== this.moved.time) {
      const forward = time > this.moved.time && !this.video.seeking;
      this.moved = { time, at: now };
      this.standing = false;
      if (forward) this.send({ type: 'progress', at: now });
      return;
    }
    if (this.video.paused && (this.state.shown || this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA)) return this.watch();
    const seconds = (now - this.moved.at) / 1000;
    if (seconds >= 1 && !this.standing && this.state.phase === 'playing') {
      this.standing = true;
      this.stalls++;
    }
    this.send({ type: 'stalled', at: now, seconds });
  }
}

/** Seconds that can be played without a pause. */
function buffered({ buffered: ranges, currentTime }: HTMLVideoElement): number {
  for (let i = 0; i < ranges.length; i++) {
    if (ranges.start(i) <= currentTime && currentTime < ranges.end(i)) return ranges.end(i) - currentTime;
  }
  return 0;
}

function fatal(data: ErrorData): Event {
  const details = data.details.toLowerCase();
  return {
    type: 'fatal',
    at: performance.now(),
    kind: data.type === Hls.ErrorTypes.NETWORK_ERROR ? 'network' : data.type === Hls.ErrorTypes.MEDIA_ERROR ? 'media' : 'other',
    what: details.startsWith('manifest') ? 'manifest' : details.startsWith('level') || details.includes('track') ? 'level' : 'fragment',
    ...(data.response?.code ? { status: data.response.code } : {}),
  };
}
