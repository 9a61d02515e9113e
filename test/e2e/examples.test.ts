import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvokeEndpointCommand, ModelError, ValidationError } from '@aws-sdk/client-sagemaker-runtime';
import { create } from 'tar';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeNpy } from '../../lib/protocol/codecs/npy.ts';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';
import { linearModel } from '../fixtures/onnx-model.ts';
import { artifact } from '../fixtures/tar-archive.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
let running: RunningCloud;

beforeAll(async () => {
  running = await startTestCloud({
    MODELS: '2',
    PARAMS: 'allowCustomCode=true refreshSeconds=1 coldShards=1 hotSlots=0',
  });
});
afterAll(() => running.close());

const upload = async (name: string, bytes: Uint8Array): Promise<void> => {
  const { bucket, prefix } = running.endpoint;
  await running.cloud.s3.store.put(bucket, prefix + name, Buffer.from(bytes));
};

/** As `tar czf name -C folder .` packs it. */
const pack = async (folder: string): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of create({ gzip: true, cwd: join(EXAMPLES, folder) }, ['.']))
    chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const invoke = async (
  TargetModel: string,
  Body: string | Uint8Array,
  ContentType = 'application/json',
  Accept?: string,
) => {
  const output = await running.runtime.send(
    new InvokeEndpointCommand({
      EndpointName: running.endpoint.endpointName,
      TargetModel,
      Body,
      ContentType,
      ...(Accept === undefined ? {} : { Accept }),
    }),
  );
  return { contentType: output.ContentType, bytes: Buffer.from(output.Body ?? []) };
};
const invokeJson = async (model: string, body: unknown): Promise<unknown> =>
  JSON.parse((await invoke(model, JSON.stringify(body))).bytes.toString());

describe('examples/custom-code', () => {
  const flower = { sepalLength: 5.1, sepalWidth: 3.5, petalLength: 1.4, petalWidth: 0.2 };
  beforeAll(async () => upload('flowers.tar.gz', await pack('custom-code')));

  it('answers flowers as people write them with species by name', async () => {
    expect(await invokeJson('flowers.tar.gz', [flower])).toEqual([
      { species: 'setosa', probability: expect.closeTo(0.96, 1) },
    ]);
  });

  it('tells the caller what to mend', async () => {
    const { petalWidth: _, ...rest } = flower;

    const failed = invokeJson('flowers.tar.gz', [flower, rest]);

    await expect(failed).rejects.toBeInstanceOf(ValidationError);
    await expect(failed).rejects.toThrow('flower 1 should have petalWidth, a number of cm');
  });
});

describe('examples/workflow', () => {
  it('answers the mean of two models of the endpoint', async () => {
    await upload('second-opinion.tar.gz', await pack('workflow'));
    const { inputs } = await readExpected('diabetes');
    const rows = { instances: inputs.slice(0, 2) };

    const [first, second, both] = await Promise.all(
      ['diabetes-0001.tar.gz', 'diabetes-0002.tar.gz', 'second-opinion.tar.gz'].map((model) =>
        invokeJson(model, rows),
      ),
    );

    const numbers = (answer: unknown): number[] => (answer as { predictions: number[][] }).predictions.flat();
    const mean = numbers(first).map((value, row) => (value + (numbers(second)[row] ?? 0)) / 2);
    expect(largestRelativeError(numbers(both), mean)).toBeLessThan(1e-6);
  });
});

describe("scikit-learn's classifier as skl2onnx exports it by default", () => {
  it('answers probabilities by label', async () => {
    await upload(
      'iris-zipmap.onnx',
      await readFile(join(EXAMPLES, '../test/fixtures/iris-zipmap-strings.onnx')),
    );

    expect(await invokeJson('iris-zipmap.onnx', { instances: [[5.1, 3.5, 1.4, 0.2]] })).toEqual({
      predictions: [
        {
          output_label: 'setosa',
          output_probability: {
            setosa: expect.closeTo(0.96, 1),
            versicolor: expect.any(Number),
            virginica: expect.any(Number),
          },
        },
      ],
    });
  });
});

describe('bodies of bytes', () => {
  it('go there and back as NumPy arrays', async () => {
    await upload('diabetes.tar.gz', await readFile(artifactPath('diabetes')));
    const { inputs, outputs } = await readExpected('diabetes');
    const features = {
      name: 'features',
      type: 'float32' as const,
      shape: [inputs.length, 10],
      data: Float32Array.from(inputs.flat()),
    };

    const { contentType, bytes } = await invoke(
      'diabetes.tar.gz',
      encodeNpy([features]),
      'application/x-npy',
      'application/x-npy',
    );

    expect(contentType).toBe('application/x-npy');
    expect(bytes.subarray(1, 6).toString()).toBe('NUMPY');
    const values = new Float32Array(Uint8Array.from(bytes.subarray(-4 * inputs.length)).buffer);
    const [expected = []] = Object.values(outputs);
    expect(largestRelativeError(Array.from(values), expected.flat())).toBeLessThan(1e-5);
  });
});

describe('a model that is replaced under its own name', () => {
  const answer = async (): Promise<unknown> => invokeJson('changing.tar.gz', [[0, 0]]);

  it('is served in its new version, without a failed call in between, and a broken version is not', async () => {
    await upload('changing.tar.gz', artifact(linearModel([1, 1], 1)));
    expect(await answer()).toEqual([[1]]);

    await upload('changing.tar.gz', artifact(linearModel([1, 1], 2)));
    await vi.waitFor(async () => expect(await answer()).toEqual([[2]]), { timeout: 10_000, interval: 100 });

    await upload('changing.tar.gz', Buffer.from('broken'));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (let call = 0; call < 5; call++) expect(await answer()).toEqual([[2]]);
  });

  it('is told what is wrong with it where there was no version before', async () => {
    await upload('broken.tar.gz', Buffer.from('broken'));

    await expect(invokeJson('broken.tar.gz', [[0, 0]])).rejects.toBeInstanceOf(ModelError);
  });
});
