// Whether a live stream has enough in reserve to begin playing. One that has just
// begun has not: played at once, it would stand still until its next segment.

import type { LevelDetails } from 'hls.js';

export type Listed = Pick<LevelDetails, 'live' | 'partList' | 'partTarget'> & { fragments: readonly { gap?: boolean }[] };

/**
 * Two segments will do, or parts, which come several times as often: of those
 * two have to be buffered, so that one that is late does not show.
 */
export function reserved(list: Listed, buffered: number): boolean {
  if (!list.live) return true;
  if (list.partList?.length) return buffered > 2 * list.partTarget;
  return list.fragments.filter((f) => !f.gap).length >= 2;
}
