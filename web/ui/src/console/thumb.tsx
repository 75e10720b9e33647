import { useEffect, useRef, useState } from 'preact/hooks';
import { apiToken, authorization } from '../shared/api';

const every = 5000; // the server makes no newer one sooner

/**
 * The newest picture of a stream; with an empty src there is none. It is
 * fetched, not linked, so that the token can go along and the old picture stays
 * until the new one is whole; only while it can be seen, and just once where
 * nothing moves.
 */
export function Thumb({ src, still, alt }: { src: string; still: boolean; alt: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [picture, setPicture] = useState('');

  useEffect(() => {
    if (!src) return;
    let timer = 0;
    let seen = false;
    let current = '';
    const leave = new AbortController();

    async function load(): Promise<void> {
      clearTimeout(timer);
      if (!seen || document.hidden || leave.signal.aborted) return;
      try {
        const answer = await fetch(src, { headers: authorization(apiToken.get()), signal: leave.signal });
        if (answer.ok) show(URL.createObjectURL(await answer.blob()));
      } catch {
        // no answer: the next try is soon
      }
      if (!still) timer = window.setTimeout(() => void load(), every);
    }

    function show(url: string): void {
      const old = current;
      if (leave.signal.aborted) return URL.revokeObjectURL(url);
      current = url;
      setPicture(url);
      if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
    }

    const watcher = new IntersectionObserver(([entry]) => {
      seen = entry?.isIntersecting ?? false;
      void load();
    });
    if (box.current) watcher.observe(box.current);
    const shown = (): void => void load();
    document.addEventListener('visibilitychange', shown);
    return () => {
      leave.abort();
      watcher.disconnect();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
      if (current) URL.revokeObjectURL(current);
    };
  }, [src, still]);

  return (
    <div class={`thumb ${still ? 'still' : ''}`} ref={box}>
      {picture ? <img src={picture} alt={alt} /> : <span class="blank" />}
    </div>
  );
}
