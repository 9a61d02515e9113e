import { BoundedMap } from '../cache/bounded-map.ts';
import { SingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../clock.ts';
import type { KeyRecord, KeyStore } from './key.ts';

export interface KeyCacheOptions {
  readonly keys: KeyStore;
  /** How long a revoked key may still be taken, and a new one refused. */
  readonly ttlMs: number;
  /** How long known keys are taken while the table does not answer. */
  readonly outageMs: number;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

interface Known {
  readonly record: KeyRecord | undefined;
  readonly readAtMs: number;
  checkedAtMs: number;
}

const MAX_KEYS = 10_000;

/** Keys as they were some seconds ago: a look at the table per key and time, however many calls; also for ids that nobody has. */
export const cachedKeys = ({ keys, ttlMs, outageMs, now, onError }: KeyCacheOptions): KeyStore => {
  const known = new BoundedMap<Known>(MAX_KEYS);
  const flights = new SingleFlight<void>();

  const refresh = async (id: string): Promise<void> => {
    try {
      known.set(id, { record: await keys.find(id), readAtMs: now(), checkedAtMs: now() });
    } catch (error) {
      const last = known.get(id);
      if (last === undefined || now() - last.readAtMs > outageMs) throw error;
      last.checkedAtMs = now();
      onError(error);
    }
  };

  return {
    async find(id) {
      const found = known.get(id);
      if (found === undefined || now() - found.checkedAtMs >= ttlMs) await flights.run(id, () => refresh(id));
      return known.get(id)?.record;
    },
  };
};
