import { describe, expect, it, vi } from 'vitest';
import { RenditionList, type Rung, rungName } from './renditions';

const rung = (height: number): Rung => ({ id: String(height), width: (height * 16) / 9, height, bitrate: height * 1000 });

describe('the quality menu', () => {
  it('looks like an array to media-chrome', () => {
    const list = new RenditionList(() => {});
    list.replace([rung(720), rung(360)]);
    expect([...list].map((r) => r.height)).toEqual([720, 360]);
    expect((list as unknown as Rung[])[1]?.height).toBe(360);
    expect(Array.prototype.findIndex.call(list, (r: Rung) => r.id === '360')).toBe(1);
    list.replace([rung(480)]);
    expect(1 in list).toBe(false);
  });

  it('tells hls.js what was chosen, and media-chrome that it was', () => {
    const chosen = vi.fn();
    const changed = vi.fn();
    const list = new RenditionList(chosen);
    list.replace([rung(720), rung(360)]);
    list.addEventListener('change', changed);
    list.selectedIndex = 1;
    list.selectedIndex = 1;
    list.selectedIndex = -1;
    expect(chosen.mock.calls).toEqual([[1], [-1]]);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it('keeps a choice over a restart of the stream', () => {
    const chosen = vi.fn();
    const list = new RenditionList(chosen);
    list.replace([rung(720), rung(360)]);
    list.selectedIndex = 1;
    list.replace([rung(1080), rung(720), rung(360)]);
    expect(list.selectedIndex).toBe(2);
    expect(chosen).toHaveBeenLastCalledWith(2);
    list.replace([rung(1080)]);
    expect(list.selectedIndex).toBe(-1);
  });

  it('names rungs by lines, also of a portrait', () => {
    expect(rungName({ width: 1280, height: 720, bitrate: 2_480_000 })).toBe('720p · 2.48 Mbit/s');
    expect(rungName({ width: 720, height: 1280 })).toBe('720p');
    expect(rungName({ bitrate: 96_000 })).toBe('96 kbit/s');
  });
});
