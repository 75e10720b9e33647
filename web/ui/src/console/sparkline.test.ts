import { describe, expect, it } from 'vitest';
import { sparkPath } from './sparkline';

describe('the sparkline', () => {
  it('needs two values', () => expect([sparkPath([], 100, 20), sparkPath([1], 100, 20)]).toEqual(['', '']));
  it('ends at the right edge, however few values there are', () => {
    expect(sparkPath([1, 2, 3], 100, 20)).toMatch(/^M96\.6 .*L100 /);
    expect(sparkPath(Array.from({ length: 60 }, () => 5), 100, 20)).toMatch(/^M0 .*L100 /);
  });
  it('stays inside its box', () => {
    for (const y of sparkPath([0, 1e9, -5, 3], 100, 20).matchAll(/ (-?[\d.]+)/g)) {
      expect(Number(y[1])).toBeGreaterThanOrEqual(0);
      expect(Number(y[1])).toBeLessThanOrEqual(20);
    }
  });
  it('draws silence as a line at the bottom', () => expect(sparkPath([0, 0], 100, 20)).toContain('L100 19'));
});
