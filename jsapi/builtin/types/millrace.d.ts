// Types of the module `millrace`. `millrace run --types > millrace.d.ts` writes this file beside a script; docs/javascript.md
// of the repository explains what is declared here. Needs @types/node.
/// <reference types="node" />

declare module 'millrace' {
  import { Duplex, Readable, Writable } from 'node:stream';
  import { EventEmitter } from 'node:events';
  import { IncomingMessage, ServerResponse } from 'node:http';

  // ---- Media: pipeline scripts, and millrace run ----------------------------------------------------------------------

  type Kind = 'video' | 'audio';

  /** A length of time: '2s', '500ms', or a number of seconds. */
  type Length = string | number;

  /** Bits a second: 2500000, '2500k' or '2.5M'. */
  type Bitrate = string | number;

  /** What happens where a reader is slower than its live source. Files always block. */
  type Overflow = 'block' | 'dropNonRef' | 'dropToKey' | 'latest';

  /** One elementary stream. A change of its parameters makes a new object. */
  interface Track {
    readonly id: number;
    readonly kind: Kind;
    /** h264, h265, av1, vp9, aac, opus … */
    readonly codec: string;
    /** Ticks a second of pts, dts and duration. */
    readonly clockRate: number;
    readonly width?: number;
    readonly height?: number;
    readonly rotation?: number;
    readonly frameRate?: number;
    readonly sampleRate?: number;
    readonly channels?: number;
    readonly language?: string;
    readonly bitrate?: number;
    /** The decoder's configuration: avcC, hvcC, AudioSpecificConfig. */
    readonly config?: Buffer;
  }

  /** One of what a ladder makes. */
  interface Rendition {
    readonly name: string;
    readonly kind: Kind;
    readonly codec: string;
    /** It is the source's, as it came. */
    readonly copy: boolean;
    readonly width?: number;
    readonly height?: number;
    readonly frameRate?: number;
    readonly sampleRate?: number;
    readonly channels?: number;
    readonly bitrate?: number;
  }

  interface PacketInit {
    /** A track of a source or of another packet, or a description of one. */
    track?: Track | { kind: Kind; codec: string; clockRate: number; [property: string]: unknown };
    /** A packet whose values hold where none are given here. */
    like?: Packet;
    pts?: number;
    dts?: number;
    /** In seconds, in place of pts. */
    time?: number;
    duration?: number;
    key?: boolean;
    epoch?: number;
    data?: Uint8Array;
  }

  /** One coded access unit. */
  class Packet {
    constructor(init: PacketInit | Packet);
    readonly kind: Kind;
    readonly codec: string;
    track: Track;
    /** In ticks of track.clockRate. */
    pts: number;
    dts: number;
    duration: number;
    /** pts in seconds; setting it moves dts along. */
    time: number;
    key: boolean;
    /** Bytes of the payload. */
    readonly size: number;
    /** Of a packet that a ladder made: which of its renditions it belongs to. */
    readonly rendition?: Rendition;
    /** Grows where the time of the source breaks. */
    epoch: number;
    /** The payload, without a copy. Assign to replace it; call writable() before writing into it. */
    data: Buffer;
    /** Makes the payload this packet's alone, copying where others have it too. */
    writable(): this;
    /** Keeps the packet beyond the transform that was given it. */
    retain(): this;
    clone(): Packet;
    /** Gives the packet up; its Buffer throws from then on. */
    close(): void;
  }

  interface Plane {
    readonly data: Buffer;
    /** Bytes a line. */
    readonly stride: number;
  }

  interface PictureInit { width: number; height: number; format?: string }
  interface SoundInit { samples: number; sampleRate?: number; channels?: number }
  type FrameInit = (PictureInit | SoundInit) & { track?: Track; clockRate?: number; pts?: number; time?: number; epoch?: number; forceKey?: boolean };

