import { describe, expect, it, vi } from 'vitest';
import { RenditionList, type Rung, rungName, rungsOf } from './renditions';

const rung = (height: number, level = height): Rung => ({ id: String(level), width: (height * 16) / 9, height, bitrate: height * 1000 });

describe('the quality menu', () => {
  it('looks like an array to media-chrome', () => {
    const list = new RenditionList(() => {});
    list.replace([rung(720), rung(360)]);
    expect([...list].map((r) => r.height)).toEqual([720, 360]);
    expect((list as unknown as Rung[])[1]?.height).toBe(360);
    expect(Array.prototype.findIndex.call(list, (r: Rung) => r.height === 360)).toBe(1);
    list.replace([rung(480)]);
    expect(1 in list).toBe(false);
  });

  it('tells hls.js what was chosen, and media-chrome that it was', () => {
    const chosen = vi.fn();
    const changed = vi.fn();
    const list = new RenditionList(chosen);
    list.replace([rung(720, 3), rung(360, 1)]);
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
    list.replace([rung(720, 1), rung(360, 0)]);
    list.selectedIndex = 1;
    list.replace([rung(1080, 5), rung(720, 4), rung(360, 3)]);
    expect(list.selectedIndex).toBe(2);
    expect(chosen).toHaveBeenLastCalledWith(3);
    list.replace([rung(720, 4), rung(360, 3)]);
    expect(chosen).toHaveBeenCalledTimes(2); // it is that level already
    list.replace([rung(1080)]);
    expect(list.selectedIndex).toBe(-1);
  });

  it('lists a picture once, whatever the codings of its sound', () => {
    const level = (height: number, audioCodec?: string) => ({ width: (height * 16) / 9, height, bitrate: height * 1000, audioCodec });
    const levels = [level(360, 'mp4a.40.2'), level(360, 'opus'), level(720, 'mp4a.40.2'), level(720, 'opus')];
    expect(rungsOf(levels, 'opus').map((r) => r.id)).toEqual(['1', '3']);
    expect(rungsOf(levels, 'mp4a.40.2').map((r) => r.id)).toEqual(['0', '2']);
    expect(rungsOf([level(360), level(720)]).map((r) => r.id)).toEqual(['0', '1']);
    expect(rungsOf([level(360, 'opus'), level(720, 'mp4a.40.2')], 'opus').map((r) => r.id)).toEqual(['0', '1']);
  });

  it('names rungs by lines, also of a portrait', () => {
    expect(rungName({ width: 1280, height: 720, bitrate: 2_480_000 })).toBe('720p · 2.48 Mbit/s');
    expect(rungName({ width: 720, height: 1280 })).toBe('720p');
    expect(rungName({ bitrate: 96_000 })).toBe('96 kbit/s');
  });
});
