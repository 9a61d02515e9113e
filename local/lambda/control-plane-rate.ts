import type { Clock } from '../../lib/clock.ts';
import { callerThrottled } from './lambda-error.ts';
import type { Operation } from './rest-route.ts';
import { TokenBucket } from './token-bucket.ts';

/** All operations together but Invoke and GetFunction; it cannot be raised (Lambda quotas). */
const CONTROL_PER_SECOND = 15;
const GET_FUNCTION_PER_SECOND = 100;

/** @returns what throws LambdaError TooManyRequestsException for a call too many. */
export const createControlPlaneRate = (now: Clock) => {
  const control = new TokenBucket(now);
  const getFunction = new TokenBucket(now);

  return (rate: Operation['rate']): void => {
    if (rate === 'invoke') return;
    const isWithin =
      rate === 'control' ? control.take(CONTROL_PER_SECOND) : getFunction.take(GET_FUNCTION_PER_SECOND);
    if (!isWithin) throw callerThrottled('Rate exceeded');
  };
};
