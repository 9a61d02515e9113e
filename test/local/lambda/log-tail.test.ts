import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LogTail } from '../../../local/lambda/log-tail.ts';
import { endOfLog } from '../../../local/lambda/messages.ts';
import { type Harness, startLambda } from './lambda-harness.ts';

describe('the tail of a log', () => {
  it('is complete when both streams are marked, in however many pieces', async () => {
    const tail = new LogTail('r', '1');
    const [first, second] = [endOfLog('r').slice(0, 3), endOfLog('r').slice(3)];

    const printed = [
      tail.push('stdout', `out\n${first}`),
      tail.push('stderr', `err\n${endOfLog('r')}`),
      tail.push('stdout', `${second}next`),
    ];
    await tail.complete();

    expect(printed).toEqual(['out\n', 'err\n', 'next']);
    expect(tail.text).toBe('START RequestId: r Version: 1\nout\nerr\nnext');
  });

  it('gives back what only looked like a marker', () => {
    const tail = new LogTail('r', '1');

    expect(tail.push('stdout', 'a\u0000en') + tail.push('stdout', 'try')).toBe('a\u0000entry');
  });

  it('is 4 KB at most, in whole characters', () => {
    const tail = new LogTail('r', '1');

    tail.push('stdout', '😀'.repeat(5000));
    tail.push('stdout', 'x');

    expect(tail.text).toBe(`${'😀'.repeat(1023)}x`);
  });
});

describe('a call that asks for the tail', () => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });

  const tailOf = async (body: string): Promise<string> => {
    const source = `export const handler = async () => { ${body} };`;
    harness = await startLambda({ functions: { f: { source, timeoutSeconds: 1 } } });
    const { log = '' } = await harness.lambda.invoke({ functionName: 'f', payload: '{}', tail: true });
    return log;
  };

  it('gets what the handler printed last, to stdout and to stderr', async () => {
    const log = await tailOf('console.log("one"); console.error("two")');

    expect(log).toMatch(/^START RequestId: \S+ Version: \$LATEST\n/);
    expect(log).toContain('one\n');
    expect(log).toContain('two\n');
    expect(log).toMatch(/\nEND RequestId: \S+\nREPORT RequestId: .*Memory Size: 512 MB.*\n$/);
    expect(readFileSync(join(harness?.directory ?? '', 'logs', 'f.log'), 'utf8')).toBe('one\ntwo\n');
  });

  it('gets the end of a long log', async () => {
    const log = await tailOf('for (let i = 0; i < 5000; i++) console.log("line " + i)');

    expect(Buffer.byteLength(log)).toBe(4096);
    expect(log).toContain('\nline 4999\nEND RequestId');
  });

  it.each([
    ['crashes', 'process.abort()', 'signal: aborted'],
    [
      'times out',
      'await new Promise(() => setInterval(() => {}, 1000))',
      'Task timed out after 1.00 seconds',
    ],
  ])('gets what a function printed before it %s, and how it ended', async (_, body, how) => {
    const log = await tailOf(`console.log("before"); ${body}`);

    expect(log).toContain('before\n');
    expect(log).toContain(how);
  });
});
