const MAX_FAILURES = 3;
const WINDOW_MS = 60_000;

/** Whether a thread that dies while it starts may be started again. Time is in milliseconds. */
export interface Restarts {
  /** @returns how long to wait, 0 where it may start now */
  waitMs(nowMs: number): number;
  failed(nowMs: number): void;
}

/** Three failures within a minute close the door until the first of them is a minute old. */
export const createRestarts = (): Restarts => {
  let failures: readonly number[] = [];
  return {
    waitMs(nowMs) {
      failures = failures.filter((failedAtMs) => nowMs - failedAtMs < WINDOW_MS);
      const [first] = failures;
      return first === undefined || failures.length < MAX_FAILURES ? 0 : first + WINDOW_MS - nowMs;
    },
    failed(nowMs) {
      failures = [...failures, nowMs];
    },
  };
};
