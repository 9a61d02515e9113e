/** An exception of SageMaker's control plane, under the name that its SDKs know. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly type: string;

  constructor(message: string, type = 'ValidationException') {
    super(message);
    this.type = type;
  }
}
