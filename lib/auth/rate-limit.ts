import { BoundedMap } from '../cache/bounded-map.ts';
import { SingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../clock.ts';
import { ServingError } from '../errors.ts';
import type { Principal } from './key.ts';

/** Port. What all routers together have let through of a key in a minute. */
export interface Permits {
  /**
   * Takes permits of this minute for one router.
   * @returns how many of `count` there still were, below `limit` in all
   */
  take(keyId: string, minute: number, count: number, limit: number): Promise<number>;
}

export interface RateLimitOptions {
  readonly permits: Permits;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

export type RateLimit = (principal: Principal) => Promise<void>;

const MINUTE_MS = 60_000;
const MAX_KEYS = 10_000;

/** A router takes a twentieth of a minute's permits at once: at most so many writes a minute and key, and little is left unused. */
const PARTS = 20;

interface Minute {
  readonly minute: number;
  left: number;
  /** The table has no more for this minute. */
  isSpent: boolean;
  /** Let through without the table, which did not answer. */
  borrowed: number;
}

/**
 * Holds keys that have a limit to it, over all routers: never above, and below it by what other routers have taken and not used. While
 * the table does not answer each router lets the limit through on its own.
 * @throws ServingError ThrottlingException, to be tried again in the next minute
 */
export const createRateLimit = ({ permits, now, onError }: RateLimitOptions): RateLimit => {
  const minutes = new BoundedMap<Minute>(MAX_KEYS);
  const flights = new SingleFlight<void>();

  const refill = async (id: string, limit: number, current: Minute): Promise<void> => {
    const part = Math.ceil(limit / PARTS);
    try {
      const taken = await permits.take(id, current.minute, part, limit);
      current.left += taken;
      current.isSpent = taken === 0;
    } catch (error) {
      onError(error);
      const lent = Math.min(part, limit - current.borrowed);
      current.left += lent;
      current.borrowed += lent;
      current.isSpent = lent === 0;
    }
  };

  const currentOf = (id: string): Minute => {
    const minute = Math.floor(now() / MINUTE_MS);
    const found = minutes.get(id);
    if (found?.minute === minute) return found;
    const fresh = { minute, left: 0, isSpent: false, borrowed: 0 };
    minutes.set(id, fresh);
    return fresh;
  };

  return async ({ id, callsPerMinute }) => {
    if (callsPerMinute === undefined) return;
    const current = currentOf(id);
    while (current.left === 0 && !current.isSpent) {
      await flights.run(`${id} ${current.minute}`, () => refill(id, callsPerMinute, current));
    }
    if (current.left > 0) {
      current.left -= 1;
      return;
    }
    const leftMs = (current.minute + 1) * MINUTE_MS - now();
    throw new ServingError(
      'ThrottlingException',
      `key ${id} may make ${callsPerMinute} calls a minute, and has made them; try again in the next`,
      { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) },
    );
  };
};
