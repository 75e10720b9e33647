import { describe, expect, it } from 'vitest';
import { ago, reach } from './past';
import { pastOf, placeOf } from './place';

describe('the past', () => {
  it('is told as people say it', () => {
    expect([0, -1, 5, 65, 3599, 3600, 7265].map(ago)).toEqual(['live', 'live', '-0:05', '-1:05', '-59:59', '-1:00:00', '-2:01:05']);
  });

  it('reaches as far as the server keeps it, and no further than the stream', () => {
    const now = Date.parse('2026-01-31T20:15:00Z');
    expect(reach(7200, '2026-01-31T20:14:00Z', now)).toBe(60);
    expect(reach(7200, '2026-01-30T20:14:00Z', now)).toBe(7200);
    expect(reach(7200, undefined, now)).toBe(7200);
    expect(reach(0, '2026-01-30T20:14:00Z', now)).toBe(0);
  });

  it('has addresses of its own', () => {
    const live = placeOf(new URL('http://x/watch/cam/front'));
    expect(live.source).toBe('/hls/cam/front/index.m3u8');
    expect(pastOf(live, 90.4)).toBe('/hls/cam/front/dvr.m3u8?start=90');
    expect(placeOf(new URL('http://x/watch/cam/front?recording=2026-01-31T20-15-00Z')).source)
      .toBe('/rec/cam/front/2026-01-31T20-15-00Z/index.m3u8');
  });
});
