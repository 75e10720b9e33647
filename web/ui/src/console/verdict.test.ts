import { describe, expect, it } from 'vitest';
import type { CheckEvent, CheckResult } from '../shared/api';
import { arrangeResults, checkEvents, markOf, sectionOf, tally } from './verdict';

const rule = (id: string, verdict: CheckResult['verdict'], must = true): CheckResult => ({ id, verdict, must, section: '4.4', text: '' });

function body(...chunks: string[]): ReadableStream<Uint8Array> {
  const all = chunks.map((c) => new TextEncoder().encode(c));
  return new ReadableStream({
    pull(to) {
      const next = all.shift();
      if (next) to.enqueue(next);
      else to.close();
    },
  });
}

async function read(...chunks: string[]): Promise<CheckEvent[]> {
  const events: CheckEvent[] = [];
  for await (const e of checkEvents(body(...chunks))) events.push(e);
  return events;
}

describe('the events of a check', () => {
  it('come one by one, wherever the network cuts them', async () => {
    const text = 'retry: 2000\n\ndata: {"elapsed":1}\n\n: still here\n\ndata: {"error":{"code":"x","message":"é"}}\n\n';
    const want = [{ elapsed: 1 }, { error: { code: 'x', message: 'é' } }];
    expect(await read(text)).toEqual(want);
    expect(await read(...text)).toEqual(want);
  });

  it('are no more when the server breaks off in the middle of one', async () => {
    expect(await read('data: {"elapsed":1}\n\ndata: {"rep')).toEqual([{ elapsed: 1 }]);
  });
});

describe('results', () => {
  const all = [rule('a', 'passed'), rule('b', 'not applicable'), rule('c', 'broken', false), rule('d', 'broken'), rule('e', 'passed')];

  it('show what is wrong first, and keep their order otherwise', () => {
    expect(arrangeResults(all).map((r) => r.id)).toEqual(['d', 'c', 'a', 'e', 'b']);
  });

  it('are counted by what they mean', () => {
    expect(tally(all)).toEqual({ bad: 1, warn: 1, ok: 2, none: 1 });
    expect(markOf(rule('x', 'broken', false))).toBe('warn');
  });

  it('say where their rule stands', () => {
    expect(sectionOf(rule('x', 'passed'))).toBe('§4.4');
    expect(sectionOf({ ...rule('x', 'passed'), section: 'Apple 8.4' })).toBe('Apple 8.4');
  });
});
