import type { Clock } from '../../lib/clock.ts';
import type { Account } from './account.ts';
import { throttled } from './lambda-error.ts';
import { TokenBucket } from './token-bucket.ts';

/** Requests a second for each unit of concurrency (Lambda quotas). */
const RATE_PER_UNIT = 10;

/** What a function's calls have to pass. Both throw LambdaError TooManyRequestsException. */
export interface Admission {
  readonly admitCall: () => void;
  /** Asked where no provisioned environment is free. */
  readonly admitOnDemand: () => void;
}

export interface AdmissionOptions {
  readonly account: Account;
  /** Whose calls these are. */
  readonly functionName: string;
  /** Shared by all functions. */
  readonly accountRate: TokenBucket;
  /** Whether AWS's quotas hold; what a function reserved always does. */
  readonly isBounded: boolean;
  readonly now: Clock;
}

export const createAdmission = (options: AdmissionOptions): Admission => {
  const { account, functionName, accountRate, isBounded, now } = options;
  const reservedRate = new TokenBucket(now);

  const admitReserved = (reserved: number): void => {
    const { onDemand = 0, allocated = 0 } = account.usageOf(functionName) ?? {};
    // Its provisioned concurrency, used or not, is a part of what it reserved.
    if (onDemand < reserved - allocated) return;
    throw throttled(functionName, `runs ${onDemand} calls on demand: all that it reserved is in use`);
  };

  const admitUnreserved = (): void => {
    const unreserving = account.usages.filter((each) => account.reservedOf(each.functionName) === undefined);
    const inUse = unreserving.reduce((sum, { onDemand, allocated }) => sum + onDemand + allocated, 0);
    if (inUse < account.unreserved) return;
    const why = `finds the account's unreserved concurrency of ${account.unreserved} in use`;
    throw throttled(functionName, why, 'ConcurrentInvocationLimitExceeded');
  };

  const admitRate = (reserved: number | undefined): void => {
    if (reserved !== undefined && !reservedRate.take(RATE_PER_UNIT * reserved)) {
      throw throttled(
        functionName,
        `is called more than ${RATE_PER_UNIT * reserved} times a second`,
        'ReservedFunctionInvocationRateLimitExceeded',
      );
    }
    if (!accountRate.take(RATE_PER_UNIT * account.limit)) {
      const why = `is called where the account's functions are called more than ${RATE_PER_UNIT * account.limit} times a second`;
      throw throttled(functionName, why, 'FunctionInvocationRateLimitExceeded');
    }
  };

  return {
    admitCall: () => {
      const reserved = account.reservedOf(functionName);
      if (reserved === 0) throw throttled(functionName, 'has reserved a concurrency of 0');
      if (isBounded) admitRate(reserved);
    },
    admitOnDemand: () => {
      const reserved = account.reservedOf(functionName);
      if (reserved !== undefined) admitReserved(reserved);
      else if (isBounded) admitUnreserved();
    },
  };
};
