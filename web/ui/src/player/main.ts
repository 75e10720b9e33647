import 'media-chrome';
import 'media-chrome/menu';
import Hls from 'hls.js';
import '../shared/base.css';
import { applyTheme } from '../shared/theme';
import { Engine } from './engine';
import { FrameRate, figuresOf } from './figures';
import { placeOf, Token, withoutToken } from './place';
import './player.css';
import type { Phase } from './recovery';
import { RenditionList, rungName, rungsOf } from './renditions';
import { Past } from './past';
import { share } from './share';
import { show as showSounds, SoundList } from './sounds';
import { beside } from './storyboard';
import { words } from './words';

declare global {
  interface Window {
    /** For tests and for the curious. */
    millracePlayer: { readonly hls: Hls | null; readonly video: HTMLVideoElement; readonly state: Phase };
  }
}

applyTheme();

function element<T extends HTMLElement>(id: string): T {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no #${id}`);
  return e as T;
}

function tabStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return sessionStorage;
  } catch {
    return { getItem: () => null, setItem: () => {} }; // framed, and storage is forbidden
  }
}

const url = new URL(location.href);
const place = placeOf(url);
const token = new Token(place.path, url, tabStorage());
if (url.searchParams.has('token')) history.replaceState(null, '', withoutToken(url));

const player = element('player');
const video = element<HTMLVideoElement>('video');
const message = element('message');
const unmute = element<HTMLButtonElement>('unmute');
const figures = element<HTMLDListElement>('figures');
const figuresButton = element('figures-button');

document.documentElement.classList.toggle('embed', place.embed);
document.title = `${place.path} · Millrace`;
element('title').textContent = place.path;
element('share').append(...share(place));

// --- what media-chrome wants to find on its video ---

const chromeMenu = customElements.get('media-rendition-menu') as unknown as { formatRendition: typeof rungName };
chromeMenu.formatRendition = rungName;
const renditions = new RenditionList((level) => {
  if (engine.hls) engine.hls.nextLevel = level;
});
const sounds = new SoundList((index) => {
  if (engine.hls) engine.hls.audioTrack = index;
});
// Browsers that have such a list fill it only where they play HLS themselves.
if (Hls.isSupported()) Object.defineProperty(video, 'audioTracks', { value: sounds });
Object.assign(video, { videoRenditions: renditions, streamType: 'live', liveEdgeStart: Number.NaN });

// --- the engine ---

const engine = new Engine(video, place, token, {
  phase: show,
  levels: (hls) => {
    renditions.replace(rungsOf(hls.levels, hls.levels[Math.max(hls.loadLevel, 0)]?.audioCodec));
    const level = hls.levels[0]?.url[0];
    if (place.recording && level) pictures(level);
  },
  sounds: (hls) => showSounds(sounds, hls),
});

// A recording has a bar over all of it, with pictures.
if (place.recording) {
  player.classList.add('recording');
  Object.assign(video, { streamType: 'on-demand' });
}

function pictures(playlist: string): void {
  if (video.querySelector('track[label=thumbnails]')) return;
  const track = document.createElement('track');
  Object.assign(track, { kind: 'metadata', label: 'thumbnails', default: true, src: beside(playlist, 'storyboard.vtt') });
  video.append(track);
}

const past = new Past(place, token, engine, element('past'));

window.millracePlayer = {
  get hls() { return engine.hls; },
  video,
  get state() { return engine.phase; },
};

function show(phase: Phase): void {
  const w = words(phase, engine.wrongToken);
  message.dataset['phase'] = phase;
  video.poster = phase === 'denied' || phase === 'missing' ? '' : `/thumb/${place.path}.jpg`;
  message.hidden = w === null;
  element('subtitle').textContent = w?.title ?? (phase === 'playing' ? past.subtitle : '');
  if (phase === 'playing') void past.look();
  player.toggleAttribute('inert', w !== null && phase !== 'ended' && phase !== 'lost');
  if (!w) return;
  message.classList.toggle('busy', w.busy);
  const [title, text, form] = [message.querySelector('h2'), message.querySelector('p'), message.querySelector('form')];
  if (title) title.textContent = w.title;
  if (text) text.textContent = w.text;
  if (form) form.hidden = !w.token;
}

message.querySelector('form')?.addEventListener('submit', (e) => {
  e.preventDefault();
  const input = element<HTMLInputElement>('token');
  token.set(input.value.trim());
  input.value = '';
  engine.start();
});

// --- sound: it starts muted so that it starts at all, and one click is enough ---

function showMuted(): void {
  unmute.hidden = !video.muted || video.paused || engine.phase !== 'playing';
}
for (const e of ['volumechange', 'playing', 'pause', 'emptied']) video.addEventListener(e, showMuted);
unmute.addEventListener('click', () => {
  video.muted = false;
  if (video.volume === 0) video.volume = 0.8;
});

// --- the live edge, each second ---

// media-chrome would seek to the very end, where nothing is buffered yet.
player.addEventListener('mediaseektoliverequest', (e) => {
  e.stopImmediatePropagation();
  if (!past.toLive()) engine.toLive();
}, { capture: true });

const rate = new FrameRate();
setInterval(() => {
  const edge = engine.liveEdge;
  Object.assign(video, { liveEdgeStart: edge === null ? Number.NaN : edge - Math.max(2, engine.hls?.targetLatency ?? 4) });
  showMuted();
  past.show();
  if (!figures.hidden) showFigures();
}, 1000);

function showFigures(): void {
  const rows = figuresOf({ hls: engine.hls, video, stalls: engine.stalls }, rate, performance.now());
  figures.replaceChildren(...rows.flatMap(([name, value]) => {
    const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  }));
}

function toggleFigures(): void {
  figures.hidden = !figures.hidden;
  figuresButton.setAttribute('aria-pressed', String(!figures.hidden));
  if (!figures.hidden) showFigures();
}
figuresButton.addEventListener('click', toggleFigures);
document.addEventListener('keydown', (e) => {
  if (e.key === 'i' && !e.ctrlKey && !e.metaKey && !e.altKey && !(e.target instanceof HTMLInputElement)) toggleFigures();
});

engine.start();
