import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NewFiles } from '../../../lib/archive/new-files.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();

describe('NewFiles', () => {
  it('writes one file after the other, with the folders they need', async () => {
    using files = new NewFiles(scratch.path);

    const first = files.open(['a', 'b', 'first']);
    first.write(Buffer.from('1'));
    first.write(Buffer.from('2'));
    files.open(['second']);

    expect(await readFile(join(scratch.path, 'a/b/first'), 'utf8')).toBe('12');
    expect(await readFile(join(scratch.path, 'second'), 'utf8')).toBe('');
  });

  it('does not write over a file that is there', async () => {
    await writeFile(join(scratch.path, 'a'), 'old');
    using files = new NewFiles(scratch.path);

    expect(() => files.open(['a'])).toThrow('EEXIST');

    expect(await readFile(join(scratch.path, 'a'), 'utf8')).toBe('old');
  });

  it('does not follow a link out of the folder', async () => {
    await mkdir(join(scratch.path, 'inside'));
    await symlink(join(scratch.path, 'outside'), join(scratch.path, 'inside', 'model.onnx'));
    using files = new NewFiles(join(scratch.path, 'inside'));

    expect(() => files.open(['model.onnx'])).toThrow('EEXIST');

    await expect(readFile(join(scratch.path, 'outside'))).rejects.toThrow('ENOENT');
  });
});
