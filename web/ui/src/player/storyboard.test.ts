import { describe, expect, it } from 'vitest';
import { at, parse } from './storyboard';

const text = `WEBVTT

00:00:00.000 --> 00:00:04.000
storyboard-12.jpg#xywh=0,360,160,90

00:00:04.000 --> 01:00:14.500
storyboard-13.jpg?n=2#xywh=160,0,160,90
`;

describe('a storyboard', () => {
  const list = parse(text, 'http://x/t/abc/hls/cam/dvr-storyboard.vtt');

  it('is read with its addresses', () => {
    expect(list).toEqual([
      { from: 0, to: 4, sheet: 'http://x/t/abc/hls/cam/storyboard-12.jpg', x: 0, y: 360, width: 160, height: 90 },
      { from: 4, to: 3614.5, sheet: 'http://x/t/abc/hls/cam/storyboard-13.jpg?n=2', x: 160, y: 0, width: 160, height: 90 },
    ]);
  });

  it('has a picture for every time, as long as it has one', () => {
    expect([-5, 0, 3.9, 4, 3000, 9999].map((t) => at(list, t)?.y)).toEqual([360, 360, 360, 0, 0, 0]);
    expect(at([], 5)).toBeUndefined();
  });

  it('leaves out what is none', () => {
    expect(parse('not found', 'http://x/')).toEqual([]);
    expect(parse('WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n', 'http://x/')).toEqual([]);
  });
});
