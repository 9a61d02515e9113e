/** What whoever manages models is told, in the form of DJL Serving's and MME containers' management API. */
export class ManagementError extends Error {
  override readonly name = 'ManagementError';
  readonly status: 400 | 404 | 405 | 409;
  readonly type: string;

  constructor(status: ManagementError['status'], type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}
