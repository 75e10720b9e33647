import { describe, expect, it } from 'vitest';
import { bitrate, bytes, codec, count, fps, since } from './format';

describe('figures', () => {
  it.each([
    [0, '–'], [undefined, '–'], [Number.NaN, '–'], [64_000, '64 kbit/s'], [999_400, '999 kbit/s'],
    [2_480_000, '2.48 Mbit/s'], [12_340_000, '12.3 Mbit/s'],
  ])('bitrate(%s) is %s', (n, want) => expect(bitrate(n)).toBe(want));

  it.each([
    [0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [999_600, '1.00 MB'], [12_400_000, '12.4 MB'], [1.5e12, '1.50 TB'], [123e9, '123 GB'], [-1, '–'],
  ])('bytes(%s) is %s', (n, want) => expect(bytes(n)).toBe(want));

  it.each([[29.97002997, '29.97'], [30, '30'], [0, '–'], [24.999, '25']])('fps(%s) is %s', (n, want) => expect(fps(n)).toBe(want));

  it.each([[0, '0'], [9999, '9,999'], [31_400, '31.4k'], [250_000, '250k']])('count(%s) is %s', (n, want) => expect(count(n)).toBe(want));

  it.each([
    [0, 'now'], [-5000, 'now'], [42_000, '42 s'], [180_000, '3 min'], [3_600_000, '1 h'], [7_500_000, '2 h 5 min'], [4 * 86_400_000, '4 d'],
  ])('%s ms ago is %s', (ago, want) => expect(since(new Date(1e12 - ago).toISOString(), 1e12)).toBe(want));

  it('does not invent a time', () => expect(since(undefined, 0)).toBe('–'));
  it('leaves unknown codecs alone', () => expect([codec('h264'), codec('xyz')]).toEqual(['H.264', 'xyz']));
});
