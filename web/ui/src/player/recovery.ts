// How the player gets over whatever happens, as a pure state machine: events
// in, commands out, no clock, no network, no document. The rules:
//
//  - Nobody has to reload the page. The machine tries for ever, slowly.
//  - What can be mended in place is: hls.js goes on loading, or the decoder is
//    set up anew. What cannot is loaded anew, from the multivariant playlist.
//  - While nothing can be played, the server is asked what is the matter, and
//    the viewer is told in words.

export type Phase =
  | 'loading' // asked for the stream, nothing shown yet
  | 'playing'
  | 'lost' // the publisher left and may come back
  | 'waiting' // nobody has published yet
  | 'reconnecting' // the network or the server is away
  | 'ended'
  | 'failed' // the server gave the stream up
  | 'denied'
  | 'missing'; // no stream can have this name

/** What the server says of the stream, or why it says nothing. */
export type Answer = 'waiting' | 'live' | 'lost' | 'ended' | 'failed' | 'denied' | 'missing' | 'unreachable';

export type Event =
  | { type: 'start' } // the page is there, or a token was given
  | { type: 'progress'; at: number } // the picture moved
  | { type: 'finished' } // played to the end of an ended stream
  | { type: 'fatal'; at: number; kind: 'network' | 'media' | 'other'; what: 'manifest' | 'level' | 'fragment'; status?: number }
  | { type: 'stalled'; at: number; seconds: number } // the picture should move and has not, for so long
  | { type: 'answer'; answer: Answer }
  | { type: 'timer' };

export type Command =
  | { do: 'load' } // anew, from the multivariant playlist
  | { do: 'unload' }
  | { do: 'resume' } // go on loading where it stopped
  | { do: 'recover'; swap: boolean } // set the decoder up anew, perhaps with another audio codec
  | { do: 'jump' } // to the live edge
  | { do: 'watch' } // start the stall clock anew
  | { do: 'ask' } // the server for an Answer
  | { do: 'wait'; ms: number }; // then a timer event; replaces any earlier wait

export interface State {
  phase: Phase;
  loaded: boolean; // hls.js is there and may be playing
  shown: boolean; // a picture moved since it was loaded
  tries: number; // loads in a row that showed nothing
  asks: number; // questions in a row
  mended: readonly number[]; // when loading was resumed or the decoder set up anew
  stall: 'none' | 'asked' | 'jumped';
}

export const initial: State = { phase: 'loading', loaded: false, shown: false, tries: 0, asks: 0, mended: [], stall: 'none' };

type Step = [State, Command[]];

const mendWindow = 15_000; // ms in which a second or third fault means that mending does not help
const askStall = 1.5; // s of standing still after which the server is asked
const jumpStall = 8; // s after which the player jumps to the live edge
const reloadStall = 16; // s after which it starts anew

export function step(s: State, e: Event): Step {
  switch (e.type) {
    case 'start': {
      // Asked at the same time: an ended stream can still be fetched for a
      // while, and replaying its last seconds to a newcomer helps nobody.
      const [next, commands] = load({ ...initial });
      return [next, [...commands, { do: 'ask' }]];
    }
    case 'progress':
      return progress(s, e.at);
    case 'finished':
      return rest({ ...s, phase: 'ended', loaded: false, asks: 0 });
    case 'fatal':
      return fatal(s, e);
    case 'stalled':
      return stalled(s, e.seconds);
    case 'answer':
      return answered(s, e.answer);
    case 'timer':
      // Loading once more is for who was told "live"; others ask again.
      return s.phase === 'loading' && !s.loaded ? load(s) : [s, [{ do: 'ask' }]];
  }
}

function load(s: State): Step {
  return [{ ...s, phase: 'loading', loaded: true, shown: false, stall: 'none', asks: 0, tries: s.tries + 1 }, [{ do: 'load' }]];
}

/** Waits without hls.js, and then asks. */
function rest(s: State): Step {
  return [{ ...s, loaded: false, asks: s.asks + 1, stall: 'none' }, [{ do: 'unload' }, { do: 'wait', ms: pause(s) }]];
}