  /** One decoded picture, or a run of samples. */
  class Frame {
    /** A black picture, or silence as planar floats. */
    constructor(init: FrameInit);
    readonly kind: Kind;
    /** What it was decoded from. */
    readonly track?: Track;
    readonly clockRate: number;
    pts: number;
    /** pts in seconds. */
    time: number;
    epoch: number;
    /** libav's name: yuv420p, rgba, fltp … */
    readonly format: string;
    readonly width: number;
    readonly height: number;
    readonly key: boolean;
    /** Makes the encoder put a keyframe here. */
    forceKey: boolean;
    readonly samples: number;
    readonly sampleRate: number;
    readonly channels: number;
    /** Bytes of all planes. */
    readonly size: number;
    readonly planes: Plane[];
    writable(): this;
    retain(): this;
    clone(): Frame;
    close(): void;
    toJPEG(options?: { quality?: number }): Promise<Buffer>;
    toPNG(): Promise<Buffer>;
    /** 0 keeps the aspect. */
    scale(width: number, height: number, format?: string): Promise<Frame>;
    scale(to: { width?: number; height?: number; format?: string }): Promise<Frame>;
    /** How different two pictures are, from 0 to 1. */
    diff(other: Frame): Promise<number>;
    /** Brightness in 256 steps. */
    histogram(): Promise<number[]>;
    /** Loudness of each channel in dBFS; silence is -Infinity. */
    levels(): Promise<{ rms: number[]; peak: number[] }>;
  }

  interface MediaError extends Error {
    code: string;
    /** decode, filter, encode … */
    stage: string;
    /** The path of the stream, or the file. */
    stream: string;
    /** The stage goes on after a restart, with a discontinuity; it does so by itself unless somebody listens to 'error'. */
    recoverable: boolean;
  }

  /** One track of a source. */
  interface TrackStream extends Readable {
    readonly tracks: Track[];
    /** Packets lost to slow readers. */
    readonly dropped: number;
  }

  /** Where media comes from: a stream of the packets of all tracks. */
  interface Source extends Readable {
    readonly tracks: Track[];
    /** The first track of its kind. */
    readonly video: TrackStream;
    readonly audio: TrackStream;
    /** Another one, by its number or one of `tracks`. */
    track(which: Track | number): TrackStream;
    /** In seconds, where it is known. */
    readonly duration: number | undefined;
    readonly dropped: number;
    overflow: Overflow;
    on(event: 'open', listener: () => void): this;
    on(event: string, listener: (...args: any[]) => void): this;
  }

  interface Filter extends Duplex {
    /** What comes out of a graph with several open outputs ('split=2[a][b]'), by label or number: pipe each of these. */
    readonly outputs: Record<string, Readable>;
    /** Changes the graph while it runs, with the next frame: command('drawtext', 'reinit', 'text=hello'). */
    command(target: string, name: string, argument?: string): void;
  }

  /** AVOptions of libav by name, checked against its tables when the script runs. */
  interface AVOptions { [option: string]: unknown; options?: Record<string, string | number | boolean> }

  interface OpenOptions extends AVOptions { format?: string; live?: boolean; overflow?: Overflow }
  interface DecoderOptions extends AVOptions { codec?: string; threads?: number; lowLatency?: boolean }
  interface EncoderOptions extends AVOptions {
    /** libx264, aac, libopus …; options('encoder') lists them. */
    codec: string;
    bitrate?: Bitrate;
    fps?: number | string;
    threads?: number;
    lowLatency?: boolean;
    /** The longest distance of keyframes. */
    gop?: Length;
  }

  interface Rung { name?: string; height?: number; width?: number; bitrate?: Bitrate; fps?: number | string; codec?: string }
  type LadderOptions = 'auto' | 'passthrough' | Array<Rung | 'copy'> | { rungs?: Array<Rung | 'copy'>; preset?: string; threads?: number };

  interface HLSOptions { segment?: Length; part?: Length; window?: Length; dvr?: Length; container?: 'fmp4' | 'ts'; lowLatency?: boolean }

  interface RecordOptions extends AVOptions { file: string; format?: string }

  interface SnapshotOptions {
    /** %d is the number of the picture; without a file only the event tells. */
    file?: string;
    format?: 'jpeg' | 'png';
    quality?: number;
    width?: number;
    height?: number;
    /** The shortest distance of two pictures. */
    every?: Length;
    /** How many are taken. */
    count?: number;
  }
  interface Snapshot { number: number; time: number; data: Buffer; file?: string }
  interface SnapshotStream extends Writable {
    on(event: 'snapshot', listener: (snapshot: Snapshot) => void): this;
    on(event: string, listener: (...args: any[]) => void): this;
  }

  interface OptionInfo { name: string; help: string; type: string; default: string; min?: number; max?: number; values?: string[] }
  type OptionKind = 'decoder' | 'encoder' | 'filter' | 'muxer' | 'demuxer';

