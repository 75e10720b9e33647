import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { apiToken, type Refusal, type ServerInfo } from '../shared/api';
import { bitrate, count } from '../shared/format';
import { SearchIcon, ThemeIcon } from '../shared/icons';
import { toggleTheme } from '../shared/theme';
import { Card } from './card';
import { Drawer } from './drawer';
import { Feed, type Line } from './feed';
import { Login } from './login';
import { apply, arrange, emptyModel, type Model } from './model';
import { Recordings } from './recordings';
import { Welcome } from './welcome';

const lineWords: Record<Line, string> = {
  connecting: 'Connecting…', live: 'Up to date', polling: 'Up to date (polling)', down: 'The server does not answer; trying again',
};

export function App() {
  const [model, setModel] = useState<Model>(emptyModel);
  const [known, setKnown] = useState(false); // the list has come once
  const [line, setLine] = useState<Line>('connecting');
  const [info, setInfo] = useState<ServerInfo | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [search, setSearch] = useState('');
  const [open, setOpen] = useOpenStream();
  const now = useNow();

  const feed = useRef<Feed | null>(null);
  useEffect(() => {
    const f = new Feed({
      event: (e) => {
        if (e.type === 'streams') setKnown(true);
        setModel((m) => apply(m, e));
      },
      line: setLine,
      info: setInfo,
      refused: setRefusal,
    });
    feed.current = f;
    void f.start();
    return () => f.stop();
  }, []);

  const shown = useMemo(() => arrange(model.streams, search), [model.streams, search]);
  const selected = model.streams.find((s) => s.path === open);
  const live = model.streams.filter((s) => s.state === 'live');

  return (
    <>
      <header class="top">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" />Millrace</a>
        {!refusal && known && (
          <p class="summary">
            <span><b>{live.length}</b> live</span>
            <span><b>{count(model.streams.reduce((n, s) => n + s.viewers + s.readers, 0))}</b> watching</span>
            <span><b>{bitrate(live.reduce((n, s) => n + s.input.bitrate, 0))}</b> in</span>
          </p>
        )}
        <span class="gap" />
        {!refusal && <span class={`linestate ${line}`} role="status" title={lineWords[line]}><i />{line === 'live' || line === 'polling' ? '' : lineWords[line]}<span class="offscreen">{lineWords[line]}</span></span>}
        {model.streams.length > 6 && (
          <label class="search"><SearchIcon /><span class="offscreen">Find a stream</span>
            <input class="field" type="search" placeholder="Find a stream" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
          </label>
        )}
        {apiToken.get() && !refusal && <button type="button" class="button quiet" onClick={() => { apiToken.set(''); location.reload(); }}>Sign out</button>}
        <a class="button quiet" href="/api/docs">API</a>
        <button type="button" class="button quiet" aria-label="Dark or light" title="Dark or light" onClick={() => toggleTheme()}><ThemeIcon /></button>
      </header>

      <main>
        {refusal ? <Login refusal={refusal} onToken={() => void feed.current?.start()} />
          : !known ? <p class="loading" role="status">{lineWords[line]}</p>
          : model.streams.length === 0 ? <Welcome info={info} />
          : shown.length === 0 ? <p class="loading">No stream matches “{search}”.</p>
          : (
            <div class="grid">
              {shown.map((s) => <Card key={s.path} stream={s} samples={model.history.get(s.path) ?? []} now={now} onOpen={() => setOpen(s.path)} />)}
            </div>
          )}
        {!refusal && known && <Recordings />}
      </main>

      {selected && (
        <Drawer key={selected.path} stream={selected} samples={model.history.get(selected.path) ?? []} now={now}
          activity={model.activity.filter((e) => e.path === selected.path).slice(0, 8)} onClose={() => setOpen('')} />
      )}
      <footer class="foot">Millrace {info?.version}</footer>
    </>
  );
}

/** The stream whose details are open; in the address, so that it can be shared and gone back from. */
function useOpenStream(): [string, (path: string) => void] {
  const read = (): string => decodeURIComponent(location.hash.slice(1));
  const [open, setOpen] = useState(read);
  useEffect(() => {
    const changed = (): void => setOpen(read());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return [open, (path) => {
    if (path) location.hash = path;
    else history.replaceState(null, '', location.pathname + location.search);
    setOpen(path);
  }];
}

/** The time, each second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
