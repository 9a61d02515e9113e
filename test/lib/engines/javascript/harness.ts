import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Engine, LoadedModel, Tensor, Value } from '../../../../lib/engines/engine.ts';
import {
  createJavaScriptEngine,
  type JavaScriptEngineOptions,
} from '../../../../lib/engines/javascript/javascript-engine.ts';
import { fakeEngine } from '../../../fakes/fake-engine.ts';
import { loadContext } from '../../../fixtures/run-context.ts';

type Limits = JavaScriptEngineOptions['limits'];

export const engineWith = ({
  limits = {},
  ...overrides
}: Partial<Omit<JavaScriptEngineOptions, 'limits'>> & { readonly limits?: Partial<Limits> } = {}): Engine =>
  createJavaScriptEngine({
    allowCustomCode: true,
    onnx: fakeEngine(),
    limits: { heapMb: 64, externalMb: 32, loadMs: 5_000, handleMs: 5_000, ...limits },
    now: () => performance.now(),
    ...overrides,
  });

/** Writes artifacts into folders of their own and opens them; the folders are gone after the tests of a file. */
export const artifacts = () => {
  let path = '';
  let folders = 0;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'lambda-mme-test-'));
  });
  afterAll(() => rm(path, { recursive: true, force: true }));
  return {
    async load(
      source: string,
      {
        engine = engineWith(),
        files = {},
        context = loadContext(),
      }: {
        readonly engine?: Engine;
        readonly files?: Readonly<Record<string, string | Uint8Array>>;
        readonly context?: ReturnType<typeof loadContext>;
      } = {},
    ): Promise<LoadedModel> {
      folders += 1;
      const folder = join(path, `${folders}`);
      await mkdir(folder);
      for (const [name, content] of Object.entries({ ...files, 'model.mjs': source })) {
        await writeFile(join(folder, name), content);
      }
      return engine.load(folder, context);
    },
  };
};

/** y = x0 + 2 x1 + 3, by tensors. */
export const LINEAR = `
  export const inputs = [{ name: 'x', type: 'float32', shape: [null, 2] }];
  export const outputs = [{ name: 'y', type: 'float32', shape: [undefined, 1] }];
  export const handle = ({ x }) => {
    const rows = x.shape[0];
    const data = Float32Array.from({ length: rows }, (_, row) => x.data[2 * row] + 2 * x.data[2 * row + 1] + 3);
    return { y: { type: 'float32', shape: [rows, 1], data } };
  };
`;

/** Answers the document it is given, and what the source adds before. */
export const ECHO = 'export const handle = (document) => document;';

export const document = (value: unknown): Value => ({ document: value });

export const floats = (name: string, shape: readonly number[], data: readonly number[]): Tensor => ({
  name,
  type: 'float32',
  shape,
  data: Float32Array.from(data),
});
