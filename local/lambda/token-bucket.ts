import type { Clock } from '../../lib/clock.ts';

/** So many a second, of which one second's worth may come at once; it is full at first. */
export class TokenBucket {
  readonly #now: Clock;
  #tokens: number | undefined;
  #filledAtMs = 0;

  constructor(now: Clock) {
    this.#now = now;
  }

  /** The rate is given each time, as what it depends on may change in between. */
  take(perSecond: number): boolean {
    const nowMs = this.#now();
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    const tokens = Math.min(perSecond, (this.#tokens ?? perSecond) + (elapsedMs * perSecond) / 1000);
    this.#filledAtMs = nowMs;
    this.#tokens = tokens >= 1 ? tokens - 1 : tokens;
    return tokens >= 1;
  }
}
