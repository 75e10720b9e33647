// The audio menu. media-chrome reads a list of tracks from its media element;
// a <video> fed by hls.js has none, so this puts one on it.

import type Hls from 'hls.js';

/** What hls.js knows of a track; NAME and LANGUAGE of EXT-X-MEDIA. */
export interface Track {
  name: string;
  lang?: string | undefined;
}

/** A track as media-chrome wants it: to set enabled is to choose it. */
class Sound {
  readonly kind = 'main';

  constructor(private readonly list: SoundList, readonly id: string, readonly label: string, readonly language: string, readonly name: string) {}

  get enabled(): boolean {
    return this.list.current === this;
  }

  set enabled(yes: boolean) {
    if (yes) this.list.choose(this);
  }
}

/** The tracks, of which one is heard. */
export class SoundList extends EventTarget {
  #sounds: Sound[] = [];
  #current: Sound | undefined;
  #wanted: Sound | undefined; // chosen by hand

  constructor(private readonly onChoose: (index: number) => void) {
    super();
  }

  [Symbol.iterator](): Iterator<Sound> {
    return this.#sounds.values();
  }

  get length(): number {
    return this.#sounds.length;
  }

  get current(): Sound | undefined {
    return this.#current;
  }

  choose(sound: Sound): void {
    this.#wanted = sound;
    if (sound === this.#current) return;
    this.#current = sound;
    this.onChoose(this.#sounds.indexOf(sound));
    this.dispatchEvent(new Event('change'));
  }

  /** What there is now, and which of it is heard. A choice by hand survives where a track of that name is still there. */
  replace(tracks: readonly Track[], heard: number): void {
    const same = tracks.length === this.#sounds.length && tracks.every((t, i) => this.#sounds[i]?.name === t.name && this.#sounds[i]?.language === (t.lang ?? ''));
    if (!same) {
      const labels = labelsOf(tracks);
      this.#sounds = tracks.map((t, i) => new Sound(this, String(i), labels[i] ?? t.name, t.lang ?? '', t.name));
      this.dispatchEvent(new Event('addtrack'));
    }
    const before = this.#wanted;
    const again = before && this.#sounds.find((s) => s.name === before.name);
    this.#current = again ?? this.#sounds[heard];
    if (again && this.#sounds[heard] !== again) this.onChoose(this.#sounds.indexOf(again));
    this.dispatchEvent(new Event('change'));
  }
}

/** Nobody called it something else than by its number. */
const unnamed = /^Audio( \d+)?$/;

/** Names as they are; a track that has none is called by its language, unless two would be called alike. */
export function labelsOf(tracks: readonly Track[], locale?: string): string[] {
  const names = new Intl.DisplayNames(locale, { type: 'language' });
  const labels = tracks.map((t) => (unnamed.test(t.name) && t.lang ? (called(names, t.lang) ?? t.name) : t.name));
  return labels.map((l, i) => (labels.indexOf(l) === labels.lastIndexOf(l) ? l : (tracks[i]?.name ?? l)));
}

/** A playlist may have tags that a browser does not take. */
function called(names: Intl.DisplayNames, tag: string): string | undefined {
  try {
    return names.of(tag);
  } catch {
    return undefined;
  }
}

/** What hls.js has of the group that it plays. */
export function show(list: SoundList, hls: Hls): void {
  list.replace(hls.audioTracks, hls.audioTrack);
}
