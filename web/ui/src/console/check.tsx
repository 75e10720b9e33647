import { useEffect, useRef, useState } from 'preact/hooks';
import { api, APIError, type CheckReport, type CheckResult, type Stream } from '../shared/api';
import { count } from '../shared/format';
import { arrangeResults, checkEvents, type Mark, markOf, sectionOf, tally } from './verdict';

const length = 20; // seconds watched

type State =
  | { is: 'idle' }
  | { is: 'watching'; elapsed: number }
  | { is: 'failed'; why: string }
  | { is: 'done'; report: CheckReport };

/** Has the server judge its own output of a stream, and shows what it finds. */
export function Check({ stream: s }: { stream: Stream }) {
  const [state, setState] = useState<State>({ is: 'idle' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function run(): Promise<void> {
    const abort = new AbortController();
    running.current = abort;
    setState({ is: 'watching', elapsed: 0 });
    try {
      const response = await api.check(s.path, length, abort.signal);
      if (response.body) {
        for await (const e of checkEvents(response.body)) {
          if (e.elapsed !== undefined) setState({ is: 'watching', elapsed: e.elapsed });
          if (e.report) return setState({ is: 'done', report: e.report });
          if (e.error) return setState({ is: 'failed', why: e.error.message });
        }
      }
      setState({ is: 'failed', why: 'The server broke the check off.' });
    } catch (e) {
      if (abort.signal.aborted) return setState({ is: 'idle' });
      setState({ is: 'failed', why: e instanceof APIError ? [e.message, e.refusal.hint].filter(Boolean).join(': ') : 'The connection broke.' });
    }
  }

  if (state.is === 'watching') {
    return (
      <div class="check">
        <p class="dim" role="status">{state.elapsed < length ? 'Watching the stream as a player does…' : 'Asking what a player may ask…'}</p>
        <progress max={length} value={Math.min(state.elapsed, length)} aria-label="Progress of the check" />
        <p><button type="button" class="button" onClick={() => running.current?.abort()}>Stop</button></p>
      </div>
    );
  }
  return (
    <div class={`check ${state.is}`}>
      {state.is === 'idle' && <p class="dim">Watches the stream for {length} seconds, downloads what it lists, and judges it by RFC 8216bis and Apple’s authoring specification.</p>}
      {state.is === 'failed' && <p class="bad" role="alert">{state.why}</p>}
      {state.is === 'done' && <Report report={state.report} />}
      <p><button type="button" class="button" disabled={s.state === 'waiting'} onClick={() => void run()}>{state.is === 'idle' ? 'Check' : 'Check again'}</button></p>
    </div>
  );
}

const words: Record<Mark, string> = { bad: 'broken', warn: 'not followed', ok: 'hold', none: 'do not apply' };
const said: Record<Mark, string> = { bad: 'Broken', warn: 'Warning', ok: 'Holds', none: '–' };

function Report({ report: r }: { report: CheckReport }) {
  const n = tally(r.results);
  const [all, setAll] = useState(false);
  const shown = arrangeResults(r.results).filter((x) => all || x.verdict === 'broken');
  return (
    <>
      <p class="tally" role="status">
        {(Object.keys(words) as Mark[]).map((m) => <span key={m} class={n[m] > 0 ? m : 'none'}><b>{n[m]}</b> {words[m]}</span>)}
      </p>
      <p class="dim">
        {r.live ? 'Live' : 'On demand'}{r.lowLatency && ', low latency'}: {count(r.looks)} looks at {count(r.playlists)} playlists, {count(r.pieces)} segments and parts in {Math.round(r.seconds)} s.
      </p>
      {shown.length > 0 && (
        <div class="scroll"><table class="rules">
          <thead><tr><th>Verdict</th><th>Where</th><th>Rule</th></tr></thead>
          <tbody>{shown.map((x) => <Row key={x.id} result={x} />)}</tbody>
        </table></div>
      )}
      <p><label><input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} /> Show every rule</label></p>
    </>
  );
}

function Row({ result: r }: { result: CheckResult }) {
  const mark = markOf(r);
  const more = (r.count ?? 0) - (r.findings?.length ?? 0);
  return (
    <tr class={mark}>
      <td><span class={`verdict ${mark}`}>{said[mark]}</span></td>
      <td>{sectionOf(r)}</td>
      <td>
        {r.text}
        {r.findings && (
          <ul>
            {r.findings.map((f, i) => <li key={i}>{f.playlist && <b>{f.playlist}: </b>}{f.evidence}</li>)}
            {more > 0 && <li>and {count(more)} more like these</li>}
          </ul>
        )}
      </td>
    </tr>
  );
}
