import type { Clock } from '../clock.ts';
import { BoundedMap } from './bounded-map.ts';
import { SingleFlight } from './single-flight.ts';

export interface CachedLookupOptions<Value> {
  readonly find: (id: string) => Promise<Value | undefined>;
  /** How old an answer may be; also that there is nothing by this id. */
  readonly ttlMs: number;
  /** How long a last answer is taken while the source does not give one. */
  readonly outageMs: number;
  readonly maxEntries: number;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

interface Known<Value> {
  readonly value: Value | undefined;
  readonly readAtMs: number;
  checkedAtMs: number;
}

/**
 * What a source said some seconds ago: a look at it per id and time, however many calls; also for ids that nobody has.
 * @throws what the source throws, when nothing is known or too old
 */
export const cachedLookup = <Value>(
  options: CachedLookupOptions<Value>,
): ((id: string) => Promise<Value | undefined>) => {
  const { find, ttlMs, outageMs, maxEntries, now, onError } = options;
  const known = new BoundedMap<Known<Value>>(maxEntries);
  const flights = new SingleFlight<void>();

  const refresh = async (id: string): Promise<void> => {
    try {
      known.set(id, { value: await find(id), readAtMs: now(), checkedAtMs: now() });
    } catch (error) {
      const last = known.get(id);
      if (last === undefined || now() - last.readAtMs > outageMs) throw error;
      last.checkedAtMs = now();
      onError(error);
    }
  };

  return async (id) => {
    const found = known.get(id);
    if (found === undefined || now() - found.checkedAtMs >= ttlMs) await flights.run(id, () => refresh(id));
    return known.get(id)?.value;
  };
};
