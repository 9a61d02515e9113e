import { setTimeout as delay } from 'node:timers/promises';
import type { DeployedEventSource } from '../../deployment/event-sources.ts';
import { type MappingOptions, runMapping } from './mapping.ts';

export interface EventSourcesOptions extends Omit<MappingOptions, 'source'> {
  readonly sources: readonly DeployedEventSource[];
  /** How long `close` waits for calls that run; 5 s unless given. */
  readonly closeWithinMs?: number;
}

export interface EventSources {
  /** Receives no more, and waits a bounded time for what the functions have: the rest is seen again later. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 5000;

/** Lambda's event source mappings for SQS: starts a poller for each that is enabled. */
export const startEventSources = (options: EventSourcesOptions): EventSources => {
  const { sources, onError, closeWithinMs = CLOSE_WITHIN_MS } = options;
  const closing = new AbortController();
  // A call that the stop itself ended is no news.
  const report = (error: unknown): void => {
    if (!closing.signal.aborted) onError(error);
  };
  const running = sources
    .filter(({ enabled }) => enabled)
    .map((source) => runMapping({ ...options, source, onError: report }, closing.signal).catch(onError));

  return {
    close: async () => {
      closing.abort();
      const tooLate = new AbortController();
      await Promise.race([
        Promise.all(running),
        delay(closeWithinMs, undefined, { signal: tooLate.signal }).catch(() => undefined),
      ]);
      tooLate.abort();
    },
  };
};
