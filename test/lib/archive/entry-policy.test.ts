import { resolve, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEntryPolicy, type Entry } from '../../../lib/archive/entry-policy.ts';

const file = (path: string, overrides: Partial<Entry> = {}): Entry => ({
  path,
  type: 'File',
  sizeBytes: 1,
  ...overrides,
});
const policy = (overrides: { maxUnpackedBytes?: number; maxEntries?: number } = {}) =>
  createEntryPolicy({ maxUnpackedBytes: 100, maxEntries: 10, ...overrides });

describe('createEntryPolicy', () => {
  it.each([
    ['model.onnx', ['model.onnx']],
    ['./model.onnx', ['model.onnx']],
    ['a//b/./c.bin', ['a', 'b', 'c.bin']],
    ['...', ['...']],
    ['a..b', ['a..b']],
  ])('writes %j below the folder', (path, write) => {
    expect(policy()(file(path))).toEqual({ write });
  });

  it('passes over folders, which are made as files need them', () => {
    const judge = policy();

    expect(judge(file('./', { type: 'Directory' }))).toEqual({ skip: true });
    expect(judge(file('a/', { type: 'Directory' }))).toEqual({ skip: true });
    expect(judge(file('a/b'))).toEqual({ write: ['a', 'b'] });
  });

  it.each([
    ['/etc/passwd', /absolute/],
    ['C:/windows', /absolute/],
    ['c:model.onnx', /absolute/],
    ['../model.onnx', /leaves the archive/],
    ['a/../../b', /leaves the archive/],
    ['a/..', /leaves the archive/],
    ['..\\model.onnx', /backslash/],
    ['a\0b', /control characters/],
    ['a\nb', /control characters/],
    ['.', /no name/],
    ['', /no name/],
    ['x'.repeat(513), /longer than 512 characters/],
    [`a/${'x'.repeat(256)}`, /longer than 255 bytes/],
  ])('refuses the path %j', (path, reason) => {
    expect(policy()(file(path))).toEqual({ refuse: expect.stringMatching(reason) });
  });

  it('refuses a folder with a bad path too', () => {
    expect(policy()(file('../', { type: 'Directory' }))).toHaveProperty('refuse');
  });

  it.each(['SymbolicLink', 'Link', 'CharacterDevice', 'BlockDevice', 'FIFO', 'Unsupported'])(
    'refuses a %s',
    (type) => {
      expect(policy()(file('a', { type }))).toEqual({
        refuse: expect.stringContaining(`it is a ${type}, and only plain files are unpacked`),
      });
    },
  );

  it.each([
    ['the same name', ['a', 'a']],
    ['the same name, written otherwise', ['a/b', './a//b']],
    ['a name that differs only in case', ['Model.onnx', 'model.ONNX']],
    ['a folder that is a file', ['a', 'A/b']],
    ['a file that is a folder', ['a/b', 'A']],
  ])('refuses %s', (_, [first = '', second = '']) => {
    const judge = policy();
    judge(file(first));

    expect(judge(file(second))).toHaveProperty('refuse');
  });

  it('counts bytes and entries over the whole archive', () => {
    const judge = policy({ maxUnpackedBytes: 10, maxEntries: 3 });

    expect(judge(file('a', { sizeBytes: 10 }))).toHaveProperty('write');
    expect(judge(file('b', { sizeBytes: 1 }))).toEqual({
      refuse: 'the archive unpacks to more than 10 bytes',
    });
    expect(judge(file('c', { sizeBytes: 0 }))).toHaveProperty('refuse');
    expect(judge(file('d', { type: 'Directory' }))).toEqual({
      refuse: 'the archive has more than 3 entries',
    });
  });

  it.each([-1, Number.NaN, 1.5, 2 ** 60])('refuses the size %d', (sizeBytes) => {
    expect(policy()(file('a', { sizeBytes }))).toHaveProperty('refuse');
  });

  it('lets no path escape, and no two entries meet, whatever the names', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', 'a', 'A', 'b', '~', 'C:', '\0', ' ', '%2e%2e'),
      fc.string({ maxLength: 4, unit: 'binary' }),
    );
    const path = fc
      .array(part, { maxLength: 6 })
      .chain((parts) => fc.constantFrom(parts.join('/'), parts.join('')));

    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), (paths) => {
        const judge = policy({ maxEntries: 100 });
        const written = paths.flatMap((each) => {
          const verdict = judge(file(each));
          return 'write' in verdict ? [resolve('/root', ...verdict.write)] : [];
        });
        expect(written.every((each) => each.startsWith(`/root${sep}`) && !each.includes('\0'))).toBe(true);
        expect(new Set(written.map((each) => each.toLowerCase())).size).toBe(written.length);
        expect(written.some((one) => written.some((two) => two.startsWith(`${one}/`)))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