  /** A file or URL. `await open(url)` has its tracks. */
  function open(url: string, options?: OpenOptions): Source & PromiseLike<Source>;
  /** Packets to frames. */
  function decode(options?: DecoderOptions & { video?: DecoderOptions; audio?: DecoderOptions }): Duplex;
  /** Frames through a libavfilter graph: 'scale=640:-2'. */
  function filter(graph: string): Filter;
  /** Frames to packets: of one kind, or of both where each has its options. */
  function encode(options: EncoderOptions | { video?: EncoderOptions; audio?: EncoderOptions }): Duplex;
  /** Packets or frames to the coded packets of a ladder's renditions, each with its packet.rendition. */
  function ladder(options?: LadderOptions): Duplex & { readonly dropped: number };
  /** The stream's HLS presentation. */
  function hls(options?: HLSOptions): Writable;
  /** Packets to the bytes of a container: 'mp4', 'matroska', 'mpegts', 'flv' … */
  function mux(format: string, options?: AVOptions): Duplex;
  /** Packets to a file. */
  function record(options: string | RecordOptions): Writable;
  /** Pictures of frames, or of keyframes. */
  function snapshot(options?: string | SnapshotOptions): SnapshotStream;
  /** Several readers of one stream; a lossy one's slow readers lose objects and hold up nobody. */
  function tee(options?: { lossy?: boolean }): Duplex;
  /** What is in a file or URL. */
  function probe(url: string): Promise<{ tracks: Track[]; duration?: number }>;
  /** The names of libav's parts, or the options of one. */
  function options(kind: OptionKind): string[];
  function options(kind: OptionKind, name: string): OptionInfo[];

  interface Log {
    (message: string, ...details: unknown[]): void;
    debug(message: string, ...details: unknown[]): void;
    info(message: string, ...details: unknown[]): void;
    warn(message: string, ...details: unknown[]): void;
    error(message: string, ...details: unknown[]): void;
  }

  /** What a pipeline script gets beside its source. */
  /** A date range of the playlists; or timed metadata, where text, private or id3 is set. */
  interface Marker {
    /** Names the date range; made where it is left out. The same one again adds to what is known of it. */
    id?: string;
    class?: string;
    /** 'now' unless set; a Date, the text of one, or a distance from now such as '+5s'. */
    start?: Date | string;
    /** Seconds. An instant where this, planned, open and endOnNext are left out. */
    duration?: number;
    /** Seconds that it is meant to last; it goes on until it is ended. */
    planned?: number;
    /** It goes on until it is ended. */
    open?: boolean;
    /** It ends where the next one of its class begins. */
    endOnNext?: boolean;
    /** By names that begin with X-. */
    attributes?: Record<string, string | number>;
    /** splice_info_sections: bytes, or base64. */
    scte35?: { command?: Uint8Array | string; out?: Uint8Array | string; in?: Uint8Array | string };
    /** TXXX frames of an ID3 tag, by name. */
    text?: Record<string, string>;
    /** A PRIV frame of an ID3 tag. */
    private?: { owner: string; data: Uint8Array | string };
    /** A whole ID3v2 tag. */
    id3?: Uint8Array | string;
  }

  interface MarkerEnd {
    /** 'now' unless set; a Date, the text of one, or a distance from now such as '-1s'. */
    end?: Date | string;
    /** Seconds that it has lasted, in place of end. */
    duration?: number;
    attributes?: Record<string, string | number>;
    scte35?: Marker['scte35'];
  }

  interface Marked {
    id?: string;
    class?: string;
    kind: 'daterange' | 'metadata';
    /** By the dates of the playlists, as RFC 3339 writes it. */
    start?: string;
    /** Seconds; left out while it is not known. */
    duration?: number;
    planned?: number;
    endOnNext?: boolean;
    attributes?: Record<string, string | number>;
    scte35?: { command?: string; out?: string; in?: string };
  }

  /** A text in a stream's subtitles. */
  interface Caption {
    /** Which of hls.subtitles: the language, with -sdh and -forced behind it where they are set: 'en', 'de-sdh'. */
    subtitles: string;
    /** Plain, its lines separated by \n; 1000 bytes and 8 lines at most. */
    text: string;
    /** 'now' unless set; a Date, the text of one, or a distance from now such as '-1.5s'. What comes late is shown from when it can be. */
    start?: Date | string;
    /** Seconds; as long as it takes to read where it is left out. */
    duration?: number;
    /** Percent of the picture, from above. */
    line?: number;
    /** Percent of the picture, from the left. */
    position?: number;
    align?: 'start' | 'center' | 'end' | 'left' | 'right';
  }

