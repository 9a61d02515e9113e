import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileLogs } from '../../../cli/logs/file-logs.ts';
import { line, logSourceContract, T } from './log-source.contract.ts';

logSourceContract('in files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  return {
    source: fileLogs(directory, 'e-'),
    write: ({ functionName, text }) => appendFile(join(directory, `e-${functionName}.log`), `${text}\n`),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('files of logs', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'logs-'));
    path = join(directory, 'e-router.log');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const read = async (sinceMs: number, limit = 100) =>
    (await fileLogs(directory, 'e-').open({ sinceMs }).last(limit)).lines;
  const textOf = (atMs: number, message: string): string => `${line('router', atMs, message).text}\n`;
  const startsOf = (lines: Awaited<ReturnType<typeof read>>) =>
    lines.map(({ atMs, text }) => [text.slice(0, 10), atMs]);

  it('are read with the rotated one, and lines without a time belong to the one before', async () => {
    await writeFile(`${path}.1`, textOf(T, 'rotated'));
    await writeFile(path, `${'x'.repeat(5_000_000)}\n${textOf(T + 1, 'last')}  at stack\n`);

    expect(startsOf(await read(T))).toEqual([
      ['{"level":"', T],
      ['{"level":"', T + 1],
      ['  at stack', T + 1],
    ]);
  });

  it('are the same whatever their length, though chunks end within lines and characters', async () => {
    const all = Array.from({ length: 4000 }, (_, index) => textOf(T + index, `ü€😀 ${index} `.repeat(20)));
    await writeFile(path, all.join('  at a stack of its own\n'));

    const lines = await read(0, 10_000);

    expect(lines.filter(({ text }) => text.startsWith('{')).map(({ text }) => `${text}\n`)).toEqual(all);
    expect(lines).toHaveLength(2 * all.length - 1);
    expect((await read(0, 3)).map(({ atMs }) => atMs)).toEqual([T + 3998, T + 3998, T + 3999]);
  });

  it('may not be there', async () => {
    const source = fileLogs(join(directory, 'none'), 'e-');
    expect(await source.open({ sinceMs: 0 }).last(1)).toEqual({ lines: [], isCut: false });
    expect(await source.functions()).toEqual([]);
  });

  it('give a line that is being written when it has its end', async () => {
    const whole = textOf(T, 'whole');
    await writeFile(path, whole.slice(0, 20));
    const reader = fileLogs(directory, 'e-').open({ sinceMs: 0 });

    expect((await reader.last(10)).lines).toEqual([]);
    await appendFile(path, whole.slice(20, 40));
    expect((await reader.more()).lines).toEqual([]);
    await appendFile(path, `${whole.slice(40)}  at stack\n`);
    expect((await reader.more()).lines).toEqual([
      line('router', T, 'whole'),
      { functionName: 'router', atMs: T, text: '  at stack' },
    ]);
  });

  it('are followed over a rotation, and nothing is lost or given twice', async () => {
    await writeFile(path, textOf(T, 'first'));
    const reader = fileLogs(directory, 'e-').open({ sinceMs: 0 });
    await reader.last(10);
    await appendFile(path, textOf(T + 1, 'before the rotation'));
    await rename(path, `${path}.1`);
    await writeFile(path, textOf(T + 2, 'after it'));

    const { lines, isCut } = await reader.more();

    expect(lines).toEqual([line('router', T + 1, 'before the rotation'), line('router', T + 2, 'after it')]);
    expect(isCut).toBe(false);
    expect((await reader.more()).lines).toEqual([]);
  });

  it('that have rotated twice between two looks say that lines are missing', async () => {
    await writeFile(path, textOf(T, 'first'));
    const reader = fileLogs(directory, 'e-').open({ sinceMs: 0 });
    await reader.last(10);
    await writeFile(join(directory, 'other'), textOf(T + 1, 'second'));
    await writeFile(join(directory, 'another'), textOf(T + 2, 'third'));
    await rename(join(directory, 'other'), `${path}.1`);
    await rename(join(directory, 'another'), path);

    expect(await reader.more()).toEqual({ lines: [line('router', T + 2, 'third')], isCut: true });
  });

  it('of more growth than is read at a time are followed in pieces', async () => {
    await writeFile(path, '');
    const reader = fileLogs(directory, 'e-').open({ sinceMs: 0 });
    await reader.last(10);
    const all = Array.from({ length: 3000 }, (_, index) => textOf(T + index, 'x'.repeat(1000)));
    await appendFile(path, all.join(''));

    const found: string[] = [];
    for (let look = 0; look < 5; look++) {
      found.push(...(await reader.more()).lines.map(({ text }) => `${text}\n`));
    }

    expect(found).toEqual(all);
  });
});
