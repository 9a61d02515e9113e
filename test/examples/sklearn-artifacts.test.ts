import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { extract } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'artifact-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe.each(['diabetes', 'iris', 'digits'])('the artifact %s', (name) => {
  it('is small, and holds a model and its properties only', async () => {
    const path = artifactPath(name);

    await extract({ file: path, cwd: directory, strict: true });

    expect((await readdir(directory)).sort()).toEqual(['model.onnx', 'serving.properties']);
    expect(await readFile(join(directory, 'serving.properties'), 'utf8')).toBe('engine=OnnxRuntime\n');
    expect((await stat(path)).size).toBeLessThan(64 * 1024);
  });

  it('predicts what scikit-learn itself predicted, to a relative 1e-5', async () => {
    await extract({ file: artifactPath(name), cwd: directory, strict: true });
    const { inputs, outputs } = await readExpected(name);
    const session = await InferenceSession.create(join(directory, 'model.onnx'));
    const shape = [inputs.length, inputs[0]?.length ?? 0];

    const answers = await session.run({
      [session.inputNames[0] ?? '']: new Tensor('float32', Float32Array.from(inputs.flat()), shape),
    });

    expect(Object.keys(answers).sort()).toEqual(Object.keys(outputs).sort());
    for (const [output, expected] of Object.entries(outputs)) {
      const came = Array.from(answers[output]?.data as ArrayLike<number | bigint>, Number);
      expect(largestRelativeError(came, expected.flat())).toBeLessThan(1e-5);
    }
  });
});
