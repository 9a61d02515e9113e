import { describe, expect, it } from 'vitest';
import { createRestarts } from '../../../../lib/engines/javascript/restarts.ts';

describe('createRestarts', () => {
  it('closes the door at the third failure within a minute, and opens it when the first is a minute old', () => {
    const restarts = createRestarts();
    for (const atMs of [1_000, 21_000]) restarts.failed(atMs);
    expect(restarts.waitMs(21_000)).toBe(0);

    restarts.failed(41_000);

    expect(restarts.waitMs(41_000)).toBe(20_000);
    expect(restarts.waitMs(60_999)).toBe(1);
    expect(restarts.waitMs(61_000)).toBe(0);
  });

  it('holds nothing against failures that are far apart', () => {
    const restarts = createRestarts();

    for (let atMs = 0; atMs < 600_000; atMs += 31_000) {
      expect(restarts.waitMs(atMs)).toBe(0);
      restarts.failed(atMs);
    }
  });
});
