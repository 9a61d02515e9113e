import { describe, expect, it } from 'vitest';
import { bytesText, createOutput } from '../../cli/output.ts';
import { createProgress, progressText } from '../../cli/upload-progress.ts';

const record = (isJson: boolean, isTTY: boolean) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = createOutput(isJson, {
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text), isTTY },
  });
  return { output, out, err };
};

describe('the output of a command', () => {
  it('shows progress over itself on a terminal, and begins a line for what comes next', () => {
    const { output, out, err } = record(false, true);
    output.progress('1 %');
    output.progress('2 %');
    output.note('a note');
    output.answer('done', {});
    output.progress('3 %');
    output.end();
    output.end();

    expect(err).toEqual(['\r\u001b[K1 %', '\r\u001b[K2 %', '\n', 'a note\n', '\r\u001b[K3 %', '\n']);
    expect(out).toEqual(['done\n']);
  });

  it.each([
    [true, true],
    [true, false],
    [false, false],
  ])('shows none with JSON (%s), nor where there is no terminal (%s is one)', (isJson, isTTY) => {
    const { output, err } = record(isJson, isTTY);
    output.progress('1 %');
    output.end();
    expect(err).toEqual([]);
  });

  it('has sizes for people', () => {
    expect([0, 1023, 1024, 5 * 1024 ** 3].map(bytesText)).toEqual(['0 B', '1023 B', '1.0 KiB', '5.0 GiB']);
  });
});

describe('the progress of an upload', () => {
  it.each([
    [0, 100, 0, /^\[-{24}\] 0 % {2}0 B of 100 B, 0 B\/s$/],
    [50, 100, 500, /^\[={12}-{12}\] 50 % {2}50 B of 100 B, 100 B\/s$/],
    [100, 100, 1000, /^\[={24}\] 100 % /],
    [0, 0, 1, /^\[={24}\] 100 % /],
  ])('%d of %d bytes after %d ms', (sent, size, tookMs, expected) => {
    expect(progressText(sent, size, tookMs)).toMatch(expected);
  });

  it('is shown ten times a second at most, and at its end', () => {
    const shown: string[] = [];
    let nowMs = 0;
    const onSent = createProgress(1000, () => nowMs, { progress: (text) => void shown.push(text) });

    for (let sent = 10; sent <= 1000; sent += 10) {
      onSent(sent);
      nowMs += 5;
    }

    expect(shown).toHaveLength(6);
    expect(shown.at(-1)).toMatch(/ 100 % /);
  });
});
