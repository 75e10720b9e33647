import { describe, expect, it } from 'vitest';
import { type Listed, reserved } from './reserve';

const list = (live: boolean, gaps: boolean[], parts = 0): Listed => ({
  live,
  fragments: gaps.map((gap) => ({ gap })),
  partTarget: 0.2,
  partList: parts > 0 ? (new Array(parts).fill({}) as Listed['partList']) : null,
});

describe('reserved', () => {
  it('wants two segments of a live stream', () => {
    expect(reserved(list(true, []), 9)).toBe(false);
    expect(reserved(list(true, [false]), 9)).toBe(false);
    expect(reserved(list(true, [false, true]), 9)).toBe(false);
    expect(reserved(list(true, [false, false]), 0)).toBe(true);
  });
  it('is content with two parts that are buffered', () => {
    expect(reserved(list(true, [], 3), 0.3)).toBe(false);
    expect(reserved(list(true, [], 3), 0.45)).toBe(true);
  });
  it('wants nothing more of a stream that has ended', () => expect(reserved(list(false, [false]), 0)).toBe(true));
});
