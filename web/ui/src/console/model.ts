// What the console knows, as a value that events change. Pure: no network, no
// document.

import type { ServerEvent, Stream } from '../shared/api';

/** One second of one stream. */
export interface Sample {
  in: number; // bits a second
  out: number; // bits a second to viewers
  fps: number;
}

export interface Model {
  streams: Stream[];
  history: ReadonlyMap<string, readonly Sample[]>;
  activity: readonly ServerEvent[]; // newest first
}

export const emptyModel: Model = { streams: [], history: new Map(), activity: [] };

const historyLength = 60;
const activityLength = 30;

/** The model after an event: the list of streams, or something that happened. */
export function apply(model: Model, event: ServerEvent): Model {
  if (event.type === 'streams') return withStreams(model, event.data as Stream[], Date.parse(event.time));
  return { ...model, activity: [event, ...model.activity].slice(0, activityLength) };
}

const taken = new WeakMap<Model, number>(); // when the list of a model was made

export function withStreams(model: Model, streams: Stream[], at: number): Model {
  const before = new Map(model.streams.map((s) => [s.path, s]));
  const elapsed = Math.max(0.2, (at - (taken.get(model) ?? at - 1000)) / 1000);
  const history = new Map<string, readonly Sample[]>();
  for (const s of streams) {
    const known = before.get(s.path);
    const out = known ? Math.max(0, ((s.bytesOut - known.bytesOut) * 8) / elapsed) : 0;
    const samples = known ? (model.history.get(s.path) ?? []) : [];
    history.set(s.path, [...samples, { in: s.input.bitrate, out, fps: s.input.fps }].slice(-historyLength));
  }
  const next = { ...model, streams, history };
  taken.set(next, at);
  return next;
}

/** What is not as it should be, in words, worst first. */
export function troubles(s: Stream): string[] {
  const list: string[] = [];
  if (s.error) list.push(s.error);
  if (s.worker?.degraded) list.push(s.worker.degraded);
  if (s.worker && s.worker.speed > 0 && s.worker.speed < 1) list.push(`coding at ${s.worker.speed.toFixed(2)}× of real time`);
  for (const t of s.tracks) if (t.problem) list.push(`${t.kind} track: ${t.problem}`);
  if (s.worker?.restarts) list.push(`worker restarted ${s.worker.restarts}×`);
  if (Math.abs(s.input.drift) > 40) list.push(`sound ${s.input.drift > 0 ? 'ahead' : 'behind'} by ${Math.abs(Math.round(s.input.drift))} ms`);
  return list;
}

/** The picture's size as people say it: "1920×1080". */
export function pictureSize(s: Stream): string {
  const v = s.tracks.find((t) => t.kind === 'video' && t.width);
  return v ? `${v.width}×${v.height}` : '';
}

/** Streams that a search names, those that need a look first. */
export function arrange(streams: readonly Stream[], search: string): Stream[] {
  const rank = { failed: 0, lost: 1, live: 2, waiting: 3, ended: 4 };
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return streams
    .filter((s) => words.every((w) => s.path.toLowerCase().includes(w) || s.state.includes(w)))
    .toSorted((a, b) => rank[a.state] - rank[b.state] || a.path.localeCompare(b.path, 'en', { numeric: true }));
}
