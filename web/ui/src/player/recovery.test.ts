import { describe, expect, it } from 'vitest';
import { type Answer, type Command, type Event, initial, type State, step } from './recovery';

/** Plays events and keeps what was commanded. */
class Play {
  state: State = initial;
  commands: Command[] = [];
  constructor(...events: Event[]) {
    this.then(...events);
  }
  then(...events: Event[]): this {
    for (const e of events) {
      const [next, commands] = step(this.state, e);
      this.state = next;
      this.commands = commands;
    }
    return this;
  }
  get phase(): string {
    return this.state.phase;
  }
  get did(): string[] {
    return this.commands.map((c) => c.do);
  }
}

const start: Event = { type: 'start' };
const timer: Event = { type: 'timer' };
const progress = (at = 0): Event => ({ type: 'progress', at });
const answer = (a: Answer): Event => ({ type: 'answer', answer: a });
const network = (what: 'manifest' | 'level' | 'fragment', status?: number, at = 0): Event => ({ type: 'fatal', kind: 'network', what, at, ...(status === undefined ? {} : { status }) });
const media = (at = 0): Event => ({ type: 'fatal', kind: 'media', what: 'fragment', at });
const stalled = (seconds: number): Event => ({ type: 'stalled', at: 0, seconds });

const playing = (): Play => new Play(start, progress());

describe('starting', () => {
  it('loads at once, and asks', () => expect(new Play(start).did).toEqual(['load', 'ask']));
  it('does not replay the last seconds of what is over', () => {
    const p = new Play(start, answer('ended'));
    expect([p.phase, ...p.did]).toEqual(['ended', 'unload', 'wait']);
  });
  it('plays when the picture moves', () => expect(playing().phase).toBe('playing'));

  it('waits for a publisher, and loads when it is there', () => {
    const p = new Play(start, network('manifest', 404));
    expect(p.did).toEqual(['unload', 'ask']);
    expect(p.phase).toBe('loading'); // no flash of "reconnecting" before anything was shown
    p.then(answer('waiting'));
    expect([p.phase, ...p.did]).toEqual(['waiting', 'unload', 'wait']);
    expect(p.then(timer).did).toEqual(['ask']);
    expect(p.then(answer('live')).did).toEqual(['load']);
  });

  it('tries again, slower each time, while it is live but not whole yet', () => {
    const p = new Play(start);
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      p.then(network('manifest', 404), answer('live'));
      const [c] = p.commands;
      if (c?.do !== 'wait') throw new Error('it does not wait');
      waits.push(c.ms);
      expect(p.then(timer).did).toEqual(['load']);
    }
    expect(waits[0]).toBeLessThan(500);
    expect(waits.every((w, i) => i === 0 || w >= (waits[i - 1] ?? 0))).toBe(true);
    expect(Math.max(...waits)).toBe(2000);
  });

  it.each([[401, 'denied'], [403, 'denied'], [400, 'missing']] as const)('knows %i at the manifest as %s', (status, phase) => {
    const p = new Play(start, network('manifest', status));
    expect([p.phase, ...p.did]).toEqual([phase, 'unload', 'wait']);
  });

  it('starts anew with a token', () => {
    const p = new Play(start, network('manifest', 401)).then(start);
    expect([p.phase, ...p.did]).toEqual(['loading', 'load', 'ask']);
  });
});

describe('the publisher leaves', () => {
  it('is told in words, and goes on in the same playlists when it is back', () => {
    const p = playing().then(stalled(1));
    expect(p.did).toEqual([]);
    expect(p.then(stalled(1.5)).did).toEqual(['ask']);
    expect(p.then(stalled(4)).did).toEqual([]); // asked once, not each second
    p.then(answer('lost'));
    expect([p.phase, ...p.did]).toEqual(['lost', 'wait']);
    // Longer than any hold: it never gives up by itself.
    for (let s = 5; s < 600; s++) {
      p.then(stalled(s));
      expect(p.did).toEqual([]);
      p.then(timer, answer('lost'));
    }
    p.then(timer, answer('live'));
    expect([p.phase, ...p.did]).toEqual(['playing', 'watch']); // it has the time of a stall that has just begun
    expect(p.then(progress(1)).state.stall).toBe('none');
  });

  it('says nothing while what is buffered still plays', () => {
    const p = playing().then(stalled(3), answer('lost'), progress(1), timer, answer('lost'));
    expect([p.phase, ...p.did]).toEqual(['playing']);
  });

  it('ends when hold is over', () => {
    const p = playing().then(stalled(3), answer('lost'), timer, answer('ended'));
    expect([p.phase, ...p.did]).toEqual(['ended', 'unload', 'wait']);
  });

  it('survives playlists that answer 503 or 404 meanwhile', () => {
    const p = playing().then(network('level', 503, 0));
    expect(p.did).toEqual(['resume']);
    p.then(network('level', 503, 5000), network('level', 503, 9000));
    expect([p.phase, ...p.did]).toEqual(['reconnecting', 'unload', 'ask']);
    expect(p.then(answer('lost')).phase).toBe('lost');
    p.then(timer, answer('live'));
    expect([p.phase, ...p.did]).toEqual(['loading', 'load']);

    const q = playing().then(network('level', 404));
    expect(q.did).toEqual(['unload', 'ask']);
  });
});

