import { describe, expect, it, vi } from 'vitest';
import { labelsOf, SoundList } from './sounds';

const two = [{ name: 'English', lang: 'en' }, { name: 'Deutsch', lang: 'de' }];

describe('the audio menu', () => {
  it('tells hls.js what was chosen, once, and media-chrome that it was', () => {
    const chosen = vi.fn();
    const changed = vi.fn();
    const list = new SoundList(chosen);
    list.replace(two, 0);
    list.addEventListener('change', changed);
    for (const s of list) s.enabled = s.id === '1'; // as media-chrome does
    expect(chosen.mock.calls).toEqual([[1]]);
    expect(changed).toHaveBeenCalledTimes(1);
    expect([...list].map((s) => s.enabled)).toEqual([false, true]);
    list.replace(two, 1);
    expect(chosen).toHaveBeenCalledTimes(1);
  });

  it('keeps a choice over a restart of the stream', () => {
    const chosen = vi.fn();
    const list = new SoundList(chosen);
    list.replace(two, 0);
    for (const s of list) s.enabled = s.id === '1';
    list.replace([], -1);
    list.replace([{ name: 'Français', lang: 'fr' }, ...two], 0);
    expect(chosen).toHaveBeenLastCalledWith(2);
    list.replace([{ name: 'Français', lang: 'fr' }], 0);
    expect(list.current?.label).toBe('Français');
  });

  it('follows what is heard where nothing was chosen', () => {
    const chosen = vi.fn();
    const list = new SoundList(chosen);
    list.replace(two, 0);
    list.replace(two, 1);
    expect(list.current?.name).toBe('Deutsch');
    expect(chosen).not.toHaveBeenCalled();
  });

  it('calls tracks by their language where nobody named them', () => {
    expect(labelsOf([{ name: 'Audio 1', lang: 'en' }, { name: 'Audio 2', lang: 'de' }, { name: 'Audio 3' }, { name: 'Comment', lang: 'de' }], 'en'))
      .toEqual(['English', 'German', 'Audio 3', 'Comment']);
    expect(labelsOf([{ name: 'Audio 1', lang: 'en' }, { name: 'Audio 2', lang: 'en' }], 'en')).toEqual(['Audio 1', 'Audio 2']);
    expect(labelsOf([{ name: 'Audio 1', lang: 'en_' }, { name: 'Audio 2', lang: '-' }], 'en')).toEqual(['Audio 1', 'Audio 2']);
  });
});
