export interface LambdaErrorOptions extends ErrorOptions {
  /** `Reason` of a TooManyRequestsException. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

/** A call that Lambda refuses before any function runs, under its own name and status (Lambda API, Invoke). */
export class LambdaError extends Error {
  override readonly name = 'LambdaError';
  readonly type: string;
  readonly status: number;
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(type: string, status: number, message: string, options: LambdaErrorOptions = {}) {
    super(message, options);
    this.type = type;
    this.status = status;
    this.reason = options.reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const throttled = (
  functionName: string,
  why: string,
  reason = 'ReservedFunctionConcurrentInvocationLimitExceeded',
): LambdaError =>
  new LambdaError('TooManyRequestsException', 429, `Rate Exceeded: ${functionName} ${why}`, {
    reason,
    retryAfterSeconds: 1,
  });

/** Too many calls of Lambda's API itself. */
export const callerThrottled = (why: string): LambdaError =>
  new LambdaError('TooManyRequestsException', 429, why, {
    reason: 'CallerRateLimitExceeded',
    retryAfterSeconds: 1,
  });

export const eventTooLarge = (maxBytes: number): LambdaError =>
  new LambdaError(
    'RequestTooLargeException',
    413,
    `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`,
  );

export const unreadableEvent = (why: string): LambdaError =>
  new LambdaError('InvalidRequestContentException', 400, `Could not parse request body into json: ${why}`);

export const shuttingDown = (): LambdaError =>
  new LambdaError('ServiceException', 500, 'the local cloud is shutting down');

export const notFound = (message: string): LambdaError =>
  new LambdaError('ResourceNotFoundException', 404, message);

export const conflict = (message: string): LambdaError =>
  new LambdaError('ResourceConflictException', 409, message);

export const invalidParameter = (message: string): LambdaError =>
  new LambdaError('InvalidParameterValueException', 400, message);
