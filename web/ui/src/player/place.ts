// Where this page is: which stream it plays, with which token, framed or not.

export interface Place {
  path: string; // the stream's
  embed: boolean;
  source: string; // URL of the multivariant playlist
  live: string; // that of the live stream
  recording: string; // its ID; empty for the live stream
  state: string; // URL that answers the stream's state
}

export function placeOf(url: URL): Place {
  const path = url.pathname.replace(/^\/watch\//, '');
  const recording = url.searchParams.get('recording') ?? '';
  const live = `/hls/${path}/index.m3u8`;
  const source = recording ? `/rec/${path}/${encodeURIComponent(recording)}/index.m3u8` : live;
  return { path, embed: url.searchParams.has('embed'), source, live, recording, state: `/watch/${path}` };
}

/** The live stream's long playlist, to be played from so many seconds ago. */
export function pastOf(place: Place, back: number): string {
  return `/hls/${place.path}/dvr.m3u8?start=${Math.round(back)}`;
}

/**
 * The view token: from the address, where it is then taken away, so that it
 * gets neither into the history nor into a Referer; afterwards from this tab.
 */
export class Token {
  #key: string;
  #value: string;

  constructor(path: string, url: URL, private readonly store: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#key = `millrace.view.${path}`;
    const given = url.searchParams.get('token');
    if (given) this.set(given);
    this.#value = given ?? read(store, this.#key);
  }

  get value(): string {
    return this.#value;
  }

  set(value: string): void {
    this.#value = value;
    try {
      this.store.setItem(this.#key, value);
    } catch {
      // a frame without storage: it lasts as long as the page
    }
  }
}

function read(store: Pick<Storage, 'getItem'>, key: string): string {
  try {
    return store.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** The address without its token. */
export function withoutToken(url: URL): string {
  const clean = new URL(url);
  clean.searchParams.delete('token');
  // URLSearchParams writes "?embed" as "?embed=": put it back as it was.
  return clean.pathname + clean.search.replace(/=(?=&|$)/g, '') + clean.hash;
}
