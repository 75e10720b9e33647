// The figures that can be laid over the picture.

import type Hls from 'hls.js';
import { bitrate, fps, seconds } from '../shared/format';
import { rungName } from './renditions';

export interface Measured {
  hls: Hls | null;
  video: HTMLVideoElement;
  stalls: number;
}

/** Frames shown since the last look, a second. */
export class FrameRate {
  #frames = 0;
  #at = 0;
  #rate = 0;

  at(frames: number, now: number): number {
    const elapsed = now - this.#at;
    if (elapsed < 900) return this.#rate;
    this.#rate = this.#at > 0 && frames >= this.#frames ? ((frames - this.#frames) * 1000) / elapsed : 0;
    this.#frames = frames;
    this.#at = now;
    return this.#rate;
  }
}

/** Names and values, in the order in which they are shown. */
export function figuresOf({ hls, video, stalls }: Measured, rate: FrameRate, now: number): [name: string, value: string][] {
  const q = video.getVideoPlaybackQuality();
  const level = hls && hls.currentLevel >= 0 ? hls.levels[hls.currentLevel] : undefined;
  const shot = hls?.playingDate;
  return [
    ['Behind live', shot ? seconds((Date.now() - shot.getTime()) / 1000) : hls ? seconds(hls.latency) : '–'],
    ['Of that wanted', seconds(hls?.targetLatency ?? undefined)],
    ['Buffered', seconds(ahead(video))],
    ['Quality', level ? `${rungName(level)}${hls?.autoLevelEnabled ? ' (auto)' : ''}` : '–'],
    ['Picture', video.videoWidth ? `${video.videoWidth}×${video.videoHeight} at ${fps(Math.round(rate.at(q.totalVideoFrames, now)))} fps` : '–'],
    ['Dropped frames', `${q.droppedVideoFrames} of ${q.totalVideoFrames}`],
    ['Stalls', String(stalls)],
    ['Line', bitrate(hls?.bandwidthEstimate)],
  ];
}

/** Seconds buffered after what is shown. */
export function ahead(video: Pick<HTMLVideoElement, 'buffered' | 'currentTime'>): number {
  const { buffered, currentTime } = video;
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime + 0.1 && currentTime < buffered.end(i)) return buffered.end(i) - currentTime;
  }
  return 0;
}
