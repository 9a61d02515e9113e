import { SingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../clock.ts';
import type { Routes } from './routes.ts';

export interface CachedRoutesOptions {
  readonly source: { readRoutes(): Promise<Routes | undefined> };
  /** Used until the scaler has written routes, and while they have never been read. */
  readonly fallback: Routes;
  readonly ttlMs: number;
  readonly now: Clock;
  /** Told of a failed read; callers are still served from what was last known. */
  readonly onError: (error: unknown) => void;
}

export interface CachedRoutes {
  current(): Promise<Routes>;
}

/**
 * Holds the routes for `ttlMs`, so that the table is read once per router and period however many calls or
 * models there are. A failed read keeps the last known routes for another period: serving goes on while the
 * table is down, and is not slowed by one timeout per call.
 */
export const cachedRoutes = ({
  source,
  fallback,
  ttlMs,
  now,
  onError,
}: CachedRoutesOptions): CachedRoutes => {
  const flights = new SingleFlight<void>();
  let routes = fallback;
  let expiresAtMs = Number.NEGATIVE_INFINITY;

  const refresh = async (): Promise<void> => {
    try {
      routes = (await source.readRoutes()) ?? routes;
    } catch (error) {
      onError(error);
    }
    expiresAtMs = now() + ttlMs;
  };

  return {
    async current() {
      if (now() >= expiresAtMs) await flights.run('routes', refresh);
      return routes;
    },
  };
};
