import { describe, expect, it } from 'vitest';
import { createCallTally } from '../../../local/lambda/call-tally.ts';
import type { FinishedCall } from '../../../local/lambda/invoke.ts';

const call = (overrides: Partial<FinishedCall> = {}): FinishedCall => ({
  functionName: 'f',
  qualifier: 'live',
  version: '1',
  byProvisioned: undefined,
  durationMs: 1,
  hasFailed: false,
  ...overrides,
});

const tally = (calls: readonly (readonly [FinishedCall, number])[]) => {
  const tallied = createCallTally();
  for (const [each, timestampMs] of calls) tallied.add(each, timestampMs);
  return [...tallied.take()];
};

describe('a tally of calls', () => {
  it('has how many failed, how long they took in hundredths, and when the newest was', () => {
    const calls = [
      call({ durationMs: 0.014 }),
      call({ durationMs: 0.009 }),
      call({ durationMs: 3, hasFailed: true }),
    ];

    expect(tally(calls.map((each, index) => [each, index]))).toEqual([
      {
        functionName: 'f',
        qualifier: 'live',
        version: '1',
        byProvisioned: undefined,
        durations: new Map([
          [1, 2],
          [300, 1],
        ]),
        failed: 1,
        succeeded: 2,
        timestampMs: 2,
      },
    ]);
  });

  it.each([
    ['functions', { functionName: 'g' }],
    ['what they were called by', { qualifier: '1' }],
    ['calls by no qualifier', { qualifier: undefined }],
    ['versions', { version: '2' }],
    ['provisioned environments', { byProvisioned: true }],
    ['spillover', { byProvisioned: false }],
  ])('keeps %s apart', (_, other) => {
    expect(
      tally([
        [call(), 0],
        [call(other), 0],
      ]),
    ).toHaveLength(2);
  });

  it('keeps minutes apart', () => {
    expect(
      tally([
        [call(), 59_999],
        [call(), 60_000],
      ]),
    ).toHaveLength(2);
  });

  it('hands nothing over twice', () => {
    const tallied = createCallTally();
    tallied.add(call(), 0);

    expect([...tallied.take()]).toHaveLength(1);
    expect([...tallied.take()]).toEqual([]);
  });
});