describe('the end', () => {
  it('says so, and plays what comes next without being asked', () => {
    const p = playing().then({ type: 'finished' });
    expect([p.phase, ...p.did]).toEqual(['ended', 'unload', 'wait']);
    p.then(timer, answer('ended'), timer, answer('waiting'));
    expect(p.phase).toBe('waiting');
    p.then(timer, answer('live'));
    expect(p.did).toEqual(p.state.tries === 1 ? ['load'] : ['wait']);
    p.then(timer);
    expect([p.phase, p.state.loaded]).toEqual(['loading', true]);
  });

  it('does not cut what is still buffered when the server says "ended" during a stall', () => {
    const p = playing().then(stalled(3), answer('ended'));
    expect([p.phase, ...p.did]).toEqual(['playing']);
  });
});

describe('faults', () => {
  it('mends the decoder, then with another audio codec, then starts anew', () => {
    const p = playing();
    expect(p.then(media(0)).commands).toEqual([{ do: 'recover', swap: false }]);
    expect(p.then(media(1000)).commands).toEqual([{ do: 'recover', swap: true }]);
    expect(p.then(media(2000)).did).toEqual(['unload', 'ask']);
    expect(p.then(answer('live')).did).toEqual(['load']);
  });

  it('forgets faults that are long past', () => {
    const p = playing().then(media(0), media(1000), progress(20_000), media(21_000));
    expect(p.commands).toEqual([{ do: 'recover', swap: false }]);
  });

  it('goes on loading after a missing segment', () => {
    expect(playing().then(network('fragment', 404)).did).toEqual(['resume']);
  });

  it('keeps trying while the server is away, and not too often', () => {
    const p = playing().then(network('manifest'), answer('unreachable'));
    expect(p.phase).toBe('reconnecting');
    let last = 0;
    for (let i = 0; i < 50; i++) {
      const c = p.commands.find((x) => x.do === 'wait');
      if (c?.do !== 'wait') throw new Error('it gave up');
      last = c.ms;
      p.then(timer);
      expect(p.did).toEqual(['ask']);
      p.then(answer('unreachable'));
    }
    expect(last).toBe(5000);
    p.then(timer, answer('live'));
    expect(p.state.loaded || p.did.includes('wait')).toBe(true);
  });

  it('jumps to the live edge, then starts anew, when it stands still for no reason', () => {
    const p = playing().then(stalled(3), answer('live'));
    expect(p.phase).toBe('playing');
    expect(p.then(stalled(8)).did).toEqual(['jump']);
    expect(p.then(stalled(12)).did).toEqual([]);
    expect(p.then(stalled(16)).did).toEqual(['load']);
  });

  it('is asked for a token when it runs out in the middle', () => {
    const p = playing().then(network('level', 401));
    expect(p.phase).toBe('denied');
  });

  it('ignores what hls.js says after it was let go', () => {
    const p = playing().then({ type: 'finished' });
    for (const late of [network('level', 404), media(), stalled(30), progress(5)]) {
      expect(p.then(late).did).toEqual([]);
      expect(p.phase).toBe('ended');
    }
  });
});

describe('whatever happens', () => {
  it('never ends up where nothing will happen any more', () => {
    // A small random walk: after any history the machine is playing (the stall
    // clock watches), or has said what comes next.
    const answers: Answer[] = ['waiting', 'live', 'lost', 'ended', 'failed', 'denied', 'missing', 'unreachable'];
    let seed = 42;
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
    for (let run = 0; run < 2000; run++) {
      let state = initial;
      let pending: 'timer' | 'answer' | null = null;
      for (let i = 0; i < 30; i++) {
        const happening: Event[] = i === 0 ? [start] : [
          network('level', 404, i * 1000), network('fragment', undefined, i * 1000), network('manifest', 404), media(i * 1000),
          progress(i * 1000), stalled(random(30)), { type: 'finished' },
        ];
        if (pending === 'timer') happening.push(timer, timer, timer);
        if (pending === 'answer') for (let k = 0; k < 3; k++) happening.push(answer(answers[random(answers.length)] ?? 'live'));
        const e = happening[random(happening.length)] ?? start;
        const [next, commands] = step(state, e);
        if (e.type === 'timer' || e.type === 'answer') pending = null;
        for (const c of commands) {
          if (c.do === 'wait') pending = 'timer';
          if (c.do === 'ask') pending = 'answer';
        }
        state = next;
        expect(state.loaded || pending !== null, `${e.type} left it dead in ${state.phase}`).toBe(true);
      }
    }
  });
});
