import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { ServingError } from '../../errors.ts';
import type { RunContext, TensorSpec, Value } from '../engine.ts';
import { explain, modelError } from './explain.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { FromThread, Payload, ThreadStart, ToThread } from './messages.ts';
import { explainFault, openWorker, type ThreadLimits } from './open-worker.ts';
import { packTensors } from './payload.ts';
import type { Predictor } from './predictor.ts';
import { parseSpecs } from './specs.ts';

export interface ThreadOptions {
  readonly start: Omit<ThreadStart, 'port' | 'predictInputs'>;
  readonly predictor: Predictor | undefined;
  readonly limits: ThreadLimits;
  /** In milliseconds. */
  readonly now: () => number;
}

/** What model.mjs declares. */
export interface Declared {
  readonly inputs: readonly TensorSpec[] | undefined;
  readonly outputs: readonly TensorSpec[] | undefined;
}

interface Call {
  readonly context: RunContext;
  readonly answer: PromiseWithResolvers<Payload>;
}

type Message<Kind extends FromThread['kind']> = Extract<FromThread, { kind: Kind }>;

/** One worker thread, from its start to its end. It never comes back: a model that lost its thread starts another. */
export class ModelThread {
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #options: ThreadOptions;
  readonly #memory: MemoryWatch;
  readonly #ready = Promise.withResolvers<Declared>();
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #isReady = false;
  #isOver = false;
  #isRetired = false;
  #told: Message<'fault'> | undefined;
  #fault: string | undefined;

  constructor(options: ThreadOptions) {
    const { limits, now, start, predictor } = options;
    const { port1, port2 } = new MessageChannel();
    this.#options = options;
    this.#port = port1;
    this.#worker = openWorker({ ...start, predictInputs: predictor?.inputs }, port2, options);
    this.#memory = new MemoryWatch(this.#worker, {
      externalMb: limits.externalMb,
      now,
      onExcess: (reason) => this.stop(reason),
    });
    this.ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#listen();
  }

  /** False when it has ended or is to be replaced; calls under way may still be answered. */
  get isUsable(): boolean {
    return !this.#isOver && !this.#isRetired && !this.#memory.isAbove;
  }

  /**
   * Resolves when the model is loaded.
   * @throws ServingError ModelError with the reason why it is not.
   */
  async ready(): Promise<Declared> {
    const { loadMs } = this.#options.limits;
    const reason = `model.mjs took longer than ${loadMs} ms to load: look at its imports and its load()`;
    const timer = this.#limit(loadMs, () => !this.#isReady, reason);
    try {
      return await this.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Calls `handle`. Time that the call waits behind another one counts.
   * @throws ServingError ModelError when `handle` fails, and when the thread ends before it answers.
   */
  async call(input: Value, context: RunContext, limitMs: number): Promise<Payload> {
    this.#lastCall += 1;
    const id = this.#lastCall;
    const answer = Promise.withResolvers<Payload>();
    const reason = `model.mjs took longer than ${Math.ceil(limitMs)} ms to answer, and its thread was stopped`;
    this.#calls.set(id, { context, answer });
    this.#memory.begin();
    const timer = this.#limit(limitMs, () => this.#calls.has(id), reason);
    try {
      this.#sendCall(id, input, context);
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#calls.delete(id);
      if (this.#calls.size === 0) this.#rest();
    }
  }

  /** Waits until `isUsable` knows of the last call, too. */
  async settled(): Promise<void> {
    await this.#memory.settled();
  }

  /** Ends it when the calls under way are answered. */
  retire(): void {
    this.#isRetired = true;
    if (this.#calls.size === 0) this.stop('the thread of model.mjs was replaced');
  }

  /** Ends it; calls under way fail with the reason. A thread inside a system call takes its time to end. */
  stop(reason: string): void {
    this.#fail(reason);
    this.#worker.terminate().catch(() => {});
  }

  #listen(): void {
    this.#port.on('message', (message) => this.#receive(message));
    this.#port.on('messageerror', () => this.stop('model.mjs gave something that cannot leave its thread'));
    this.#worker.on('error', (error: Error) => {
      this.#drain();
      this.#fault = explainFault(error, this.#told, this.#options.limits);
    });
    this.#worker.on('exit', (code) => {
      this.#drain();
      this.#fail(this.#fault ?? `model.mjs ended its own thread (process.exit, code ${code})`);
      this.#port.close();
    });
    this.#ready.promise.catch(() => {}); // Its owners are the callers of `ready`, and there may be none.
    // Calls under way hold the process by their timers; an idle thread must not.
    this.#port.unref();
    this.#worker.unref();
  }

  /** The thread may be broken, and its messages with it: none may do harm here. */
  #receive(message: unknown): void {
    try {
      this.#dispatch(message as FromThread);
    } catch {
      this.stop('model.mjs broke the thread it runs in');
    }
  }

  #dispatch(message: FromThread): void {
    if (message.kind === 'ready') this.#onReady(message);
    else if (message.kind === 'refused') this.stop(`model.mjs cannot be loaded: ${explain(message.reason)}`);
    else if (message.kind === 'answer') this.#onAnswer(message);
    else if (message.kind === 'failed') this.#take(message.id)?.answer.reject(failed(message));
    else if (message.kind === 'predict') void this.#predict(message);
    else if (message.kind === 'fault') this.#told = message;
  }

  #onReady({ inputs, outputs }: Message<'ready'>): void {
    this.#ready.resolve({ inputs: parseSpecs(inputs, 'inputs'), outputs: parseSpecs(outputs, 'outputs') });
    this.#isReady = true;
  }

  #onAnswer({ id, payload, customAttributes }: Message<'answer'>): void {
    const call = this.#take(id);
    if (customAttributes !== undefined) call?.context.onCustomAttributes?.(customAttributes);
    call?.answer.resolve(payload);
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  async #predict({ id, call, tensors }: Message<'predict'>): Promise<void> {
    try {
      const context = this.#calls.get(call)?.context;
      const { predictor } = this.#options;
      if (context === undefined || predictor === undefined) throw new Error('predict came after the answer');
      const packed = packTensors(await predictor.predict(tensors, context));
      this.#post({ kind: 'predicted', id, tensors: packed.tensors }, packed.transfer);
    } catch (error) {
      this.#post({ kind: 'unpredicted', id, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  #sendCall(id: number, input: Value, sent: RunContext): void {
    const { contentType, accept, remainingMs, customAttributes } = sent;
    const context = { contentType, accept, remainingMs, customAttributes };
    if ('document' in input) {
      this.#post({ kind: 'call', id, input: { document: input.document }, context });
    } else {
      const { tensors, transfer } = packTensors(input);
      this.#post({ kind: 'call', id, input: { tensors }, context }, transfer);
    }
  }

  #post(message: ToThread, transfer: Parameters<MessagePort['postMessage']>[1] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #rest(): void {
    this.#memory.rest();
    if (this.#isRetired) this.retire();
  }

  /** After a pause of this process timers come first, while the message they wait for is here already. */
  #limit(ms: number, isWaiting: () => boolean, reason: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.#drain();
      if (isWaiting()) this.stop(reason);
    }, ms);
  }

  #drain(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#receive(next.message);
    }
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ready.reject(modelError(reason));
    for (const { answer } of this.#calls.values()) answer.reject(modelError(reason));
  }
}

const failed = ({ reason, isInput }: Message<'failed'>): ServingError =>
  isInput === true
    ? new ServingError('ValidationError', explain(reason).replace(/^ValidationError: /, ''))
    : modelError(`model.mjs failed: ${explain(reason)}`);
