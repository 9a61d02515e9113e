import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { extract, list, type ReadEntry } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';

const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  diabetes: ['prediction'],
  iris: ['label', 'probabilities'],
  digits: ['label', 'probabilities'],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'artifact-'));
});
afterEach(() => rm(directory, { recursive: true }));

const unpack = (name: string): Promise<void> =>
  extract({ file: artifactPath(name), cwd: directory, strict: true });

const openModel = (): Promise<InferenceSession> =>
  InferenceSession.create(join(directory, 'model.onnx'), { intraOpNumThreads: 1, interOpNumThreads: 1 });

const asTensor = (rows: readonly (readonly number[])[]): Tensor =>
  new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0]);

describe.each(Object.entries(OUTPUTS))('the artifact %s', (name, outputNames) => {
  it('is under 64 KiB, and holds a model and its properties only', async () => {
    const entries: ReadEntry[] = [];

    await list({ file: artifactPath(name), strict: true, onReadEntry: (entry) => entries.push(entry) });
    await unpack(name);

    expect(entries.map(({ path, type }) => [path, type])).toEqual([
      ['model.onnx', 'File'],
      ['serving.properties', 'File'],
    ]);
    expect(await readFile(join(directory, 'serving.properties'), 'utf8')).toBe('engine=OnnxRuntime\n');
    expect((await stat(artifactPath(name))).size).toBeLessThan(64 * 1024);
  });

  it('names no time and no user, so that making it again gives the same bytes', async () => {
    const entries: ReadEntry[] = [];

    await list({ file: artifactPath(name), strict: true, onReadEntry: (entry) => entries.push(entry) });

    for (const { mtime, uid, gid, uname, gname } of entries) {
      expect([mtime?.getTime(), uid, gid, uname, gname]).toEqual([0, 0, 0, '', '']);
    }
    // RFC 1952: bytes 4 to 7 of a gzip header are its time.
    expect((await readFile(artifactPath(name))).readUInt32LE(4)).toBe(0);
  });

  it('takes float32 features, and answers plain tensors by name', async () => {
    await unpack(name);

    const session = await openModel();

    expect(session.inputMetadata.map((input) => input.isTensor && [input.name, input.type])).toEqual([
      ['features', 'float32'],
    ]);
    expect(session.outputNames).toEqual(outputNames);
    expect(session.outputMetadata.every(({ isTensor }) => isTensor)).toBe(true);
  });

  it('predicts what scikit-learn itself predicted, to a relative 1e-5', async () => {
    await unpack(name);
    const { inputs, outputs } = await readExpected(name);

    const answers = await (await openModel()).run({ features: asTensor(inputs) });

    expect(inputs.length).toBe(20);
    expect(Object.keys(answers).sort()).toEqual(Object.keys(outputs).sort());
    for (const [output, expected] of Object.entries(outputs)) {
      const came = Array.from(answers[output]?.data as ArrayLike<number | bigint>, Number);
      expect(largestRelativeError(came, expected.flat())).toBeLessThan(1e-5);
    }
  });

  it('answers one row as it answers many', async () => {
    await unpack(name);
    const { inputs, outputs } = await readExpected(name);

    const answers = await (await openModel()).run({ features: asTensor(inputs.slice(0, 1)) });

    for (const [output, expected] of Object.entries(outputs)) {
      const came = Array.from(answers[output]?.data as ArrayLike<number | bigint>, Number);
      expect(largestRelativeError(came, expected.slice(0, 1).flat())).toBeLessThan(1e-5);
    }
  });
});
