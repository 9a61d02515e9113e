import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../local/lambda/token-bucket.ts';

const takeAll = (bucket: TokenBucket, perSecond: number): number => {
  let taken = 0;
  while (bucket.take(perSecond)) taken++;
  return taken;
};

describe('a token bucket', () => {
  it("gives one second's worth at once, and no more", () => {
    const bucket = new TokenBucket(() => 0);

    expect(takeAll(bucket, 15)).toBe(15);
  });

  it('fills again at its rate, up to one second', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(() => nowMs);
    takeAll(bucket, 10);

    nowMs = 300;
    const afterAThird = takeAll(bucket, 10);
    nowMs = 10_000;
    const afterLong = takeAll(bucket, 10);

    expect([afterAThird, afterLong]).toEqual([3, 10]);
  });

  it('follows a rate that changes', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(() => nowMs);
    takeAll(bucket, 10);

    nowMs = 1000;

    expect(takeAll(bucket, 20)).toBe(20);
  });

  it('gives nothing at a rate of none', () => {
    expect(new TokenBucket(() => 0).take(0)).toBe(false);
  });

  it('survives a clock that goes back', () => {
    let nowMs = 1000;
    const bucket = new TokenBucket(() => nowMs);
    bucket.take(2);

    nowMs = 0;

    expect(takeAll(bucket, 2)).toBe(1);
  });
});
