import { describe, expect, it } from 'vitest';
import type { Stream } from '../shared/api';
import { apply, arrange, emptyModel, type Model, pictureSize, troubles } from './model';

function stream(path: string, change: Partial<Stream> = {}): Stream {
  return {
    path, state: 'live', since: '', created: '', tracks: [], renditions: [], readers: 0, viewers: 0, bytesOut: 0,
    input: { bytes: 0, packets: 0, bitrate: 1000, fps: 25, lost: 0, dropped: 0, drift: 0 },
    urls: { watch: '', hls: '', thumb: '' }, ...change,
  };
}

const at = (s: number): string => new Date(1e12 + s * 1000).toISOString();
const list = (m: Model, s: number, ...data: Stream[]): Model => apply(m, { id: 0, time: at(s), type: 'streams', data });

describe('the model', () => {
  it('keeps a minute of figures for each stream that is there, and none for one that left', () => {
    let m = emptyModel;
    for (let i = 0; i < 90; i++) m = list(m, i, stream('a'), ...(i < 10 ? [stream('b')] : []));
    expect(m.history.get('a')).toHaveLength(60);
    expect(m.history.has('b')).toBe(false);
  });

  it('makes bits a second out of the bytes sent', () => {
    let m = list(emptyModel, 0, stream('a', { bytesOut: 1000 }));
    m = list(m, 2, stream('a', { bytesOut: 2000 }));
    expect(m.history.get('a')?.map((s) => s.out)).toEqual([0, 4000]);
  });

  it('does not go below zero when a server starts again', () => {
    const m = list(list(emptyModel, 0, stream('a', { bytesOut: 1e9 })), 1, stream('a', { bytesOut: 5 }));
    expect(m.history.get('a')?.at(-1)?.out).toBe(0);
  });

  it('remembers what happened, newest first, and not for ever', () => {
    let m = emptyModel;
    for (let id = 1; id <= 50; id++) m = apply(m, { id, time: at(id), type: 'stream:live', path: 'a' });
    expect(m.activity).toHaveLength(30);
    expect(m.activity[0]?.id).toBe(50);
    expect(m.streams).toEqual([]);
  });
});

describe('troubles', () => {
  it('says nothing of a healthy stream', () => {
    expect(troubles(stream('a', { worker: { speed: 1.4, queue: 0, dropped: 0, rss: 1, restarts: 0 } }))).toEqual([]);
  });
  it('names what is wrong', () => {
    const s = stream('a', {
      error: 'encoder crashed',
      worker: { speed: 0.8, queue: 0, dropped: 0, rss: 1, restarts: 2, degraded: '720p is off' },
      tracks: [{ id: 1, kind: 'audio', codec: 'xyz', problem: 'codec not supported' }],
    });
    s.input.drift = -120;
    expect(troubles(s)).toEqual([
      'encoder crashed', '720p is off', 'coding at 0.80× of real time', 'audio track: codec not supported', 'worker restarted 2×', 'sound behind by 120 ms',
    ]);
  });
});

describe('the list', () => {
  const streams = [stream('cam10'), stream('cam2'), stream('old', { state: 'ended' }), stream('x', { state: 'failed' }), stream('cam3', { state: 'lost' })];
  it('puts first what needs a look, and sorts as people count', () => {
    expect(arrange(streams, '').map((s) => s.path)).toEqual(['x', 'cam3', 'cam2', 'cam10', 'old']);
  });
  it('finds by words of path and state', () => {
    expect(arrange(streams, 'CAM live').map((s) => s.path)).toEqual(['cam2', 'cam10']);
    expect(arrange(streams, 'nothing')).toEqual([]);
  });
  it('says the size of the picture', () => {
    expect(pictureSize(stream('a', { tracks: [{ id: 0, kind: 'video', codec: 'h264', width: 1920, height: 1080 }] }))).toBe('1920×1080');
    expect(pictureSize(stream('a'))).toBe('');
  });
});
