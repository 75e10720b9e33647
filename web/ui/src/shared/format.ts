// Figures as people read them. Decimal units, as networks count.

const unknown = '–';

/** Bits a second: "2.48 Mbit/s". */
export function bitrate(bits: number | undefined): string {
  if (!bits || bits < 0 || !Number.isFinite(bits)) return unknown;
  if (bits < 1e6) return `${Math.round(bits / 1e3)} kbit/s`;
  return `${(bits / 1e6).toFixed(bits < 1e7 ? 2 : 1)} Mbit/s`;
}

/** Bytes: "1.24 GB". */
export function bytes(n: number | undefined): string {
  if (n === undefined || n < 0 || !Number.isFinite(n)) return unknown;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 99.95 ? Math.round(n) : n.toFixed(n < 9.995 ? 2 : 1)} ${units[i]}`;
}

/** A count: "12", "1,204", "31.4k". */
export function count(n: number): string {
  return n < 10_000 ? n.toLocaleString('en') : `${(n / 1000).toFixed(n < 99_950 ? 1 : 0)}k`;
}

/** Frames a second: "29.97", "30". */
export function fps(n: number | undefined): string {
  if (!n || n < 0 || !Number.isFinite(n)) return unknown;
  return String(Number(n.toFixed(2)));
}

/** The time since a moment: "now", "42 s", "3 min", "2 h 5 min", "4 d". */
export function since(moment: string | undefined, now: number): string {
  const at = moment ? Date.parse(moment) : Number.NaN;
  if (Number.isNaN(at)) return unknown;
  const s = Math.max(0, Math.floor((now - at) / 1000));
  if (s < 5) return 'now';
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 === 0 ? `${h} h` : `${h} h ${min % 60} min`;
  return `${Math.floor(h / 24)} d`;
}

/** Seconds with one digit: "1.8 s". */
export function seconds(n: number | undefined): string {
  if (n === undefined || !Number.isFinite(n)) return unknown;
  return `${n.toFixed(1)} s`;
}

/** A codec's name as people write it. */
export function codec(name: string): string {
  const names: Record<string, string> = {
    h264: 'H.264', h265: 'H.265', av1: 'AV1', vp9: 'VP9', aac: 'AAC', opus: 'Opus',
    'mpeg-audio': 'MPEG audio', ac3: 'AC-3', pcma: 'G.711 A', pcmu: 'G.711 µ', lpcm: 'LPCM',
  };
  return names[name] ?? name;
}
