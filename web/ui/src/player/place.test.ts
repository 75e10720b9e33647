import { describe, expect, it } from 'vitest';
import { placeOf, Token, withoutToken } from './place';

const store = (): Storage => {
  const m = new Map<string, string>();
  return { getItem: (k: string) => m.get(k) ?? null, setItem: (k: string, v: string) => void m.set(k, v) } as unknown as Storage;
};

describe('the place', () => {
  it('takes paths with slashes', () => {
    expect(placeOf(new URL('http://h/watch/cam/front?embed'))).toEqual({
      path: 'cam/front', embed: true, source: '/hls/cam/front/index.m3u8', live: '/hls/cam/front/index.m3u8', recording: '',
      state: '/watch/cam/front',
    });
    expect(placeOf(new URL('http://h/watch/demo')).embed).toBe(false);
  });

  it('keeps a token for the tab and its stream, and takes it out of the address', () => {
    const tab = store();
    const url = new URL('http://h/watch/a?embed&token=s3cret#x');
    expect(new Token('a', url, tab).value).toBe('s3cret');
    expect(withoutToken(url)).toBe('/watch/a?embed#x');
    expect(new Token('a', new URL('http://h/watch/a'), tab).value).toBe('s3cret');
    expect(new Token('b', new URL('http://h/watch/b'), tab).value).toBe('');
  });

  it('works where the browser allows no storage', () => {
    const none = { getItem: () => { throw new Error('denied'); }, setItem: () => { throw new Error('denied'); } };
    expect(new Token('a', new URL('http://h/watch/a?token=x'), none).value).toBe('x');
    expect(new Token('a', new URL('http://h/watch/a'), none).value).toBe('');
  });
});
