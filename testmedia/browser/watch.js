// Watches one <video>: reads the block strip of every picture it presents, and
// notes when playback stops although it should go on. Evaluated once a page as
// a function of the element, the strip's layouts and its widths in bits.
(video, layouts, widths) => {
  'use strict';

  const guard = 2;
  const minContrast = 32;
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 64;
  const band = 0.16; // of the picture's height, from the top, holds all layouts
  const context = canvas.getContext('2d', { willReadFrequently: true });

  const mean = (pixels, x, y, w, h) => {
    const x0 = Math.ceil(x - 0.5), x1 = Math.max(Math.ceil(x + w - 0.5), x0 + 1);
    const y0 = Math.ceil(y - 0.5), y1 = Math.max(Math.ceil(y + h - 0.5), y0 + 1);
    let sum = 0;
    for (let row = y0; row < y1; row++) {
      for (let at = (row * canvas.width + x0) * 4, end = (row * canvas.width + x1) * 4; at < end; at += 4) {
        sum += pixels[at] + 2 * pixels[at + 1] + pixels[at + 2];
      }
    }
    return sum / 4 / ((x1 - x0) * (y1 - y0));
  };

  const sample = (pixels, layout) => {
    const blocks = layout.Bits + 2 * guard;
    const w = (layout.Right - layout.Left) / blocks * canvas.width;
    const h = (layout.Bottom - layout.Top) / layout.Rows / band * canvas.height;
    const bits = [];
    for (let row = 0; row < layout.Rows; row++) {
      const levels = [];
      for (let i = 0; i < blocks; i++) {
        levels.push(mean(pixels, layout.Left * canvas.width + (i + 0.25) * w, layout.Top / band * canvas.height + (row + 0.25) * h, w / 2, h / 2));
      }
      const [w0, b0] = levels, [b1, w1] = levels.slice(-guard);
      const threshold = (w0 + w1 + b0 + b1) / 4;
      if ((w0 + w1 - b0 - b1) / 2 < minContrast || w0 < threshold || w1 < threshold || b0 > threshold || b1 > threshold) {
        return null;
      }
      bits.push(...levels.slice(guard, -guard).map((level) => (level > threshold ? 1 : 0)));
    }
    return bits;
  };

  const crc16 = (bits) => bits.reduce((crc, bit) => ((crc >> 15) !== bit ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff, 0xffff);
  const number = (bits) => bits.reduce((n, bit) => n * 2 + bit, 0);

  const read = () => {
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * band, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    for (const layout of layouts) {
      const bits = sample(pixels, layout);
      const body = widths.Frame + widths.Wall;
      if (bits && crc16(bits.slice(0, body)) === number(bits.slice(body))) {
        return { frame: number(bits.slice(0, widths.Frame)), wall: number(bits.slice(widths.Frame, body)) };
      }
    }
    return null;
  };

  const shown = [];
  const onFrame = (now, meta) => {
    const strip = read();
    shown.push({
      readable: strip !== null, frame: strip?.frame ?? 0, wall: strip?.wall ?? 0,
      at: performance.timeOrigin + now, mediaTime: meta.mediaTime, presented: meta.presentedFrames,
      width: video.videoWidth, height: video.videoHeight,
    });
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);

  const events = [];
  for (const name of ['loadedmetadata', 'playing', 'waiting', 'stalled', 'pause', 'seeking', 'seeked', 'ended', 'error', 'emptied', 'resize']) {
    video.addEventListener(name, () => events.push({ name, at: Date.now(), time: video.currentTime }));
  }

  // A stall is when the time does not grow although it should. It is seen by
  // looking, because Chromium says 'waiting' for some stalls only.
  const stalls = [];
  let last = { time: -1, at: 0 }, stall = null, started = false;
  setInterval(() => {
    const now = Date.now(), time = video.currentTime;
    if (time !== last.time || video.paused || video.ended || video.seeking) {
      started ||= time > last.time && last.time >= 0;
      last = { time, at: now };
      stall = null;
    } else if (started && now - last.at > 250) {
      if (!stall) {
        stall = { at: last.at, time, length: 0 };
        stalls.push(stall);
      }
      stall.length = now - last.at;
    }
  }, 50);

  const take = (list) => list.splice(0, list.length);
  return {
    shown: () => take(shown),
    events: () => take(events),
    stalls: () => stalls,
    state: () => {
      const quality = video.getVideoPlaybackQuality();
      const ranges = video.buffered;
      return {
        time: video.currentTime, paused: video.paused, ended: video.ended, muted: video.muted, ready: video.readyState,
        width: video.videoWidth, height: video.videoHeight, error: video.error ? video.error.message || `code ${video.error.code}` : '',
        buffered: ranges.length ? ranges.end(ranges.length - 1) - video.currentTime : 0,
        total: quality.totalVideoFrames, dropped: quality.droppedVideoFrames,
      };
    },
  };
}
