import { useEffect, useRef, useState } from 'preact/hooks';
import { api, APIError, type ServerEvent, type Stream } from '../shared/api';
import { CopyLine } from '../shared/copy';
import { bitrate, bytes, codec, count, fps, since } from '../shared/format';
import { CloseIcon, PlayIcon } from '../shared/icons';
import { sourceLine, StateBadge } from './card';
import { Check } from './check';
import { type Sample, troubles } from './model';
import { Sparkline } from './sparkline';
import { Thumb } from './thumb';

interface Props {
  stream: Stream;
  samples: readonly Sample[];
  activity: readonly ServerEvent[];
  now: number;
  onClose: () => void;
}

/** Everything about one stream. A dialog, so that the keyboard stays inside. */
export function Drawer({ stream: s, samples, activity, now, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const wrong = troubles(s);
  const embed = `<iframe src="${s.urls.watch}?embed" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" frameborder="0"></iframe>`;
  return (
    <dialog class="drawer" ref={dialog} onClose={onClose} onClick={(e) => e.target === dialog.current && dialog.current?.close()} aria-label={`Stream ${s.path}`}>
      <div class="inside">
        <header>
          <div>
            <h2>{s.path}</h2>
            <p class="source">{sourceLine(s)}</p>
          </div>
          <button type="button" class="button quiet" onClick={() => dialog.current?.close()} aria-label="Close"><CloseIcon /></button>
        </header>

        <Thumb src={s.state === 'waiting' ? '' : s.urls.thumb} still={s.state !== 'live'} alt={`Newest picture of ${s.path}`} />
        <div class="line">
          <StateBadge state={s.state} />
          <span class="dim">for {since(s.since, now)}</span>
          <a class="button primary" href={s.urls.watch}><PlayIcon />Watch</a>
        </div>
        {wrong.length > 0 && <ul class="troubles">{wrong.map((w) => <li key={w}>{w}</li>)}</ul>}

        <div class="charts">
          <Chart title="In" value={bitrate(s.input.bitrate)} values={samples.map((x) => x.in)} />
          <Chart title="To viewers" value={bitrate(samples.at(-1)?.out)} values={samples.map((x) => x.out)} />
          <Chart title="Frames a second" value={fps(s.input.fps)} values={samples.map((x) => x.fps)} />
        </div>

        <Section title="Renditions">
          {s.renditions.length === 0 ? <p class="dim">None yet.</p> : (
            <div class="scroll"><table>
              <thead><tr><th>Name</th><th>What</th><th class="n">Measured</th><th class="n">Declared</th><th>Made by</th></tr></thead>
              <tbody>
                {s.renditions.map((r) => (
                  <tr key={r.name} class={r.state}>
                    <th scope="row">{r.name}</th>
                    <td>{[codec(r.codec), r.width && `${r.width}×${r.height}`, r.fps && `${fps(r.fps)} fps`, r.sampleRate && `${r.sampleRate / 1000} kHz`].filter(Boolean).join(' · ')}</td>
                    <td class="n">{bitrate(r.measuredBitrate)}</td>
                    <td class="n">{bitrate(r.declaredBitrate)}</td>
                    <td>{r.state === 'off' ? 'off (overload)' : r.copy ? 'copy' : 'encoder'}</td>
                  </tr>
                ))}
              </tbody>
            </table></div>
          )}
        </Section>

        <Section title="Source">
          <Facts of={[
            ['Publisher', s.publisher && `${s.publisher.protocol.toUpperCase()}${s.publisher.transport ? ` over ${s.publisher.transport.toUpperCase()}` : ''} from ${s.publisher.remote}`],
            ['Program', s.publisher?.userAgent],
            ['Publishing for', s.publisher && since(s.publisher.since, now)],
            ...s.tracks.map((t): Fact => [
              t.kind === 'video' ? 'Video' : 'Audio',
              [codec(t.codec), t.width && `${t.width}×${t.height}`, t.fps && `${fps(t.fps)} fps`, t.sampleRate && `${t.sampleRate / 1000} kHz`, t.channels && (t.channels === 1 ? 'mono' : t.channels === 2 ? 'stereo' : `${t.channels} channels`), t.language, t.problem].filter(Boolean).join(' · '),
            ]),
            ['Received', `${bytes(s.input.bytes)} in ${count(s.input.packets)} packets`],
            ['Lost on the way', count(s.input.lost), s.input.lost > 0],
            ['Dropped inside', count(s.input.dropped), s.input.dropped > 0],
            ['Timestamps repaired', repaired(s.input.repaired)],
            ['Sound against picture', `${Math.round(s.input.drift)} ms`, Math.abs(s.input.drift) > 40],
          ]} />
        </Section>

        {s.worker && (
          <Section title="Worker">
            <Facts of={[
              ['Speed', `${s.worker.speed.toFixed(2)}× real time`, s.worker.speed > 0 && s.worker.speed < 1],
              ['Waiting', bytes(s.worker.queue)],
              ['Dropped packets', count(s.worker.dropped), s.worker.dropped > 0],
              ['Memory', bytes(s.worker.rss)],
              ['Restarts', count(s.worker.restarts), s.worker.restarts > 0],
              ['Given up', s.worker.degraded, true],
            ]} />
          </Section>
        )}

        <Section title="Rules of HLS"><Check stream={s} /></Section>

        <Section title="Viewers">
          <Facts of={[['Over HLS', count(s.viewers)], ['Over RTSP', count(s.readers)], ['Sent', bytes(s.bytesOut)]]} />
        </Section>

        <Section title="Addresses">
          <CopyLine text={s.urls.hls} label="the HLS address" />
          {s.urls.dash && <CopyLine text={s.urls.dash} label="the DASH address" />}
          {s.urls.rtsp && <CopyLine text={s.urls.rtsp} label="the RTSP address" />}
          <CopyLine text={embed} label="the embed code" />
        </Section>

        {activity.length > 0 && (
          <Section title="Lately">
            <ul class="activity">{activity.map((e) => <li key={e.id}><time dateTime={e.time}>{since(e.time, now)}</time>{eventWords(e)}</li>)}</ul>
          </Section>
        )}
        <Actions stream={s} />
      </div>
    </dialog>
  );
}

function Chart({ title, value, values }: { title: string; value: string; values: readonly number[] }) {
  return (
    <figure>
      <figcaption>{title}<b>{value}</b></figcaption>
      <Sparkline values={values} width={150} height={40} />
    </figure>
  );
}

function Section({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return <section><h3>{title}</h3>{children}</section>;
}

type Fact = [name: string, value: string | undefined, bad?: boolean];

/** Names and values; what is not known is left out. */
function Facts({ of }: { of: Fact[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value, bad], i) => value && <div key={i}><dt>{name}</dt><dd class={bad ? 'bad' : ''}>{value}</dd></div>)}
    </dl>
  );
}

