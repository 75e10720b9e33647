// What the viewer is told in each phase.

import type { Phase } from './recovery';

export interface Words {
  title: string;
  text: string;
  busy: boolean; // something is being tried, and the page goes on by itself
  token?: boolean; // a token would help
}

export function words(phase: Phase, wrongToken: boolean): Words | null {
  switch (phase) {
    case 'playing':
      return null;
    case 'loading':
      return null; // the spinner says it
    case 'waiting':
      return { title: 'Waiting for the publisher', text: 'Nobody is sending yet. It starts here by itself.', busy: true };
    case 'lost':
      return { title: 'The publisher is gone', text: 'Waiting for it to come back. It goes on here by itself.', busy: true };
    case 'reconnecting':
      return { title: 'Reconnecting', text: 'The server cannot be reached at the moment.', busy: true };
    case 'ended':
      return { title: 'The stream has ended', text: 'Should it start again, it plays here by itself.', busy: false };
    case 'failed':
      return { title: 'The stream has failed', text: 'The server could not go on with it. It plays here as soon as it works again.', busy: false };
    case 'denied':
      return {
        title: 'Not allowed', busy: false, token: true,
        text: wrongToken ? 'This token does not open the stream.' : 'This stream is for those who have a token.',
      };
    case 'missing':
      return { title: 'Not found', text: 'No stream can have this address. Has it been copied whole?', busy: false };
  }
}
