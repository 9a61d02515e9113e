import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOnnxEngine } from '../../../../lib/engines/onnx/onnx.ts';
import { extraThreads, sessionOptions } from '../../../../lib/engines/onnx/session-options.ts';
import { linearModel } from '../../../fixtures/onnx-model.ts';
import { loadContext } from '../../../fixtures/run-context.ts';
import { scratchFolder } from '../../../fixtures/scratch.ts';

const options = (properties: Readonly<Record<string, string>>) =>
  sessionOptions(new Map(Object.entries(properties)));

describe('sessionOptions', () => {
  it('gives a session one thread unless it asks for more', () => {
    expect(options({})).toMatchObject({
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableCpuMemArena: false,
    });
    expect(extraThreads(options({}))).toBe(0);
  });

  it('takes the options as DJL Serving names them', () => {
    const asked = options({
      'option.intraOpNumThreads': '4',
      'option.interOpNumThreads': '2',
      'option.executionMode': 'PARALLEL',
      'option.optLevel': 'BASIC_OPT',
      'option.cpuArenaAllocator': 'true',
      'option.memoryPatternOptimization': 'false',
    });

    expect(asked).toMatchObject({
      intraOpNumThreads: 4,
      interOpNumThreads: 2,
      executionMode: 'parallel',
      graphOptimizationLevel: 'basic',
      enableCpuMemArena: true,
      enableMemPattern: false,
    });
    expect(extraThreads(asked)).toBe(4);
  });

  it.each([
    [
      { 'option.intraOpNumThreads': '0' },
      'option.intraOpNumThreads should be a whole number from 1 to 16, but is "0"',
    ],
    [
      { 'option.interOpNumThreads': '17' },
      'option.interOpNumThreads should be a whole number from 1 to 16, but is "17"',
    ],
    [{ 'option.intraOpNumThreads': 'many' }, 'but is "many"'],
    [
      { 'option.optLevel': 'O3' },
      'option.optLevel should be one of NO_OPT, BASIC_OPT, EXTENDED_OPT, ALL_OPT, but is "O3"',
    ],
    [{ 'option.executionMode': '' }, 'option.executionMode should be one of SEQUENTIAL, PARALLEL, but is ""'],
  ])('refuses %j', (properties, message) => {
    expect(() => options(properties)).toThrow(message);
  });
});

describe('threads of all sessions', () => {
  const scratch = scratchFolder();

  it('are bounded, and free again when a model is closed', async () => {
    await writeFile(join(scratch.path, 'model.onnx'), linearModel([1], 0));
    const engine = createOnnxEngine();
    const properties = new Map([['option.intraOpNumThreads', '16']]);
    const load = () => engine.load(scratch.path, loadContext({ properties }));
    const open = await Promise.all(Array.from({ length: 17 }, load));

    await expect(load()).rejects.toThrow(
      "asks for 15 threads beside the caller's own, and the worker has 1 of 256 left",
    );

    await open[0]?.[Symbol.asyncDispose]();
    const again = await load();
    for (const model of [...open.slice(1), again]) await model[Symbol.asyncDispose]();
  });
});