function repaired(by: Record<string, number> | undefined): string {
  const list = Object.entries(by ?? {}).filter(([, n]) => n > 0);
  return list.length === 0 ? 'none' : list.map(([reason, n]) => `${count(n)} ${reason}`).join(', ');
}

/** An event in words: "stream:live" is "live". */
export function eventWords(e: ServerEvent): string {
  const [noun, verb] = e.type.split(':');
  const what = noun === 'stream' ? (verb ?? '') : `${noun} ${verb ?? ''}`;
  const reason = typeof e.data === 'object' && e.data !== null && 'reason' in e.data ? `: ${String(e.data.reason)}` : '';
  return what.trim() + reason;
}

/** Kick and end, each asked twice. */
function Actions({ stream: s }: { stream: Stream }) {
  const [asking, setAsking] = useState<'kick' | 'end' | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  async function act(): Promise<void> {
    if (!asking) return;
    setBusy(true);
    setFailed('');
    try {
      await api[asking](s.path);
    } catch (e) {
      setFailed(e instanceof APIError ? e.message : String(e));
    }
    setBusy(false);
    setAsking(null);
  }
  if (asking) {
    return (
      <div class="actions asked" role="alertdialog" aria-label="Are you sure?">
        <p>{asking === 'kick' ? 'Disconnect the publisher? Viewers wait; many encoders come back by themselves.' : 'End the stream now? Viewers see that it is over.'}</p>
        <button type="button" class="button" onClick={() => setAsking(null)}>Cancel</button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void act()}>{asking === 'kick' ? 'Disconnect' : 'End it'}</button>
      </div>
    );
  }
  return (
    <div class="actions">
      {failed && <p class="bad" role="alert">{failed}</p>}
      <button type="button" class="button danger" disabled={!s.publisher} onClick={() => setAsking('kick')}>Kick publisher</button>
      <button type="button" class="button danger" disabled={s.state === 'ended' || s.state === 'waiting'} onClick={() => setAsking('end')}>End stream</button>
    </div>
  );
}