  interface Captioned {
    subtitles: string;
    text: string;
    /** By the dates of the playlists, as RFC 3339 writes it; left out before the stream has media. */
    start?: string;
    /** Seconds. */
    duration: number;
  }

  interface Context {
    /** To the server's log, with the stream's name. */
    readonly log: Log;
    /** Emits 'lost' when the publisher leaves, 'back' when one is there again. */
    readonly stream: EventEmitter & { readonly path: string; readonly live: boolean; readonly here: boolean; readonly hls: HLSOptions };
    /** The variables that the configuration's `env` names. */
    readonly env: Readonly<Record<string, string>>;
    /** Aborts when the script is to end. */
    readonly signal: AbortSignal;
    /** Messages of the app: stream.send(topic, value) there. */
    on(topic: string, listener: (value: any) => void): this;
    once(topic: string, listener: (value: any) => void): this;
    off(topic: string, listener: (value: any) => void): this;
    /** A message to the app. */
    send(topic: string, value: unknown): void;
    /**
     * Marks the stream, and gives the ID of a date range. time is that of a packet, in seconds (packet.time), in place of start.
     * What cannot be taken is in the server's log.
     */
    mark(options: Marker & { time?: number }): string | undefined;
    endMark(id: string, options?: MarkerEnd & { time?: number }): void;
    /** Shows a text in the stream's subtitles, at the time of a packet where time is set. What cannot be taken is in the server's log. */
    caption(options: Caption & { time?: number }): void;
    readonly clock: {
      /** The time of the source's newest packet, in seconds. */
      now(): number;
      /** When it arrived. */
      wall(): Date;
    };
  }

  /** export default of a pipeline script. */
  type Pipeline = (source: Source, ctx: Context) => void | Promise<void>;

  // ---- The app: hooks, streams, times, HTTP, WebSockets, Socket.IO ----------------------------------------------------

  interface SessionTrack {
    readonly index: number;
    readonly kind: Kind;
    readonly codec: string;
    readonly width?: number;
    readonly height?: number;
    readonly fps?: number;
    readonly sampleRate?: number;
    readonly channels?: number;
    readonly language?: string;
  }

  /** Somebody who asks to publish, read or view. */
  interface Session {
    readonly path: string;
    /** rtsp, hls … */
    readonly protocol: string;
    /** Address and port. */
    readonly remote: string;
    readonly ip: string;
    readonly userAgent: string;
    readonly query: Record<string, string>;
    readonly user?: string;
    readonly password?: string;
    /** On this machine. */
    readonly local: boolean;
    /** What a publisher offers. */
    readonly tracks?: SessionTrack[];
  }

  /** How somebody is let in; what is left out stays as it is. */
  interface Grant {
    /** Another stream than the one asked for. */
    path?: string;
    /** Of a publisher: the tracks that are taken. */
    tracks?: Kind | number | SessionTrack | Array<Kind | number | SessionTrack>;
    ladder?: 'auto' | 'passthrough' | Rung[];
    /** A pipeline script, relative to the app's. */
    pipeline?: string;
  }

  interface HookOptions {
    /** 2 s unless set. */
    timeout?: string | number;
    /** What holds when nobody has answered by then; 'deny' unless set. */
    onTimeout?: 'deny' | 'allow';
  }

  type Decision = Grant | boolean | void;
  /** Decides: a throw, or false, refuses. An error's `status` 401 asks for credentials. */
  function on(question: 'publish' | 'read' | 'view', decide: (session: Session) => Decision | Promise<Decision>): void;
  function on(question: 'publish' | 'read' | 'view', options: HookOptions, decide: (session: Session) => Decision | Promise<Decision>): void;
  /** Tells: stream:live, stream:lost, stream:ended, stream:failed, viewer:join, worker:died …, stream:*, *. */
  function on(event: `stream:${string}`, told: (stream: Stream & { type: string; time: Date; id: number; reason?: string }) => void): void;
  function on(event: string, told: (event: { type: string; time: Date; id: number; path?: string; [data: string]: any }) => void): void;
  function off(name: string, fn: (...args: any[]) => any): void;

