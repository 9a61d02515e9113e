import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../lib/clock.ts';
import type { FunctionTarget } from '../../deployment/template.ts';
import type { InvokeResult, LambdaService } from '../../lambda/lambda.ts';
import { LambdaError } from '../../lambda/lambda-error.ts';

export interface InvokeBatch {
  readonly lambda: Pick<LambdaService, 'invoke'>;
  readonly target: FunctionTarget;
  readonly payload: string;
  /** When the messages may be seen again: who has not been served by then is given up. */
  readonly untilMs: number;
  readonly now: Clock;
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

/**
 * Calls the function, and again while it is throttled, ever more slowly.
 * @returns `undefined` when it stayed throttled until its messages are seen again, or the signal came
 * @throws LambdaError for any other refusal
 */
export const invokeBatch = async (asked: InvokeBatch): Promise<InvokeResult | undefined> => {
  const { lambda, target, payload, untilMs, now, signal } = asked;
  const { functionName, qualifier } = target;
  for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
    try {
      return await lambda.invoke({
        functionName,
        payload,
        ...(qualifier === undefined ? {} : { qualifier }),
      });
    } catch (error) {
      if (!(error instanceof LambdaError) || error.status !== 429) throw error;
    }
    if (now() + retryMs >= untilMs) return undefined;
    await pause(retryMs, signal);
  }
  return undefined;
};

/** Ends early, and quietly, with the signal. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);
