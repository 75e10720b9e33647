// Whether a live stream has enough in reserve to begin playing. One that has just
// begun has not: played at once, it would stand still until its next segment.

import type { LevelDetails } from 'hls.js';

export type Listed = Pick<LevelDetails, 'live' | 'partList'> & { fragments: readonly { gap?: boolean }[] };

/** Two segments will do, or parts, which come several times as often. */
export function reserved(list: Listed): boolean {
  return !list.live || (list.partList?.length ?? 0) > 0 || list.fragments.filter((f) => !f.gap).length >= 2;
}
