import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readServingProperties } from '../../../lib/models/serving-properties.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();
const read = async (text: string) => {
  await writeFile(join(scratch.path, 'serving.properties'), text);
  return readServingProperties(scratch.path);
};

describe('readServingProperties', () => {
  it('is empty where there is no file', async () => {
    expect(await readServingProperties(scratch.path)).toMatchObject({
      engine: undefined,
      minWorkers: undefined,
      notes: [],
    });
  });

  it('reads the keys of DJL Serving, in the format of Java', async () => {
    const properties = await read(`# a comment
engine = OnnxRuntime
minWorkers: 1
maxWorkers=4
max_idle_time=60
batch_size=8
max_batch_delay=100
required_memory_mb=512
option.model_id=s3://weights/large/\\
  model.onnx
option.intraOpNumThreads = 2
`);

    expect(properties).toMatchObject({
      engine: 'OnnxRuntime',
      minWorkers: 1,
      maxWorkers: 4,
      maxIdleSeconds: 60,
      batchSize: 8,
      maxBatchDelayMs: 100,
      requiredMemoryBytes: 512 * 1024 * 1024,
      modelId: 's3://weights/large/model.onnx',
      notes: [],
    });
    expect(properties.all.get('option.intraOpNumThreads')).toBe('2');
  });

  it('says of each key that means nothing why, once', async () => {
    const { notes } = await read(
      'job_queue_size=10\ngpu.minWorkers=1\noption.ortDevice=TensorRT\nmy.key=1\nmy.key=2\n',
    );

    expect(notes).toEqual([
      'job_queue_size is not read: a worker takes one request at a time, and Lambda has no queue before it',
      'gpu.minWorkers is not read: bounds are per model, not per device',
      'option.ortDevice is not read: there is one device, the CPU',
      'my.key is not known',
    ]);
  });

  it.each([
    ['minWorkers=many', 'minWorkers should be a whole number from 0 to 1000, but is "many"'],
    ['minWorkers=-1', 'but is "-1"'],
    ['maxWorkers=1.5', 'but is "1.5"'],
    ['batch_size=99999999999999999999', 'batch_size should be a whole number from 0 to 10000'],
    ['minWorkers=3\nmaxWorkers=2', 'minWorkers is 3, which is more than maxWorkers, 2'],
    [`x=${'y'.repeat(70_000)}`, 'has 70002 characters: at most 65536 are read'],
  ])('refuses %.30s', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(/^serving\.properties: /),
    });
    await expect(read(text)).rejects.toThrow(message);
  });

  it.each(['minWorkers=', '__proto__=x', 'constructor=1', '\u0000=\u0000', '=', '!!!'])(
    'survives %j',
    async (text) => {
      await expect(read(text)).resolves.toMatchObject({ minWorkers: undefined });
    },
  );
});
