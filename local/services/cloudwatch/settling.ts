/** How late, and how incomplete at first, what was recorded becomes readable. */
export interface Settling {
  readonly minMs: number;
  readonly maxMs: number;
  /** The part of all (series, minute) pairs that show half of their samples at first, 0..1. */
  readonly correctedShare: number;
  readonly correctedAfterMs: number;
}

export interface SettlingSpan {
  readonly seriesId: number;
  /** The minute that the span is in or equal to; it decides how late. */
  readonly minuteMs: number;
  readonly endMs: number;
  readonly nowMs: number;
}

export type Visibility = 'hidden' | 'half' | 'whole';
export type ChooseVisibility = (span: SettlingSpan) => Visibility;

const DELAY = 1;
const CORRECTION = 2;

/** What a pair of series and minute draws is a hash of both and of one random seed, so that nothing is kept of it. */
export const createSettling = (settling: Settling, random: () => number): ChooseVisibility => {
  const { minMs, maxMs, correctedShare, correctedAfterMs } = settling;
  // Nothing to settle: even the running minute is shown.
  if (maxMs === 0 && correctedShare === 0) return () => 'whole';
  const seed = Math.floor(random() * 2 ** 32);

  return ({ seriesId, minuteMs, endMs, nowMs }) => {
    const draw = (what: number): number => hash([seed, what, seriesId, minuteMs / 60_000]);
    const visibleAtMs = endMs + minMs + draw(DELAY) * (maxMs - minMs);
    if (nowMs < visibleAtMs) return 'hidden';
    return nowMs < visibleAtMs + correctedAfterMs && draw(CORRECTION) < correctedShare ? 'half' : 'whole';
  };
};

/** MurmurHash3's mixing of 32-bit words. @returns 0..1, without 1. */
const hash = (words: readonly number[]): number => {
  let state = 0;
  for (const word of words) {
    state ^= Math.imul(word, 0xcc9e2d51);
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return (state >>> 0) / 2 ** 32;
};
