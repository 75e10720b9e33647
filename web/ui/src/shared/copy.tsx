import { useEffect, useState } from 'preact/hooks';
import { CheckIcon, CopyIcon } from './icons';

/** Copies text; where the page may not (plain http from elsewhere), the old way. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'offscreen';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class="button quiet" title={`Copy ${label}`} aria-label={`Copy ${label}`} onClick={async () => setDone(await copyText(text))}>
      {done ? <CheckIcon /> : <CopyIcon />}
      <span aria-live="polite" class="offscreen">{done ? 'Copied' : ''}</span>
    </button>
  );
}

export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <div class="copy">
      <code title={text}>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
