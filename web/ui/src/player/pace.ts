// How fast to play so as to come back to where the playlist wants a viewer to
// be. hls.js has the same, but only where a second is buffered ahead, which
// with short parts never is.

export interface Place {
  rate: number; // as it plays now
  beyond: number; // seconds behind where it should be
  ahead: number; // seconds that are buffered
  part: number; // seconds that come at a time: the part target; 0 where there are no parts
}

export const hurry = 1.05; // nobody hears or sees it

const near = 0.03; // s: there
const far = 0.1; // s: worth it
const past = 10; // s: who is so far behind looks at the past

/** The rate to play at. One that is not ours, the viewer has chosen: it stays. */
export function pace({ rate, beyond, ahead, part }: Place): number {
  if (rate !== 1 && rate !== hurry) return rate;
  const enough = ahead > (part > 0 ? 2 * part : 1);
  return enough && beyond > (rate === hurry ? near : far) && beyond < past ? hurry : 1;
}
