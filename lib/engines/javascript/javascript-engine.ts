import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Engine, type LoadContext, type LoadedModel, tensorsOf, type Value } from '../engine.ts';
import { explain, modelError } from './explain.ts';
import type { Payload } from './messages.ts';
import type { Declared } from './model-thread.ts';
import type { ThreadLimits } from './open-worker.ts';
import { createPredictor } from './predictor.ts';
import { Supervisor } from './supervisor.ts';
import { parseTensors } from './tensors.ts';

export interface JavaScriptEngineOptions {
  readonly allowCustomCode: boolean;
  /** Opens the model.onnx beside model.mjs, where there is one. */
  readonly onnx: Engine;
  readonly limits: ThreadLimits & {
    /** Of one call of `handle`; what the caller still waits limits it too. */
    readonly handleMs: number;
  };
  /** In milliseconds. */
  readonly now: () => number;
}

/**
 * What a thread takes: 20 of them grew the process by 9.9 MiB each when idle and by 10.8 MiB after 100 calls each,
 * whether their heap may take 64 or 512 MB (Node 24.21, linux-x64, growth of RSS, thread.ts bundled).
 */
const THREAD_BYTES = 11 * 1024 * 1024;

/** Runs model.mjs: code of whoever deploys, each model in a thread of its own. */
export const createJavaScriptEngine = (options: JavaScriptEngineOptions): Engine => ({
  async load(directory, context) {
    if (!options.allowCustomCode) throw modelError(OFF);
    const files = await readdir(directory);
    if (!files.includes('model.mjs')) throw modelError(MISSING);

    await using opened = new AsyncDisposableStack();
    const onnx = files.includes('model.onnx') ? await options.onnx.load(directory, context) : undefined;
    const predictor = onnx && opened.use(createPredictor(onnx));
    const { limits, now } = options;
    const start = startOf(directory, context);
    const supervisor = new Supervisor({ start, predictor, limits, now, handleMs: limits.handleMs });
    opened.defer(() => supervisor.close());
    const declared = await supervisor.start();
    // The engine of model.onnx has charged files of this folder already.
    const sizeBytes = THREAD_BYTES + Math.max(onnx?.sizeBytes ?? 0, await folderBytes(directory));
    return loadedModel({ supervisor, declared, sizeBytes, resources: opened.move() });
  },
});

const OFF =
  'the artifact holds model.mjs, and custom code is off in this deployment: set the parameter allowCustomCode (serverless.yml)';
const MISSING = 'the artifact should have model.mjs at its root, and has not';

const startOf = (directory: string, { properties }: LoadContext) => ({
  model: pathToFileURL(join(directory, 'model.mjs')).href,
  directory,
  properties: Object.fromEntries(properties),
});

const loadedModel = (opened: {
  readonly supervisor: Supervisor;
  readonly declared: Declared;
  readonly sizeBytes: number;
  readonly resources: AsyncDisposable;
}): LoadedModel => {
  const { supervisor, declared, sizeBytes, resources } = opened;
  return {
    ...declared,
    sizeBytes,
    needsFolder: true,
    async run(input, context) {
      const given = declared.inputs === undefined ? input : tensorsOf(input);
      return readAnswer(declared, await supervisor.call(given, context));
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
};

/** The second look at what left a thread; see `parseTensors`. */
const readAnswer = ({ outputs }: Declared, payload: Payload): Value => {
  try {
    if (outputs !== undefined && 'tensors' in payload) {
      const given = Object.fromEntries(payload.tensors.map((tensor) => [tensor.name, tensor]));
      return parseTensors(outputs, given, 'output');
    }
    if (outputs === undefined && 'json' in payload) return { document: JSON.parse(payload.json) };
    if (outputs === undefined && 'bytes' in payload && payload.bytes instanceof Uint8Array)
      return { document: payload.bytes };
  } catch (cause) {
    throw modelError(`model.mjs failed: ${explain((cause as Error).message)}`, cause);
  }
  throw modelError('model.mjs declares other outputs than when it was loaded');
};

const folderBytes = async (directory: string): Promise<number> => {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};
