// The console's line to the server: events over a WebSocket, and where that
// does not hold, the list by polling.

import { api, APIError, apiToken, type Refusal, type ServerEvent, type ServerInfo, socketProtocols } from '../shared/api';

export type Line = 'connecting' | 'live' | 'polling' | 'down';

export interface Listener {
  event(e: ServerEvent): void;
  line(l: Line): void;
  info(i: ServerInfo): void;
  refused(r: Refusal | null): void;
}

const pollEvery = 2000;
const retryMax = 8000;

export class Feed {
  private socket: WebSocket | null = null;
  private timer = 0;
  private failures = 0;
  private stopped = false;
  private generation = 0; // answers to what an earlier start asked are ignored

  constructor(private readonly to: Listener) {}

  /** Starts, or starts again, after a login for one. */
  async start(): Promise<void> {
    this.stop();
    this.stopped = false;
    const generation = ++this.generation;
    this.to.line('connecting');
    try {
      const info = await api.server();
      if (generation !== this.generation) return;
      this.to.refused(null);
      this.to.info(info);
    } catch (e) {
      if (generation === this.generation) this.failed(e);
      return;
    }
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.generation++;
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
  }

  private connect(): void {
    const url = new URL('/api/v1/events?figures', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, socketProtocols(apiToken.get()));
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.failures = 0;
      this.to.line('live');
    };
    socket.onmessage = (m: MessageEvent<string>) => this.to.event(JSON.parse(m.data) as ServerEvent);
    socket.onclose = () => {
      if (this.stopped || this.socket !== socket) return;
      this.socket = null;
      if (opened) this.to.line('connecting');
      this.failures++;
      // A proxy that lets no WebSocket through refuses each: poll then.
      if (!opened && this.failures >= 2) void this.poll();
      else this.later(() => void this.start(), 500 * this.failures);
    };
  }

  private async poll(): Promise<void> {
    const generation = this.generation;
    try {
      const streams = await api.streams();
      if (generation !== this.generation) return;
      this.to.line('polling');
      this.to.event({ id: 0, time: new Date().toISOString(), type: 'streams', data: streams });
      this.later(() => void this.poll(), pollEvery);
    } catch (e) {
      if (generation === this.generation) this.failed(e);
    }
  }

  private failed(e: unknown): void {
    const refusal = e instanceof APIError ? e.refusal : { status: 0, code: 'unreachable', message: String(e) };
    if (refusal.status === 401 || refusal.status === 403) {
      this.to.refused(refusal); // only a login helps
      return;
    }
    this.failures++;
    this.to.line('down');
    this.later(() => void this.start(), Math.min(retryMax, 500 * 2 ** Math.min(this.failures, 5)));
  }

  private later(f: () => void, ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(f, ms);
  }
}
