import type { ErrorCode } from '../errors.ts';

/** What the router sends to an inference function. */
export interface InferenceCall {
  /**
   * `describe` opens the model and says what it takes and gives; `batch` runs it for `jobs`; without it the model is run for this
   * body.
   */
  readonly operation?: 'describe' | 'batch';
  /** Of a batch: at most as many as a message of SQS's event source brings. */
  readonly jobs?: readonly BatchJob[];
  /** SageMaker's TargetModel: the key of the object below the models prefix. */
  readonly model: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly body: string;
  /** True when `body` is base64 of the bytes the client sent. */
  readonly isBase64Encoded: boolean;
  /** How long the router waits for the answer, in milliseconds. */
  readonly remainingMs?: number;
  /** SageMaker's CustomAttributes: for model.mjs, as the client sent them. */
  readonly customAttributes?: string;
  /** SageMaker's InferenceId: names the call in the worker's log. */
  readonly inferenceId?: string;
  /** The request's at the front door: the same in the router's log and the worker's. */
  readonly requestId?: string;
}

/** One asynchronous call: the worker reads its input and writes its output itself, as both may be larger than an event. */
export interface BatchJob {
  /** Tells it from the others of its batch. */
  readonly id: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly customAttributes?: string;
  readonly inferenceId?: string;
  readonly input: StoredObject | { readonly body: string; readonly isBase64Encoded: boolean };
  readonly output: StoredObject;
  /** How long the model may take for it, in milliseconds. */
  readonly timeoutMs: number;
}

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
}

/** What became of a job; the body of a batch's reply has one for each. */
export type JobResult =
  | { readonly id: string; readonly ok: true }
  | {
      readonly id: string;
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterSeconds?: number;
    };

/** What a worker says of itself with each answer. */
export interface WorkerStamp {
  /** Names the environment, for as long as it lives. */
  readonly worker?: string;
  /** How long the worker had the call, in microseconds. */
  readonly tookMicros?: number;
}

/**
 * What comes back. Exceptions do not survive a process boundary, so here, and only
 * here, failure is a value.
 */
export type InferenceReply = WorkerStamp &
  (
    | {
        readonly ok: true;
        readonly contentType: string;
        readonly body: string;
        /** True when `body` is base64 of the bytes of the answer. */
        readonly isBase64Encoded?: true;
        /** What model.mjs says beside its answer. */
        readonly customAttributes?: string;
      }
    | {
        readonly ok: false;
        readonly code: ErrorCode;
        readonly message: string;
        readonly retryAfterSeconds?: number;
        /** Where the worker logs, as an ARN. */
        readonly logStreamArn?: string;
      }
  );
