import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { usualLevel } from '../../../../lib/engines/onnx/usual-level.ts';

const folder = mkdtempSync(join(tmpdir(), 'level-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const levelOf = (content: string, filesBytes = content.length): string => {
  const file = join(folder, 'model.onnx');
  writeFileSync(file, content);
  return usualLevel(file, filesBytes);
};

describe('how far a model is optimized that does not say', () => {
  it.each([
    ['a small one: no more than saves time', 'MatMul Add', 10_000, 'basic'],
    ['one of which the weights lie beside it', 'MatMul Add', 70_000, 'all'],
    ['a small one that convolves', '\u0004Conv:', 10_000, 'all'],
    ['a small one that convolves the other way', 'ConvTranspose', 10_000, 'all'],
  ])('%s', (_, content, filesBytes, level) => {
    expect(levelOf(content, filesBytes)).toBe(level);
  });

  it('is not looked for in a part of a workflow, which may be of any size', () => {
    expect(levelOf('MatMul Add', 0)).toBe('all');
  });

  it('leaves it to onnxruntime to say what is wrong with a file', () => {
    expect(usualLevel(folder, 10)).toBe('all');
    expect(usualLevel(join(folder, 'nothing'), 10)).toBe('all');
  });
});
