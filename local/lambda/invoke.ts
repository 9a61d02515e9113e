import { randomUUID } from 'node:crypto';
import type { Ran } from './call-queue.ts';
import type { Outcome } from './environment.ts';
import { functionArn } from './function-config.ts';
import type { Functions } from './functions.ts';
import type { InvokeCall, InvokeResult } from './lambda.ts';
import { eventTooLarge, LambdaError, unreadableEvent } from './lambda-error.ts';
import { MAX_EVENT_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';

/** One call as metrics tell calls apart. */
export interface CalledFunction {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly version: string;
}

export interface FinishedCall extends CalledFunction, Pick<Ran, 'byProvisioned'> {
  readonly durationMs: number;
  readonly hasFailed: boolean;
}

export interface InvokeOptions {
  readonly functions: Functions;
  /** Whether the bounds on payloads hold. */
  readonly isBounded: boolean;
  readonly onFinished: (call: FinishedCall) => void;
  readonly onThrottled: (call: CalledFunction) => void;
}

/** Runs a call on the version that its qualifier names. */
export const createInvoke = ({ functions, isBounded, onFinished, onThrottled }: InvokeOptions) => {
  return async (call: InvokeCall): Promise<InvokeResult> => {
    const { functionName, qualifier, payload, clientContext, tail = false } = call;
    const { config, pool, version } = functions.find(functionName, qualifier);
    if (isBounded && Buffer.byteLength(payload) > MAX_EVENT_BYTES) throw eventTooLarge(MAX_EVENT_BYTES);
    const requestId = randomUUID();
    const arn = functionArn(config, qualifier);
    const called = { functionName, qualifier, version };

    let ran: Ran;
    try {
      ran = await pool.run({ version, requestId, arn, payload, clientContext, tail });
    } catch (error) {
      if (error instanceof LambdaError && error.status === 429) onThrottled(called);
      throw error;
    }
    const { outcome, byProvisioned } = ran;
    if (outcome.kind === 'unreadable') throw unreadableEvent(outcome.payload);
    const result = toResult(outcome, isBounded);
    const hasFailed = result.functionError !== undefined;
    onFinished({ ...called, byProvisioned, durationMs: outcome.durationMs, hasFailed });
    return { ...result, executedVersion: version, requestId };
  };
};

const toResult = (
  { kind, payload, log }: Outcome,
  isBounded: boolean,
): Pick<InvokeResult, 'payload' | 'functionError' | 'log'> => {
  const isTooLarge = isBounded && Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES;
  return {
    payload: isTooLarge ? responseTooLarge(payload) : payload,
    ...(kind === 'answer' && !isTooLarge ? {} : { functionError: 'Unhandled' }),
    ...(log === undefined ? {} : { log }),
  };
};

const responseTooLarge = (payload: string): string =>
  JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${Buffer.byteLength(payload)} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
  });
