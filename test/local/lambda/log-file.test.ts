import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogFile } from '../../../local/lambda/log-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the log of a function', () => {
  it('goes on where an earlier run stopped', () => {
    const path = join(directory, 'logs', 'f.log');

    for (const text of ['one\n', 'two\n']) {
      const log = openLogFile(path);
      log.append(text);
      log.close();
    }

    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  it('keeps twice 10 MiB, whatever is written', () => {
    const path = join(directory, 'f.log');
    const log = openLogFile(path);

    for (let mib = 0; mib < 35; mib++) log.append(`${'x'.repeat(1024 * 1024 - 1)}\n`);
    log.append('last\n');
    log.close();

    expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThan(23 * 1024 * 1024);
    expect(readFileSync(path, 'utf8').endsWith('last\n')).toBe(true);
  });

  it('drops what comes after it is closed', () => {
    const path = join(directory, 'f.log');
    const log = openLogFile(path);

    log.close();
    log.append('late');

    expect(readFileSync(path, 'utf8')).toBe('');
  });
});
