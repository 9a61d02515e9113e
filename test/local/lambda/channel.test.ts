import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Channel, encodeFrame, FrameReader } from '../../../local/lambda/channel.ts';

const read = (chunks: readonly Buffer[]): readonly (readonly [string, string])[] => {
  const frames: (readonly [string, string])[] = [];
  const reader = new FrameReader((head, text) => frames.push([head, text]));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
};

describe('frames between the local cloud and an environment', () => {
  it('arrive as they were sent, however the pipe cuts them', () => {
    const message = fc.tuple(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat({ max: 90 })), (messages, cuts) => {
        const whole = Buffer.concat(messages.map(([head, text]) => encodeFrame(head, text)));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(whole.subarray(at));

        expect(read(chunks)).toEqual(messages);
      }),
    );
  });

  it('arrive when they are longer than any one read', () => {
    const text = 'é'.repeat(3_000_000);
    const whole = encodeFrame('{}', text);
    const chunks = Array.from({ length: Math.ceil(whole.length / 65_536) }, (_, index) =>
      whole.subarray(index * 65_536, (index + 1) * 65_536),
    );

    expect(read(chunks)).toEqual([['{}', text]]);
  });

  it.each([
    ['longer than any', [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
    ['of a head longer than itself', [1, 0, 0, 0, 2, 0, 0, 0, 65]],
    ['whose head is no JSON', [1, 0, 0, 0, 1, 0, 0, 0, 65]],
  ])('close the channel when they are none: %s', (_, bytes) => {
    const pipe = new PassThrough();
    const messages: unknown[] = [];
    new Channel(pipe as unknown as Socket, (head) => messages.push(head));

    pipe.emit('data', Buffer.from(bytes));

    expect(pipe.destroyed).toBe(true);
    expect(messages).toEqual([]);
  });
});
