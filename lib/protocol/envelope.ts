import type { ErrorCode } from '../errors.ts';

/** What the router sends to an inference function. */
export interface InferenceCall {
  /** `describe` opens the model and says what it takes and gives; without it the model is run. */
  readonly operation?: 'describe';
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
}

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