  /** One stream of the server. Beside what is declared it has the fields of the API's /api/v1/streams. */
  class Stream {
    constructor(path: string, fields?: object);
    path: string;
    /** waiting, live, lost, ended, failed. */
    state: string;
    viewers: number;
    readers: number;
    tracks: Array<Omit<SessionTrack, 'index'> & { id: number }>;
    [field: string]: any;
    kick(reason?: string): Promise<void>;
    stop(): Promise<void>;
    /** Puts a date range into the playlists, or timed metadata into the media. */
    mark(options?: Marker): Promise<Marked>;
    /** Ends a date range that goes on. */
    endMark(id: string, options?: MarkerEnd): Promise<Marked>;
    /** Shows a text in its subtitles. */
    caption(options: Caption): Promise<Captioned>;
    /** To the stream's pipeline script: ctx.on(topic, …) there. */
    send(topic: string, value: unknown): void;
    /** From it: ctx.send(topic, value) there. */
    on(topic: string, fn: (value: any, stream: Stream) => void): this;
  }

  const streams: {
    list(): Stream[];
    get(path: string): Stream | undefined;
    /** Ends the publisher's session. */
    kick(path: string, reason?: string): Promise<void>;
    /** A stream that the configuration does not have. */
    start(path: string, options?: { source?: string; ladder?: 'auto' | 'passthrough' | Rung[]; pipeline?: string }): Promise<Stream | undefined>;
    stop(path: string): Promise<void>;
    mark(path: string, options?: Marker): Promise<Marked>;
    endMark(path: string, id: string, options?: MarkerEnd): Promise<Marked>;
    caption(path: string, options: Caption): Promise<Captioned>;
    /** The date ranges that the playlists list, or will. */
    markers(path: string): Marked[];
    /** A structured clone, 1 MiB at most; the oldest are dropped where the script is too slow. */
    send(path: string, topic: string, value: unknown): void;
    on(topic: string, fn: (value: any, stream: Stream) => void): typeof streams;
    off(topic: string, fn: (value: any, stream: Stream) => void): typeof streams;
  };

  interface Job { next?: Date; stop(): void }
  /** As cron has it: minute, hour, day of month, month, weekday; seconds before them if there are six. */
  function schedule(when: string, fn: () => unknown): Job;
  /** Every '5m', or so many milliseconds; not while the last call still runs. */
  function every(interval: string | number, fn: () => unknown): { stop(): void };

  interface Request extends IncomingMessage {
    readonly params: Record<string, string>;
    readonly query: Record<string, string>;
    readonly path: string;
    readonly originalUrl: string;
    readonly baseUrl: string;
    /** The viewer's. */
    readonly ip: string;
    readonly protocol: string;
    readonly secure: boolean;
    readonly hostname: string;
    body?: any;
    get(header: string): string | undefined;
    /** The whole body, 1 MiB at most unless a limit says otherwise. */
    bytes(limit?: number): Promise<Buffer>;
    text(limit?: number): Promise<string>;
    json(limit?: number): Promise<any>;
  }

  interface Response extends ServerResponse {
    status(code: number): this;
    set(name: string | Record<string, string>, value?: string): this;
    get(name: string): unknown;
    append(name: string, value: string): this;
    type(name: string): this;
    json(value: unknown): this;
    send(body?: unknown): this;
    sendStatus(code: number): this;
    redirect(to: string): this;
    redirect(status: number, to: string): this;
    cookie(name: string, value: string, options?: object): this;
    attachment(name?: string): this;
    sendFile(path: string, options?: object): Promise<void>;
  }

  type Handler = (req: Request, res: Response, next: (error?: unknown) => void) => unknown;
  type ErrorHandler = (error: any, req: Request, res: Response, next: (error?: unknown) => void) => unknown;
  type Route = (pattern: string | RegExp, ...handlers: Handler[]) => Router;

  /** Routes under /app. */
  interface Router {
    get: Route; post: Route; put: Route; patch: Route; delete: Route; head: Route; options: Route; all: Route;
    use(...handlers: Array<Handler | ErrorHandler | Router>): Router;
    use(pattern: string | RegExp, ...handlers: Array<Handler | ErrorHandler | Router>): Router;
    /** An express or koa app, or any request listener, below a path. */
    mount(path: string, app: unknown): Router;
  }

