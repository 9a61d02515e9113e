import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine, LogSource } from '../../../cli/logs/log-source.ts';

export interface LogHarness {
  readonly source: LogSource;
  /** What a function writes. */
  write(line: LogLine): Promise<void>;
  close(): Promise<void>;
}

export const T = Date.parse('2026-11-23T12:00:00Z');

export const line = (functionName: string, atMs: number, message: string, more: object = {}): LogLine => ({
  functionName,
  atMs,
  text: JSON.stringify({ level: 'INFO', message, timestamp: new Date(atMs).toISOString(), ...more }),
});

const FIRST = line('router', T + 1, 'first');
const SECOND = line('cold-00', T + 2, 'second');
const THIRD = line('router', T + 3, 'third');
const FOURTH = line('router', T + 4, 'fourth ü');

/** What every source of logs does. @param create a source of the stage `e`, in a world that also has `e-eu` */
export const logSourceContract = (name: string, create: () => Promise<LogHarness>): void => {
  describe(`logs ${name}`, () => {
    let harness: LogHarness;
    beforeEach(async () => {
      harness = await create();
      for (const each of [FIRST, SECOND, THIRD, FOURTH]) await harness.write(each);
      await harness.write(line('eu-router', T + 5, 'of another endpoint'));
    });
    afterEach(() => harness.close());

    const last = async (query: Parameters<LogSource['open']>[0], limit = 100) =>
      (await harness.source.open(query).last(limit)).lines;

    it('are read in the order of their times, whoever wrote them', async () => {
      expect(await last({ sinceMs: 0 })).toEqual([FIRST, SECOND, THIRD, FOURTH]);
    });

    it('are read of one function, since a time, as many as are wanted, and the last of them', async () => {
      expect(await last({ sinceMs: T + 2, functionName: 'router' })).toEqual([THIRD, FOURTH]);
      expect(await last({ sinceMs: 0 }, 1)).toEqual([FOURTH]);
      expect(await last({ sinceMs: 0, isWanted: ({ text }) => text.includes('r') }, 2)).toEqual([
        THIRD,
        FOURTH,
      ]);
      expect(await last({ sinceMs: 0, isWanted: ({ atMs }) => atMs < T + 3 }, 1)).toEqual([SECOND]);
    });

    it('are none where there are none', async () => {
      const reader = harness.source.open({ sinceMs: 0, functionName: 'none' });
      expect(await reader.last(1)).toEqual({ lines: [], isCut: false });
      expect(await reader.more()).toEqual({ lines: [], isCut: false });
    });

    it('are of the functions of this endpoint', async () => {
      expect(await harness.source.functions()).toEqual(['cold-00', 'router']);
    });

    it('are followed: each line once, though two are the same, and of functions that are new', async () => {
      const reader = harness.source.open({ sinceMs: 0 });
      await reader.last(2);
      expect(await reader.more()).toEqual({ lines: [], isCut: false });

      const twice = line('router', T + 10, 'twice');
      const fresh = line('hot-00', T + 11, 'from a new function');
      await harness.write(twice);
      await harness.write(twice);
      await harness.write(fresh);
      expect((await reader.more()).lines).toEqual([twice, twice, fresh]);
      expect((await reader.more()).lines).toEqual([]);
    });

    it('are followed though they come late, after lines of other functions with later times', async () => {
      const reader = harness.source.open({ sinceMs: 0 });
      await reader.last(100);
      await harness.write(line('router', T + 20, 'early'));
      await reader.more();
      const late = line('cold-00', T + 15, 'late');
      await harness.write(late);

      expect((await reader.more()).lines).toEqual([late]);
    });

    it('are followed as they are wanted', async () => {
      const reader = harness.source.open({
        sinceMs: 0,
        functionName: 'router',
        isWanted: ({ text }) => text.includes('wanted'),
      });
      await reader.last(100);
      const wanted = line('router', T + 10, 'wanted');
      await harness.write(line('cold-00', T + 10, 'wanted, by another function'));
      await harness.write(line('router', T + 10, 'other'));
      await harness.write(wanted);

      expect((await reader.more()).lines).toEqual([wanted]);
    });
  });
};
