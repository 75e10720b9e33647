// The past of a stream: a bar over the hours that the server keeps, and what it
// has recorded.

import type { Engine } from './engine';
import { type Place, pastOf, type Token } from './place';
import { beside, Preview } from './storyboard';

export interface Recording {
  id: string;
  start: string;
  duration: number; // seconds
}

interface Answer {
  dvr?: number; // seconds
  created?: string;
  recordings?: Recording[];
}

/** How long ago, for people: "live", "-1:05", "-2:00:00". */
export function ago(seconds: number): string {
  const s = Math.round(seconds);
  if (s <= 0) return 'live';
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `-${h}:${two(m)}:${two(s % 60)}` : `-${m}:${two(s % 60)}`;
}

/** How far back the bar goes: what is kept, and no further than the stream. */
export function reach(dvr: number, since: string | undefined, now: number): number {
  const age = since ? (now - Date.parse(since)) / 1000 : dvr;
  return Math.max(0, Math.floor(Math.min(dvr, Number.isFinite(age) ? age : dvr)));
}

export class Past {
  private asked = 0;
  private dvr = 0;
  private since: string | undefined;
  private held = false; // the viewer has the bar in hand
  private readonly range: HTMLInputElement;
  private readonly output: HTMLOutputElement;
  private readonly button: HTMLButtonElement;
  private readonly list: HTMLUListElement;

  constructor(private readonly place: Place, private readonly token: Token, private readonly engine: Engine, private readonly root: HTMLElement) {
    const part = <T extends Element>(name: string) => root.querySelector(name) as T;
    this.range = part('input');
    this.output = part('output');
    this.button = part('button');
    this.list = part('ul');
    this.range.addEventListener('input', () => {
      this.held = true;
      this.output.textContent = ago(this.range.valueAsNumber);
    });
    this.range.addEventListener('change', () => {
      this.held = false;
      this.go(this.range.valueAsNumber);
    });
    this.button.addEventListener('click', () => this.toLive());
    // What is played seconds back is counted from the end of the long playlist
    // where it is loaded anew, and from where live would be where it plays.
    new Preview(this.range, () => this.storyboard, () => (this.shifted ? this.engine.hls?.targetLatency ?? 0 : 0), ago);
  }

  private get storyboard(): string | null {
    const level = this.engine.hls?.levels[0]?.url[0];
    return level ? beside(level, 'dvr-storyboard.vtt') : null;
  }

  get subtitle(): string {
    if (this.place.recording) return 'Recording';
    return this.shifted ? 'Earlier' : 'Live';
  }

  private get shifted(): boolean {
    return !this.place.recording && this.place.source !== this.place.live;
  }

  /** Asks the server what there is, at most every ten seconds. */
  async look(): Promise<void> {
    if (Date.now() - this.asked < 10_000) return;
    this.asked = Date.now();
    try {
      const r = await fetch(this.place.state, {
        headers: { Accept: 'application/json', ...(this.token.value ? { Authorization: `Bearer ${this.token.value}` } : {}) },
        cache: 'no-store',
      });
      if (!r.ok) return;
      const a = (await r.json()) as Answer;
      this.dvr = this.place.recording ? 0 : a.dvr ?? 0;
      this.since = a.created;
      this.offer(a.recordings ?? []);
      this.show();
    } catch {
      // it will be asked again
    }
  }

  private offer(recordings: Recording[]): void {
    this.list.replaceChildren(...recordings.map((r) => {
      const [li, a] = [document.createElement('li'), document.createElement('a')];
      a.href = `/watch/${this.place.path}?recording=${encodeURIComponent(r.id)}`;
      a.textContent = `${new Date(r.start).toLocaleString()} (${ago(r.duration).slice(1)})`;
      if (r.id === this.place.recording) a.setAttribute('aria-current', 'page');
      li.append(a);
      return li;
    }));
  }

  /** Brings the bar to where the picture is. */
  show(): void {
    if (this.engine.phase === 'playing') void this.look();
    const max = reach(this.dvr, this.since, Date.now());
    this.root.hidden = max === 0 && this.list.childElementCount === 0;
    this.root.classList.toggle('still', max === 0);
    this.button.disabled = !this.shifted;
    if (this.held || max === 0) return;
    this.range.max = String(max);
    const back = this.shifted ? this.back() : 0;
    this.range.valueAsNumber = back;
    this.output.textContent = ago(back);
  }

  private back(): number {
    const edge = this.engine.liveEdge;
    return edge === null ? this.range.valueAsNumber : Math.max(0, Math.round(edge - this.engine.time));
  }

  /** Plays what was so many seconds ago; 0 is live. */
  go(back: number): void {
    if (back <= 0) {
      if (!this.toLive()) this.engine.toLive();
      return;
    }
    const edge = this.engine.liveEdge;
    if (this.shifted && edge !== null) {
      this.engine.time = Math.max(0, edge - back);
      return;
    }
    this.change(pastOf(this.place, back));
  }

  /** Shows another playlist; the button is one for it at once. */
  private change(source: string): void {
    this.place.source = source;
    this.engine.start();
    this.show();
  }

  /** Leaves the past; false where the live stream is shown already. */
  toLive(): boolean {
    if (!this.shifted) return false;
    this.change(this.place.live);
    return true;
  }
}
