import type { ErrorCode } from '../errors.ts';

/** What the router sends to an inference function. */
export interface InferenceCall {
  /** SageMaker's TargetModel: the key of the object below the models prefix. */
  readonly model: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly body: string;
  /** True when `body` is base64 of the bytes the client sent. */
  readonly isBase64Encoded: boolean;
}

/**
 * What comes back. Exceptions do not survive a process boundary, so here, and only
 * here, failure is a value.
 */
export type InferenceReply =
  | { readonly ok: true; readonly contentType: string; readonly body: string }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterSeconds?: number;
    };
