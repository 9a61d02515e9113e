import type { MessagePort } from 'node:worker_threads';
import type { Tensor, TensorSpec } from '../engine.ts';

/** What a thread is given when it starts. */
export interface ThreadStart {
  readonly port: MessagePort;
  /** File URL of model.mjs. */
  readonly model: string;
  readonly directory: string;
  readonly properties: Readonly<Record<string, string>>;
  /** What `predict` takes; `undefined`: no model.onnx lies beside model.mjs. */
  readonly predictInputs: readonly TensorSpec[] | undefined;
}

/** What crosses the port: documents of JSON as text (bounded, and nothing but JSON can come of it), bytes, tensors. */
export type Payload =
  | { readonly json: string }
  | { readonly bytes: Uint8Array }
  | { readonly tensors: readonly Tensor[] };

/** The part of `RunContext` that model.mjs sees. */
export interface CallContext {
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly remainingMs: number;
  readonly customAttributes: string | undefined;
}

export type ToThread =
  | {
      readonly kind: 'call';
      readonly id: number;
      /** `tensors`, or the document as it is. */
      readonly input: { readonly tensors: readonly Tensor[] } | { readonly document: unknown };
      readonly context: CallContext;
    }
  | { readonly kind: 'predicted'; readonly id: number; readonly tensors: readonly Tensor[] }
  | { readonly kind: 'unpredicted'; readonly id: number; readonly reason: string };

export type FromThread =
  | { readonly kind: 'ready'; readonly inputs: unknown; readonly outputs: unknown }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly payload: Payload;
      /** As `setCustomAttributes` was given them last. */
      readonly customAttributes?: string;
    }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly reason: string;
      /** What was thrown is called ValidationError: the caller is to change the input. */
      readonly isInput: boolean;
    }
  | {
      readonly kind: 'predict';
      readonly id: number;
      readonly call: number;
      readonly tensors: readonly Tensor[];
    }
  | { readonly kind: 'fault'; readonly origin: string; readonly reason: string };
