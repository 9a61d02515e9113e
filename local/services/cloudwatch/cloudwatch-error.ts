/** Names in the awsJson protocol and statuses by names in the Query protocol, as in CloudWatch's service model. */
const FAILURES = {
  InvalidParameterCombination: ['InvalidParameterCombinationException', 400],
  InvalidParameterValue: ['InvalidParameterValueException', 400],
  MissingParameter: ['MissingRequiredParameterException', 400],
  InvalidNextToken: ['InvalidNextToken', 400],
  ValidationError: ['ValidationException', 400],
  InvalidAction: ['UnknownOperationException', 404],
  MalformedInput: ['SerializationException', 400],
  RequestEntityTooLarge: ['RequestEntityTooLarge', 413],
  InternalServiceError: ['InternalServiceFault', 500],
} as const;

export type CloudWatchErrorCode = keyof typeof FAILURES;

/** A refusal under CloudWatch's own code. */
export class CloudWatchError extends Error {
  override readonly name = 'CloudWatchError';
  readonly code: CloudWatchErrorCode;

  constructor(code: CloudWatchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get type(): string {
    return FAILURES[this.code][0];
  }

  get status(): number {
    return FAILURES[this.code][1];
  }
}

/** A bug must not leak its message. */
export const toCloudWatchError = (cause: unknown): CloudWatchError =>
  cause instanceof CloudWatchError
    ? cause
    : new CloudWatchError('InternalServiceError', 'the local CloudWatch failed on its own side', { cause });