/** How long to wait before the next question: soon where news may come any second. */
function pause(s: State): number {
  switch (s.phase) {
    case 'denied':
    case 'missing':
      return 30_000;
    case 'ended':
    case 'failed':
      return 3000;
    case 'reconnecting':
      return Math.min(5000, 500 * 2 ** Math.min(s.asks, 4));
    default:
      return s.asks < 60 ? 1000 : 3000;
  }
}

function progress(s: State, at: number): Step {
  if (!s.loaded) return [s, []];
  const mended = s.mended.filter((t) => at - t < mendWindow);
  if (s.phase === 'playing' && s.stall === 'none' && mended.length === s.mended.length) return [s, []];
  return [{ ...s, phase: 'playing', shown: true, tries: 0, asks: 0, stall: 'none', mended }, []];
}

function fatal(s: State, e: Event & { type: 'fatal' }): Step {
  if (!s.loaded) return [s, []];
  if (e.kind === 'network') {
    if (e.status === 401 || e.status === 403) return rest({ ...s, phase: 'denied', asks: 0 });
    if (e.status === 400 && e.what === 'manifest') return rest({ ...s, phase: 'missing', asks: 0 });
  }
  const mended = s.mended.filter((t) => e.at - t < mendWindow);
  // A playlist that is gone (404) will not come back: a segment may be an
  // accident, and the next one is there.
  const gone = e.what === 'manifest' || (e.what === 'level' && e.status === 404);
  if (!gone && e.kind !== 'other' && mended.length < 2) {
    const command: Command = e.kind === 'media' ? { do: 'recover', swap: mended.length > 0 } : { do: 'resume' };
    return [{ ...s, mended: [...mended, e.at] }, [command]];
  }
  return [{ ...s, phase: s.shown ? 'reconnecting' : s.phase, loaded: false, mended: [], stall: 'none' }, [{ do: 'unload' }, { do: 'ask' }]];
}

function stalled(s: State, seconds: number): Step {
  if (!s.loaded) return [s, []];
  if (seconds >= reloadStall && s.phase !== 'lost') return load({ ...s, mended: [] });
  if (seconds >= jumpStall && s.stall === 'asked' && s.phase === 'playing') return [{ ...s, stall: 'jumped' }, [{ do: 'jump' }]];
  if (seconds >= askStall && s.stall === 'none') return [{ ...s, stall: 'asked' }, [{ do: 'ask' }]];
  return [s, []];
}

function answered(s: State, answer: Answer): Step {
  if (s.loaded) return whileLoaded(s, answer);
  switch (answer) {
    case 'live':
      // The first try at once, the next ones slower: it is live before its
      // first segments are whole.
      if (s.tries === 0) return load(s);
      return [{ ...s, phase: 'loading' }, [{ do: 'wait', ms: Math.min(2000, 250 * 1.5 ** s.tries) }]];
    case 'unreachable':
      return rest({ ...s, phase: 'reconnecting' });
    default:
      return rest({ ...s, phase: answer, tries: 0 });
  }
}

/** News while hls.js stands still but lives: it may go on by itself. */
function whileLoaded(s: State, answer: Answer): Step {
  switch (answer) {
    case 'lost':
      if (s.stall === 'none') return [s, []]; // what is buffered still plays
      return [{ ...s, phase: 'lost', asks: s.asks + 1 }, [{ do: 'wait', ms: 1000 }]];
    case 'live':
      // Back, or never away: the same playlists go on, and the stall clock
      // decides whether more is needed.
      return s.phase === 'lost' ? [{ ...s, phase: 'playing', asks: 0, stall: 'asked' }, [{ do: 'watch' }]] : [s, []];
    case 'unreachable':
      return [{ ...s, phase: s.phase === 'lost' ? 'lost' : 'reconnecting', asks: s.asks + 1 }, [{ do: 'wait', ms: pause({ ...s, phase: 'reconnecting' }) }]];
    case 'ended':
      // What is buffered is played to its end; 'finished' follows. Where the
      // playlist never says so, the stall clock starts anew and finds out.
      return s.phase === 'lost' || !s.shown ? rest({ ...s, phase: 'ended', asks: 0 }) : [s, []];
    default:
      return rest({ ...s, phase: answer, asks: 0, tries: 0 });
  }
}
