// What a check says, as values. Pure: no network, no document.

import type { CheckEvent, CheckResult } from '../shared/api';

/** The data of Server-Sent Events, each a CheckEvent, as they come. */
export async function* checkEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<CheckEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = event.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
        if (data) yield JSON.parse(data) as CheckEvent;
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // it may have failed already
  }
}

export type Mark = 'bad' | 'warn' | 'ok' | 'none';

/** How a result is shown: a recommendation that is not followed only warns. */
export function markOf(r: CheckResult): Mark {
  if (r.verdict === 'broken') return r.must ? 'bad' : 'warn';
  return r.verdict === 'passed' ? 'ok' : 'none';
}

const order: Record<Mark, number> = { bad: 0, warn: 1, ok: 2, none: 3 };

/** Results, what is wrong first. */
export function arrangeResults(results: readonly CheckResult[]): CheckResult[] {
  return results.toSorted((a, b) => order[markOf(a)] - order[markOf(b)]);
}

export function tally(results: readonly CheckResult[]): Record<Mark, number> {
  const n: Record<Mark, number> = { bad: 0, warn: 0, ok: 0, none: 0 };
  for (const r of results) n[markOf(r)]++;
  return n;
}

/** Where the rule stands: "§4.4.4.9", "Apple 14.3". */
export function sectionOf(r: CheckResult): string {
  return r.section.startsWith('Apple') ? r.section : `§${r.section}`;
}
