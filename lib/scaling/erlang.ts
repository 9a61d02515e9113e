/** What is asked of a group, averaged over some minutes. */
export interface Load {
  readonly callsPerSecond: number;
  /** Workers that are busy on average. */
  readonly erlangs: number;
  /** How long a call takes when nothing has to be loaded, in seconds. */
  readonly callSeconds: number;
}

/** Beyond ten requests per second and unit of provisioned concurrency Lambda spills to on-demand (Lambda quotas). */
export const CALLS_PER_WORKER = 10;

/**
 * R3. The calls per second that 0, 1, 2, ... provisioned workers carry: what finds one free (Erlang's loss formula), and no
 * more than Lambda lets them take. Endless, concave, and never above what is asked.
 */
export function* carriedCalls({ callsPerSecond, erlangs }: Load): Generator<number, never> {
  let blocking = 1;
  for (let workers = 0; ; workers++) {
    if (workers > 0) blocking = erlangs === 0 ? 0 : (erlangs * blocking) / (workers + erlangs * blocking);
    yield Math.min(callsPerSecond * (1 - blocking), CALLS_PER_WORKER * workers);
  }
}

/** @returns what `workers` carry of the load, in calls per second */
export const carriedBy = (workers: number, load: Load): number => {
  let count = 0;
  for (const calls of carriedCalls(load)) if (count++ === workers) return calls;
  return 0;
};
