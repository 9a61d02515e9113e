/** The worker thread of one model: imports its model.mjs, and answers calls that come by a port of its own. */
import { syncBuiltinESMExports } from 'node:module';
import v8 from 'node:v8';
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import type { Tensor, TensorSpec } from '../engine.ts';
import { encodeJson } from './document.ts';
import type { CallContext, FromThread, Payload, ThreadStart, ToThread } from './messages.ts';
import { byName, packTensors, sizeOf } from './payload.ts';
import { parseSpecs } from './specs.ts';
import { parseTensors } from './tensors.ts';

/** Five times what Lambda can answer with (6 MB); more would only fill the memory that all models share. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Longer reasons are cut again, shorter, where they reach a caller. */
const MAX_REASON = 2000;

interface Model {
  readonly handle: (inputs: unknown, context: unknown) => unknown;
  readonly outputs: readonly TensorSpec[] | undefined;
}

const { port, model, directory, properties, predictInputs }: ThreadStart = workerData;
const send = port.postMessage.bind(port) as (message: FromThread, transfer?: readonly Transferable[]) => void;
const predictions = new Map<number, PromiseWithResolvers<unknown>>();
let lastPrediction = 0;

/**
 * What model.mjs could reach by accident: the port (it may post to parentPort what it likes, nobody reads it), and
 * what acts on the whole process. It is no wall against code that means harm, which finds the process's credentials
 * in /proc/self/environ: whoever may put a model.mjs into the bucket is trusted like whoever deploys.
 */
const closeDoors = (): void => {
  for (const key of Object.keys(workerData)) Reflect.deleteProperty(workerData, key);
  parentPort?.close();
  const refuse = (name: string) => (): never => {
    throw new Error(`${name} is off in model.mjs: it acts on all models`);
  };
  process.kill = refuse('process.kill');
  v8.setFlagsFromString = refuse('v8.setFlagsFromString');
  syncBuiltinESMExports();
};

const start = async (): Promise<Model> => {
  const exported: Readonly<Record<string, unknown>> = await import(model);
  const { handle, load } = exported;
  if (typeof handle !== 'function')
    throw new Error('model.mjs should export a function handle(inputs, context)');
  const inputs = parseSpecs(exported['inputs'], 'inputs');
  const outputs = parseSpecs(exported['outputs'], 'outputs');
  if (load !== undefined && typeof load !== 'function')
    throw new Error('load should be a function, or not exported');
  await load?.(directory);
  send({ kind: 'ready', inputs, outputs });
  return { handle: handle as Model['handle'], outputs };
};

const answer = async (
  { handle, outputs }: Model,
  call: Extract<ToThread, { kind: 'call' }>,
): Promise<void> => {
  const { id, input, context } = call;
  try {
    const inputs = 'tensors' in input ? byName(input.tensors) : input.document;
    const said: Said = {};
    const given = await handle(inputs, contextOf(id, context, said));
    const { payload, transfer } =
      outputs === undefined ? encodeDocument(given) : encodeOutputs(outputs, given);
    send({ kind: 'answer', id, payload, ...said }, transfer);
  } catch (error) {
    send({ kind: 'failed', id, reason: describe(error), isInput: isAboutInput(error) });
  }
};

interface Said {
  customAttributes?: string;
}

/** SageMaker's bound: it is a header (botocore, sagemaker-runtime: 1,024 characters of ASCII that can be seen). */
const CUSTOM_ATTRIBUTES = /^[\x20-\x7e]{1,1024}$/;

const contextOf = (call: number, context: CallContext, said: Said) => ({
  ...context,
  setCustomAttributes: (text: unknown): void => {
    if (typeof text !== 'string' || !CUSTOM_ATTRIBUTES.test(text)) {
      throw new Error('setCustomAttributes takes 1 to 1,024 visible characters of ASCII');
    }
    said.customAttributes = text;
  },
  properties: { ...properties },
  predict: async (inputs: unknown) => predict(call, inputs),
});

const predict = (call: number, inputs: unknown): Promise<unknown> => {
  if (predictInputs === undefined) {
    throw new Error('predict needs a model.onnx beside model.mjs, and the artifact has none');
  }
  const { tensors, transfer } = packTensors(parseTensors(predictInputs, inputs, 'input'));
  refuseAbove(sizeOf(tensors), 'what predict was given');
  lastPrediction += 1;
  const prediction = Promise.withResolvers<unknown>();
  predictions.set(lastPrediction, prediction);
  send({ kind: 'predict', id: lastPrediction, call, tensors }, transfer);
  return prediction.promise;
};

interface Encoded {
  readonly payload: Payload;
  readonly transfer: readonly Transferable[];
}

const encodeDocument = (given: unknown): Encoded => {
  if (given instanceof Uint8Array) {
    refuseAbove(given.byteLength, 'the answer');
    return { payload: { bytes: new Uint8Array(given) }, transfer: [] };
  }
  const json = encodeJson(given);
  refuseAbove(json.length, 'the answer');
  return { payload: { json }, transfer: [] };
};

const encodeOutputs = (outputs: readonly TensorSpec[], given: unknown): Encoded => {
  const parsed: readonly Tensor[] = parseTensors(outputs, given, 'output');
  refuseAbove(sizeOf(parsed), 'the answer');
  const { tensors, transfer } = packTensors(parsed);
  return { payload: { tensors }, transfer };
};

const refuseAbove = (bytes: number, what: string): void => {
  if (bytes <= MAX_ANSWER_BYTES) return;
  throw new Error(`${what} has ${bytes} bytes, and at most ${MAX_ANSWER_BYTES} are taken`);
};

const settle = (message: Exclude<ToThread, { kind: 'call' }>): void => {
  const prediction = predictions.get(message.id);
  predictions.delete(message.id);
  if (message.kind === 'predicted') prediction?.resolve(byName(message.tensors));
  else prediction?.reject(new Error(message.reason));
};

/** The first line of the artifact's own files that an error came by. */
const placeOf = (stack: unknown): string => {
  const folder = model.slice(0, -'model.mjs'.length);
  const line = String(stack)
    .split('\n')
    .find((each) => each.trimStart().startsWith('at ') && each.includes(folder));
  const place = line?.slice(line.indexOf(folder) + folder.length).match(/^(.+?:\d+)(:\d+)?\)?$/)?.[1];
  return place === undefined ? '' : ` (${place})`;
};

/** What was thrown may be anything, with getters that throw themselves. */
const describe = (thrown: unknown): string => {
  try {
    if (!(thrown instanceof Error)) return String(thrown).slice(0, MAX_REASON);
    const { name, message, stack } = thrown;
    const kind = name === 'Error' ? '' : `${name}: `;
    return `${kind}${message}`.slice(0, MAX_REASON) + placeOf(stack);
  } catch {
    return 'it threw something that cannot be read';
  }
};

/** `name` decides, as model.mjs has no class of ours to throw. */
const isAboutInput = (thrown: unknown): boolean => {
  try {
    return thrown instanceof Error && thrown.name === 'ValidationError';
  } catch {
    return false;
  }
};

closeDoors();
// A load() that waits for nothing would else end the thread, and with it the reason.
port.ref();
process.on('uncaughtExceptionMonitor', (error, origin) => {
  send({ kind: 'fault', origin, reason: describe(error) });
});
try {
  const started = await start();
  port.on('message', (message: ToThread) => {
    if (message.kind === 'call') void answer(started, message);
    else settle(message);
  });
} catch (error) {
  send({ kind: 'refused', reason: describe(error) });
}
