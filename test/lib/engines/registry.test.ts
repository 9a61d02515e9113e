import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEngineRegistry, warmUp } from '../../../lib/engines/registry.ts';
import { linearModel } from '../../fixtures/onnx-model.ts';
import { loadContext } from '../../fixtures/run-context.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();
const load = (properties: Readonly<Record<string, string>> = {}) =>
  createEngineRegistry({ allowCustomCode: true, now: () => performance.now() }).load(
    scratch.path,
    loadContext({ properties: new Map(Object.entries(properties)) }),
  );
const put = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
  for (const [name, content] of Object.entries(files)) await writeFile(join(scratch.path, name), content);
};

describe('createEngineRegistry', () => {
  it('opens an artifact with model.onnx, whatever lies beside it', async () => {
    await put({
      'model.onnx': linearModel([1], 0),
      'serving.properties': 'engine=OnnxRuntime',
      'model.pkl': '',
    });

    await using model = await load();

    expect(model.inputs?.[0]?.name).toBe('x');
  });

  it.each(['model.py', 'model.joblib', 'model.pkl', 'churn.pickle'])(
    'says how to export %s',
    async (name) => {
      await put({ [name]: '', 'requirements.txt': '' });

      await expect(load()).rejects.toMatchObject({
        code: 'ModelError',
        message: expect.stringMatching(new RegExp(`holds ${name}, .*export the model to ONNX with skl2onnx`)),
      });
    },
  );

  it.each([
    [
      { 'b.bin': '', 'a.txt': '' },
      'the artifact should have model.onnx, model.mjs or workflow.json at its root, but has a.txt, b.bin; pack it from inside its folder',
    ],
    [{}, 'at its root, but has no files; pack it from inside its folder'],
  ])('says what it found where it knows nothing: %j', async (files, message) => {
    await put(files);

    await expect(load()).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringContaining(message),
    });
  });

  it('loads the runtime ahead of the first model', async () => {
    await expect(warmUp()).resolves.toBeUndefined();
  });
});
