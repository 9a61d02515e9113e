/**
 * Names of SQS's errors as its awsJson service model has them, and as the Query protocol before it had them: clients
 * learn the second from a header, and boto3 shows it as the error's code.
 */
const QUERY_CODES = {
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  InternalFailure: 'InternalFailure',
  InvalidAttributeName: 'InvalidAttributeName',
  InvalidAttributeValue: 'InvalidAttributeValue',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  InvalidMessageContents: 'InvalidMessageContents',
  InvalidParameterValueException: 'InvalidParameterValue',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  MissingRequiredParameterException: 'MissingParameter',
  OverLimit: 'OverLimit',
  PurgeQueueInProgress: 'AWS.SimpleQueueService.PurgeQueueInProgress',
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  ReceiptHandleIsInvalid: 'ReceiptHandleIsInvalid',
  SerializationException: 'MalformedInput',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  UnknownOperationException: 'InvalidAction',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
} as const;

export type SqsErrorType = keyof typeof QUERY_CODES;

/** A refusal under SQS's own name. */
export class SqsError extends Error {
  override readonly name = 'SqsError';
  readonly type: SqsErrorType;

  constructor(type: SqsErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }

  get queryCode(): string {
    return QUERY_CODES[this.type];
  }

  get isCallersFault(): boolean {
    return this.type !== 'InternalFailure';
  }
}

/** A bug must not leak its message. */
export const toSqsError = (cause: unknown): SqsError =>
  cause instanceof SqsError
    ? cause
    : new SqsError('InternalFailure', 'the local SQS failed on its own side', { cause });

export const invalidParameter = (name: string, value: unknown, reason: string): SqsError =>
  new SqsError(
    'InvalidParameterValueException',
    `Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`,
  );

export const missingParameter = (name: string): SqsError =>
  new SqsError('MissingRequiredParameterException', `The request must contain the parameter ${name}.`);
