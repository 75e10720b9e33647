import { describe, expect, it } from 'vitest';
import { type Listed, reserved } from './reserve';

const list = (live: boolean, gaps: boolean[], parts = 0): Listed => ({
  live,
  fragments: gaps.map((gap) => ({ gap })),
  partList: parts > 0 ? (new Array(parts).fill({}) as Listed['partList']) : null,
});

describe('reserved', () => {
  it('wants two segments of a live stream', () => {
    expect(reserved(list(true, []))).toBe(false);
    expect(reserved(list(true, [false]))).toBe(false);
    expect(reserved(list(true, [false, true]))).toBe(false);
    expect(reserved(list(true, [false, false]))).toBe(true);
  });
  it('is content with parts', () => expect(reserved(list(true, [], 1))).toBe(true));
  it('wants nothing more of a stream that has ended', () => expect(reserved(list(false, [false]))).toBe(true));
});
