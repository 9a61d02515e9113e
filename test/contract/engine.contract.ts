import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Engine, type Tensor, tensorsOf } from '../../lib/engines/engine.ts';
import { loadContext, runContext } from '../fixtures/run-context.ts';
import { scratchFolder } from '../fixtures/scratch.ts';

export interface EngineUnderTest {
  readonly engine: Engine;
  /** The file of a model with input `x` (float32, rows of 2) and output `y` (float32, rows of 1): y = x0 + 2 x1 + 3. */
  readonly file: { readonly name: string; readonly content: string | Uint8Array };
}

/** What every Engine must do. */
export const engineContract = (name: string, { engine, file }: EngineUnderTest): void => {
  describe(`Engine: ${name}`, () => {
    const scratch = scratchFolder();
    const load = async (content = file.content) => {
      await writeFile(join(scratch.path, file.name), content);
      return engine.load(scratch.path, loadContext());
    };

    it('says what a model takes, gives and weighs', async () => {
      await using model = await load();

      expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: [undefined, 2] }]);
      expect(model.outputs).toEqual([{ name: 'y', type: 'float32', shape: [undefined, 1] }]);
      expect(model.sizeBytes).toSatisfy((size: number) => Number.isInteger(size) && size > 0);
    });

    it.each([
      ['one row', [1, 10], [24]],
      ['several rows', [0, 0, 1, 0, 0, 1], [3, 4, 5]],
    ])('answers %s', async (_, rows, expected) => {
      await using model = await load();

      const outputs = await model.run([x(rows)], runContext());

      expect(outputs).toEqual([
        { name: 'y', type: 'float32', shape: [expected.length, 1], data: Float32Array.from(expected) },
      ]);
    });

    it('answers calls that run together, each its own', async () => {
      await using model = await load();

      const answers = await Promise.all(
        [1, 2, 3, 4].map((value) => model.run([x([value, 0])], runContext())),
      );

      expect(answers.map((answer) => tensorsOf(answer)[0]?.data[0])).toEqual([4, 5, 6, 7]);
    });

    it('opens a model twice, and closing one leaves the other', async () => {
      await using kept = await load();
      const closed = await engine.load(scratch.path, loadContext());

      await closed[Symbol.asyncDispose]();

      expect(tensorsOf(await kept.run([x([0, 0])], runContext()))[0]?.data).toEqual(Float32Array.of(3));
      await expect(closed.run([x([0, 0])], runContext())).rejects.toThrow();
    });

    it.each([
      ['an empty file', ''],
      ['a damaged file', 'no model at all'],
    ])('refuses %s with a ModelError', async (_, content) => {
      await expect(load(content)).rejects.toMatchObject({ code: 'ModelError' });
    });

    it('refuses a folder without a model with a ModelError', async () => {
      await expect(engine.load(scratch.path, loadContext())).rejects.toMatchObject({ code: 'ModelError' });
    });
  });
};

const x = (rows: readonly number[]): Tensor => ({
  name: 'x',
  type: 'float32',
  shape: [rows.length / 2, 2],
  data: Float32Array.from(rows),
});
