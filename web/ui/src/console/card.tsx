import type { Stream, StreamState } from '../shared/api';
import { CopyButton } from '../shared/copy';
import { bitrate, codec, count, fps, since } from '../shared/format';
import { EyeIcon, PlayIcon, WarnIcon } from '../shared/icons';
import { pictureSize, type Sample, troubles } from './model';
import { Sparkline } from './sparkline';
import { Thumb } from './thumb';

const words: Record<StreamState, string> = {
  live: 'Live', lost: 'Publisher lost', waiting: 'Waiting', ended: 'Ended', failed: 'Failed',
};

export function StateBadge({ state }: { state: StreamState }) {
  return <span class={`badge ${state}`}>{words[state]}</span>;
}

/** What the source is: "1920×1080 · H.264 · AAC · rtsp". */
export function sourceLine(s: Stream): string {
  const codecs = s.tracks.map((t) => codec(t.codec));
  return [pictureSize(s), ...codecs, s.publisher?.protocol.toUpperCase()].filter(Boolean).join(' · ');
}

export function Card({ stream: s, samples, now, onOpen }: { stream: Stream; samples: readonly Sample[]; now: number; onOpen: () => void }) {
  const wrong = troubles(s);
  const live = s.state === 'live';
  return (
    <article class={`card ${s.state}`}>
      <button type="button" class="cover" onClick={onOpen} aria-label={`Details of ${s.path}`}>
        <Thumb src={s.state === 'waiting' ? '' : s.urls.thumb} still={!live} alt="" />
        <span class="over">
          <StateBadge state={s.state} />
          <span class="seen" title="Viewers"><EyeIcon />{count(s.viewers + s.readers)}</span>
        </span>
      </button>
      <div class="body">
        <h2><button type="button" class="plain" onClick={onOpen}>{s.path}</button></h2>
        <p class="source">{sourceLine(s) || 'Nothing published yet'}</p>
        <div class="figures">
          <dl>
            <div><dt>In</dt><dd>{live ? bitrate(s.input.bitrate) : '–'}</dd></div>
            <div><dt>fps</dt><dd>{live ? fps(s.input.fps) : '–'}</dd></div>
            <div><dt>{live ? 'For' : 'Since'}</dt><dd>{since(s.since, now)}</dd></div>
          </dl>
        </div>
        {live && <Sparkline values={samples.map((x) => x.in)} width={260} height={30} />}
        {wrong.length > 0 && <p class="trouble"><WarnIcon /><span>{wrong[0]}{wrong.length > 1 && ` (and ${wrong.length - 1} more)`}</span></p>}
        <footer>
          <a class="button" href={s.urls.watch}><PlayIcon />Watch</a>
          <span class="links">
            <span>HLS<CopyButton text={s.urls.hls} label="the HLS address" /></span>
            {s.urls.rtsp && <span>RTSP<CopyButton text={s.urls.rtsp} label="the RTSP address" /></span>}
          </span>
        </footer>
      </div>
    </article>
  );
}
