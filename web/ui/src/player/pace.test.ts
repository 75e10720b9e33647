import { describe, expect, it } from 'vitest';
import { hurry, pace, type Place } from './pace';

const place = (p: Partial<Place>): Place => ({ rate: 1, beyond: 0.3, ahead: 0.6, part: 0.2, ...p });

describe('pace', () => {
  it('hurries where there is enough to play', () => {
    expect(pace(place({}))).toBe(hurry);
    expect(pace(place({ ahead: 0.35 }))).toBe(1);
  });
  it('does not begin for little, and goes on until it is there', () => {
    expect(pace(place({ beyond: 0.06 }))).toBe(1);
    expect(pace(place({ beyond: 0.06, rate: hurry }))).toBe(hurry);
    expect(pace(place({ beyond: 0.01, rate: hurry }))).toBe(1);
  });
  it('wants a second ahead where there are no parts', () => {
    expect(pace(place({ part: 0 }))).toBe(1);
    expect(pace(place({ part: 0, ahead: 1.2 }))).toBe(hurry);
  });
  it('leaves those alone who look at the past, and the rate that a viewer chose', () => {
    expect(pace(place({ beyond: 60 }))).toBe(1);
    expect(pace(place({ rate: 2 }))).toBe(2);
    expect(pace(place({ rate: 0.5, beyond: 0 }))).toBe(0.5);
  });
});