  /** One plain WebSocket. Emits message(data, binary), drain, close(code, reason). */
  interface WebSocketClient extends EventEmitter {
    readonly protocol: string;
    readonly readyState: number;
    readonly bufferedAmount: number;
    /** False where it is time to wait for 'drain'. */
    send(data: string | ArrayBuffer | ArrayBufferView): boolean;
    close(code?: number, reason?: string): void;
    terminate(): void;
    pause(): void;
    resume(): void;
  }

  interface WebSocketGroup {
    readonly clients: Set<WebSocketClient>;
    readonly size: number;
    broadcast(data: string | ArrayBuffer | ArrayBufferView): unknown;
    close(): void;
  }

  const http: Router & {
    Router(): Router;
    ws(pattern: string | RegExp, handler: (socket: WebSocketClient, req: Request) => unknown): WebSocketGroup;
    ws(pattern: string | RegExp, options: { protocols?: string[]; origins?: string[]; maxMessage?: number; maxBuffered?: number }, handler: (socket: WebSocketClient, req: Request) => unknown): WebSocketGroup;
    static(folder: string, options?: { index?: string | false; dotfiles?: boolean; maxAge?: number; headers?: Record<string, string> }): Handler;
    json(options?: { limit?: number }): Handler;
    text(options?: { limit?: number }): Handler;
    urlencoded(options?: { limit?: number }): Handler;
  };

  /** Whom a broadcast is for. */
  interface Broadcast {
    to(room: string | string[]): Broadcast;
    in(room: string | string[]): Broadcast;
    except(room: string | string[]): Broadcast;
    timeout(ms: number): Broadcast;
    readonly volatile: Broadcast;
    readonly local: Broadcast;
    emit(event: string, ...args: any[]): boolean;
    emitWithAck(event: string, ...args: any[]): Promise<any[]>;
    allSockets(): Promise<Set<string>>;
    fetchSockets(): Promise<Socket[]>;
    socketsJoin(room: string | string[]): void;
    socketsLeave(room: string | string[]): void;
    disconnectSockets(close?: boolean): void;
  }

  /** One client of Socket.IO, in one namespace. */
  interface Socket extends EventEmitter {
    readonly id: string;
    readonly handshake: { headers: Record<string, string>; query: Record<string, string>; auth: any; address: string; url: string; secure: boolean; xdomain: boolean; issued: number; time: string };
    readonly rooms: Set<string>;
    readonly connected: boolean;
    readonly nsp: Namespace;
    data: any;
    readonly broadcast: Broadcast;
    readonly volatile: this;
    to(room: string | string[]): Broadcast;
    in(room: string | string[]): Broadcast;
    except(room: string | string[]): Broadcast;
    timeout(ms: number): this;
    emitWithAck(event: string, ...args: any[]): Promise<any>;
    send(...args: any[]): this;
    join(room: string | string[]): void;
    leave(room: string): void;
    disconnect(close?: boolean): this;
    use(fn: (event: any[], next: (error?: Error) => void) => void): this;
    onAny(fn: (...args: any[]) => void): this;
    offAny(fn?: (...args: any[]) => void): this;
  }

  interface Namespace extends EventEmitter, Pick<Broadcast, 'to' | 'in' | 'except' | 'timeout' | 'allSockets' | 'fetchSockets' | 'socketsJoin' | 'socketsLeave' | 'disconnectSockets' | 'emitWithAck'> {
    readonly name: string;
    readonly sockets: Map<string, Socket>;
    on(event: 'connection' | 'connect', fn: (socket: Socket) => void): this;
    on(event: string, fn: (...args: any[]) => void): this;
    use(fn: (socket: Socket, next: (error?: Error & { data?: any }) => void) => void): this;
    send(...args: any[]): this;
  }

  /** Socket.IO's server API. */
  const io: Namespace & {
    of(name: string | RegExp | ((name: string, auth: any, next: (error: Error | null, ok: boolean) => void) => void), fn?: (socket: Socket) => void): Namespace;
    /** Server options, before io is used. */
    configure(options: { serveClient?: boolean; pingInterval?: number; pingTimeout?: number; maxHttpBufferSize?: number; transports?: string[]; cors?: object }): typeof io;
    readonly engine: { readonly clientsCount: number };
    close(done?: () => void): void;
  };
}
