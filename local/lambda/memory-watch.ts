import type { Environment } from './environment.ts';
import { residentBytes, SAMPLE_EVERY_MS } from './resident-memory.ts';

export interface MemoryWatchOptions {
  readonly environments: () => readonly Environment[];
  readonly onError: (error: unknown) => void;
}

/** Tells every environment, a few times a second, how much memory it holds: it ends itself when that is too much. */
export const watchMemory = ({ environments, onError }: MemoryWatchOptions): { stop(): void } => {
  const look = async (): Promise<void> => {
    const watched = environments();
    const sizes = await residentBytes(watched.flatMap(({ pid }) => pid ?? []));
    for (const environment of watched) {
      const bytes = sizes.get(environment.pid ?? 0);
      if (bytes !== undefined) environment.holdsMemory(bytes);
    }
  };

  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch(onError)
      .finally(() => {
        isLooking = false;
      });
  }, SAMPLE_EVERY_MS);
  return { stop: () => clearInterval(timer) };
};
