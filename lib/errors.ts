/**
 * Everything a caller can be told. Names and statuses are SageMaker Runtime's own (InvokeEndpoint, botocore's
 * service model), so a client written for it needs no new branch. `ThrottlingException` is AWS's common error:
 * SageMaker's model has no throttle of its own, and both SDKs treat this name as one to retry with back-off. So are the four
 * about keys: every AWS service answers with them.
 */
export const STATUS = {
  ValidationError: 400,
  MissingAuthenticationTokenException: 403,
  UnrecognizedClientException: 403,
  InvalidSignatureException: 403,
  AccessDeniedException: 403,
  ModelError: 424,
  ModelNotReadyException: 429,
  ThrottlingException: 429,
  InternalFailure: 500,
  ServiceUnavailable: 503,
  InternalDependencyException: 530,
} as const;

export type ErrorCode = keyof typeof STATUS;

export interface ServingErrorOptions extends ErrorOptions {
  /** When a retry may succeed; travels as the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  /** ModelError only: where the worker logged, as an ARN. */
  readonly logStreamArn?: string;
  /** The worker ended over the call, or had to be ended. */
  readonly isWorkerLost?: boolean;
}

/** A failure raised on purpose: its message is for the caller and says what was expected, what came, what to do. */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly logStreamArn: string | undefined;
  readonly isWorkerLost: boolean;

  constructor(code: ErrorCode, message: string, options: ServingErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.logStreamArn = options.logStreamArn;
    this.isWorkerLost = options.isWorkerLost === true;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** A bug or an outage must not leak its message; anything raised on purpose may. */
export const toServingError = (cause: unknown): ServingError =>
  cause instanceof ServingError
    ? cause
    : new ServingError(
        'InternalFailure',
        'the service failed on its own side; the same request may be retried',
        {
          cause,
        },
      );

/** A lookup whose failure is ours and passes: callers are told to try again, and nothing of what failed. */
export const orUnavailable =
  <Arguments extends readonly unknown[], Value>(
    find: (...args: Arguments) => Promise<Value>,
    message: string,
  ): ((...args: Arguments) => Promise<Value>) =>
  async (...args) => {
    try {
      return await find(...args);
    } catch (cause) {
      if (cause instanceof ServingError) throw cause;
      throw new ServingError('ServiceUnavailable', message, { cause, retryAfterSeconds: 1 });
    }
  };
