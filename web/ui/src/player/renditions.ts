// The quality menu. media-chrome reads a list of renditions from its media
// element; a plain <video> has none, so this puts one on it, fed by hls.js.

import type Hls from 'hls.js';
import { bitrate } from '../shared/format';

export interface Rung {
  id: string; // the number of the level
  width: number;
  height: number;
  bitrate: number;
}

/** An array of rungs that tells when it changes, as media-chrome expects. */
export class RenditionList extends EventTarget {
  #rungs: Rung[] = [];
  #selected = -1;

  constructor(private readonly onSelect: (index: number) => void) {
    super();
  }

  [Symbol.iterator](): Iterator<Rung> {
    return this.#rungs.values();
  }

  get length(): number {
    return this.#rungs.length;
  }

  findIndex(test: (rung: Rung) => boolean): number {
    return this.#rungs.findIndex(test);
  }

  /** The rung chosen by hand; -1: automatic. */
  get selectedIndex(): number {
    return this.#selected;
  }

  set selectedIndex(index: number) {
    if (index === this.#selected) return;
    this.#selected = index;
    this.onSelect(this.#level);
    this.dispatchEvent(new Event('change'));
  }

  /** New rungs. A choice by hand survives where a rung of that height is still there. */
  replace(rungs: Rung[]): void {
    const [height, before] = [this.#rungs[this.#selected]?.height, this.#level];
    if (rungs.length === this.#rungs.length && rungs.every((r, i) => r.id === this.#rungs[i]?.id && r.bitrate === this.#rungs[i]?.bitrate)) return;
    this.#rungs = rungs;
    this.#index();
    this.#selected = height === undefined ? -1 : rungs.findIndex((r) => r.height === height);
    if (this.#selected >= 0 && this.#level !== before) this.onSelect(this.#level);
    this.dispatchEvent(new Event('addrendition'));
    this.dispatchEvent(new Event('change'));
  }

  get #level(): number {
    return Number(this.#rungs[this.#selected]?.id ?? -1);
  }

  /** media-chrome reads list[i] and uses Array.prototype methods on it. */
  #index(): void {
    const slots = this as unknown as Record<number, Rung | undefined>;
    for (let i = 0; i in this; i++) delete slots[i];
    this.#rungs.forEach((r, i) => (slots[i] = r));
  }
}

/** The rungs of what hls.js found in the multivariant playlist: each picture once, with the sound in this coding where it has that. */
export function rungsOf(levels: readonly Pick<Hls['levels'][number], 'width' | 'height' | 'bitrate' | 'audioCodec'>[], sound?: string): Rung[] {
  const rungs = levels.map((l, i) => ({ id: String(i), width: l.width, height: l.height, bitrate: l.bitrate, sound: l.audioCodec }));
  return rungs
    .filter((r) => r.sound === sound || !rungs.some((o) => o.sound === sound && o.height === r.height && o.width === r.width))
    .map(({ id, width, height, bitrate }) => ({ id, width, height, bitrate }));
}

/** "720p · 2.48 Mbit/s"; without a picture only the bitrate. */
export function rungName(r: { width?: number; height?: number; bitrate?: number }): string {
  const lines = Math.min(r.width ?? 0, r.height ?? 0);
  return [lines > 0 ? `${lines}p` : '', r.bitrate ? bitrate(r.bitrate) : ''].filter(Boolean).join(' · ');
}
