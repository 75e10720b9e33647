// The JSON of the control API, as web/status declares it, and how to ask for it.

export type StreamState = 'waiting' | 'live' | 'lost' | 'ended' | 'failed';

export interface Track {
  id: number;
  kind: 'video' | 'audio';
  codec: string;
  width?: number;
  height?: number;
  fps?: number;
  sampleRate?: number;
  channels?: number;
  language?: string;
  problem?: string;
}

export interface Rendition {
  name: string;
  kind: 'video' | 'audio';
  codec: string;
  width?: number;
  height?: number;
  fps?: number;
  sampleRate?: number;
  channels?: number;
  declaredBitrate?: number;
  measuredBitrate?: number;
  copy: boolean;
  state: 'starting' | 'live' | 'off';
}

export interface Stream {
  path: string;
  state: StreamState;
  since: string;
  created: string;
  error?: string;
  publisher?: { protocol: string; remote: string; userAgent?: string; transport?: string; since: string };
  tracks: Track[];
  renditions: Rendition[];
  input: {
    bytes: number;
    packets: number;
    bitrate: number;
    fps: number;
    lost: number;
    dropped: number;
    repaired?: Record<string, number>;
    drift: number;
  };
  worker?: { speed: number; queue: number; dropped: number; rss: number; restarts: number; degraded?: string };
  readers: number;
  viewers: number;
  bytesOut: number;
  urls: { watch: string; hls: string; dash?: string; thumb: string; rtsp?: string };
}

export interface Recording {
  path: string;
  id: string;
  start: string;
  duration: number; // seconds
  size: number;
  writing: boolean;
  urls: { hls?: string; watch?: string };
}

export interface ServerEvent {
  id: number;
  time: string;
  type: string;
  path?: string;
  data?: unknown;
}

export interface ServerInfo {
  version: string;
  base: string;
  publish: string[];
}

export interface Refusal {
  status: number;
  code: string;
  message: string;
  hint?: string;
}

/** What the API answers when it does not do as asked. Status 0: no answer. */
export class APIError extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

const tokenKey = 'millrace.token';

/** The API token, kept for this tab only. */
export const apiToken = {
  get: (): string => sessionStorage.getItem(tokenKey) ?? '',
  set: (token: string): void => (token ? sessionStorage.setItem(tokenKey, token) : sessionStorage.removeItem(tokenKey)),
};

export function authorization(token: string): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** The subprotocols that carry the token where a browser allows no header. */
export function socketProtocols(token: string): string[] {
  if (!token) return ['millrace.v1'];
  const binary = String.fromCharCode(...new TextEncoder().encode(token));
  const encoded = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return ['millrace.v1', `bearer.${encoded}`];
}

async function request(method: string, path: string, body?: unknown, follow?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...authorization(apiToken.get()), ...(body ? { 'Content-Type': 'application/json' } : {}), ...(follow ? { Accept: 'text/event-stream' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: follow ?? AbortSignal.timeout(10_000),
    });
  } catch {
    throw new APIError({ status: 0, code: 'unreachable', message: 'The server does not answer.' });
  }
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as { error?: Omit<Refusal, 'status'> } | null;
  throw new APIError({ code: 'error', message: response.statusText, ...answer?.error, status: response.status });
}

export interface CheckResult {
  id: string;
  section: string;
  must: boolean;
  text: string;
  verdict: 'passed' | 'broken' | 'not applicable';
  count?: number;
  findings?: { playlist?: string; evidence: string }[];
}

export interface CheckReport {
  url: string;
  live: boolean;
  lowLatency: boolean;
  playlists: number;
  looks: number;
  pieces: number;
  seconds: number;
  results: CheckResult[];
}

/** One of its fields is set. */
export interface CheckEvent {
  elapsed?: number;
  report?: CheckReport;
  error?: { code: string; message: string; hint?: string };
}

export const api = {
  server: async (): Promise<ServerInfo> => (await request('GET', '/server')).json() as Promise<ServerInfo>,
  streams: async (): Promise<Stream[]> => ((await (await request('GET', '/streams')).json()) as { streams: Stream[] }).streams,
  recordings: async (): Promise<Recording[]> => ((await (await request('GET', '/recordings')).json()) as { recordings: Recording[] }).recordings,
  removeRecording: async (path: string, id: string): Promise<void> => void (await request('DELETE', `/recordings/${encodeURIComponent(path)}/${encodeURIComponent(id)}`)),
  /** An event stream of CheckEvents, which ends with the signal. */
  check: async (path: string, seconds: number, signal: AbortSignal): Promise<Response> => request('POST', `/streams/${encodeURIComponent(path)}/check?seconds=${seconds}`, undefined, signal),
  kick: async (path: string): Promise<void> => void (await request('POST', `/streams/${encodeURIComponent(path)}/kick`)),
  end: async (path: string): Promise<void> => void (await request('DELETE', `/streams/${encodeURIComponent(path)}`)),
};
