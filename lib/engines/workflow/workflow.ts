import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ServingError } from '../../errors.ts';
import type { EngineName } from '../choose-engine.ts';
import type { Engine, LoadContext, LoadedModel, ModelLease, RunContext, Tensor, Value } from '../engine.ts';
import { fitTensors } from './fit-tensors.ts';
import { BUILT_IN, parseWorkflow, type Workflow } from './parse-workflow.ts';
import { answerSpecs, requestSpecs, type Specs } from './request-specs.ts';
import { runWorkflow } from './run-workflow.ts';

export interface WorkflowEngineOptions {
  readonly engine: (name: EngineName) => Promise<Engine>;
  /** Opens a folder by what is in it. */
  readonly registry: Engine;
}

/** Workflows that call workflows that call ...: more is a mistake. */
const MAX_CALLERS = 8;

interface Part {
  readonly inputs: Specs;
  readonly outputs: Specs;
  readonly needsFolder: boolean;
  readonly sizeBytes: number;
  /** The model, for as long as it runs. */
  open(context: RunContext): Promise<ModelLease & { readonly context: RunContext }>;
}

/**
 * Ensembles and pipelines of models (workflow.json). Its parts are files of the same archive, opened with it, or other
 * models of the endpoint, which are opened when they are called and stay in the worker like any model.
 */
export const createWorkflowEngine = (options: WorkflowEngineOptions): Engine => ({
  async load(directory, context) {
    const workflow = parseWorkflow(await readWorkflow(directory));
    await using opened = new AsyncDisposableStack();
    const parts = new Map<string, Part>();
    for (const [step, place] of workflow.parts) {
      const local = await openLocal(place, directory, context, options);
      if (local !== undefined) opened.use(local);
      parts.set(step, local === undefined ? await remotePart(place, context) : localPart(local));
    }
    return loadedWorkflow(workflow, parts, context.filesBytes, opened);
  },
});

const loadedWorkflow = (
  workflow: Workflow,
  parts: ReadonlyMap<string, Part>,
  filesBytes: number,
  opened: AsyncDisposableStack,
): LoadedModel => {
  const inputs = requestSpecs(workflow, (step) => parts.get(step)?.inputs);
  const outputs = answerSpecs(workflow, (step) => parts.get(step)?.outputs);
  const all = [...parts.values()];

  const runPart = async (step: string, args: readonly Value[], context: RunContext): Promise<Value> => {
    const part = parts.get(step);
    if (part === undefined)
      throw new Error(`no step ${step}, which is not among ${[...BUILT_IN].join(', ')} either`);
    await using lease = await part.open(context);
    const { model } = lease;
    const input =
      model.inputs === undefined ? asDocument(args) : fitTensors(tensorsIn(args, step), model.inputs, step);
    return model.run(input, lease.context).catch((error: unknown) => {
      throw error instanceof ServingError ? inStep(error, step) : error;
    });
  };

  const resources = opened.move();
  return {
    inputs,
    outputs,
    needsFolder: all.some(({ needsFolder }) => needsFolder),
    sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, filesBytes),
    run: (request, context) => runWorkflow(workflow, runPart, request, context),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

const inStep = (error: ServingError, step: string): ServingError =>
  new ServingError(error.code, `workflow: step ${step}: ${error.message}`, { cause: error });

const readWorkflow = (directory: string): Promise<string> =>
  readFile(join(directory, 'workflow.json'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EISDIR') throw cause;
    throw new ServingError('ModelError', 'workflow.json is a folder, and should be a file', { cause });
  });

/** @returns nothing where the archive has no such file */
const openLocal = async (
  place: string,
  directory: string,
  context: LoadContext,
  { engine, registry }: WorkflowEngineOptions,
): Promise<LoadedModel | undefined> => {
  const path = join(directory, place);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  // The files are charged once, with the workflow.
  const partContext = { ...context, filesBytes: 0 };
  if (found.isDirectory()) return registry.load(path, partContext);
  if (place.endsWith('.onnx'))
    return (await engine('onnx')).load(dirname(path), { ...partContext, file: path });
  if (/(^|\/)model\.mjs$/.test(place)) return (await engine('javascript')).load(dirname(path), partContext);
  throw new ServingError(
    'ModelError',
    `workflow.json: ${JSON.stringify(place)} should be a .onnx file, a model.mjs, or a folder with a model`,
  );
};

const localPart = (model: LoadedModel): Part => ({
  inputs: model.inputs,
  outputs: model.outputs,
  needsFolder: model.needsFolder,
  sizeBytes: model.sizeBytes,
  open: async (context) => ({ model, context, [Symbol.asyncDispose]: async () => undefined }),
});

/** It is opened once when the workflow is, so that what cannot work is refused then. */
const remotePart = async (name: string, { openModel }: LoadContext): Promise<Part> => {
  await using lease = await openModel(name).catch((cause: unknown) => {
    if (!(cause instanceof ServingError) || cause.code !== 'ValidationError') throw cause;
    throw new ServingError(
      'ModelError',
      `workflow.json names ${JSON.stringify(name.slice(0, 100))}, which is neither a file of the archive nor a model of this endpoint: ${cause.message}`,
      { cause },
    );
  });
  const { inputs, outputs } = lease.model;
  return {
    inputs,
    outputs,
    needsFolder: false,
    sizeBytes: 0,
    async open(context) {
      const callers = [...context.callers, name];
      if (context.callers.includes(name) || callers.length > MAX_CALLERS) {
        throw new ServingError(
          'ModelError',
          `workflows call each other without end: ${callers.join(' -> ')}`,
        );
      }
      const { model, [Symbol.asyncDispose]: release } = await openModel(name);
      return { model, context: { ...context, callers }, [Symbol.asyncDispose]: release };
    },
  };
};

/** One value as it is; several as a list. Tensors are an object by name. */
const asDocument = (args: readonly Value[]): Value => {
  const documents = args.map((arg) =>
    'document' in arg
      ? arg.document
      : Object.fromEntries(arg.map(({ name, type, shape, data }) => [name, { type, shape, data }])),
  );
  return { document: documents.length === 1 ? documents[0] : documents };
};

const tensorsIn = (args: readonly Value[], step: string): readonly Tensor[] =>
  args.flatMap((arg) => {
    if (!('document' in arg)) return arg;
    throw new ServingError(
      'ModelError',
      `workflow: step ${step} takes tensors, but the step before it gave a JSON value: declare its outputs`,
    );
  });
