import { describe, expect, it } from 'vitest';
import { ahead, FrameRate } from './figures';

const ranges = (...r: [number, number][]): TimeRanges => ({ length: r.length, start: (i: number) => r[i]?.[0] ?? 0, end: (i: number) => r[i]?.[1] ?? 0 });

describe('figures', () => {
  it('finds what is buffered ahead, over a hole that is no hole', () => {
    expect(ahead({ buffered: ranges([0, 5], [10, 14]), currentTime: 11 })).toBe(3);
    expect(ahead({ buffered: ranges([0, 5], [10, 14]), currentTime: 7 })).toBe(0);
    expect(ahead({ buffered: ranges([10, 14]), currentTime: 9.95 })).toBeCloseTo(4.05);
    expect(ahead({ buffered: ranges(), currentTime: 0 })).toBe(0);
  });

  it('measures frames over a second, not over each call', () => {
    const r = new FrameRate();
    expect(r.at(0, 1000)).toBe(0);
    expect(r.at(15, 1500)).toBe(0);
    expect(r.at(30, 2000)).toBe(30);
    expect(r.at(5, 3000)).toBe(0); // a new stream counts from zero
    expect(r.at(30, 4000)).toBe(25);
  });
});
