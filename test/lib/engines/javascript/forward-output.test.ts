import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { forwardOutput } from '../../../../lib/engines/javascript/forward-output.ts';

const open = () => {
  const clock = { nowMs: 0 };
  const from = new PassThrough();
  const to = new PassThrough();
  forwardOutput(from, to, () => clock.nowMs);
  const print = (text: string): string => {
    from.emit('data', Buffer.from(text));
    return String(to.read() ?? '');
  };
  return { clock, print };
};

describe('forwardOutput', () => {
  it('passes on what is printed', () => {
    expect(open().print('hello\n')).toBe('hello\n');
  });

  it('leaves out what comes above 64 KiB in a second, says so once, and begins anew', () => {
    const { clock, print } = open();

    expect(print('x'.repeat(65_536))).toHaveLength(65_536);
    expect(print('y')).toMatch(
      /^model.mjs printed more than 65536 bytes in a second: the rest is left out\n$/,
    );
    expect(print('y')).toBe('');
    clock.nowMs = 1_000;
    expect(print('z')).toBe('z');
  });
});
