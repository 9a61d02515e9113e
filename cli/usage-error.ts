/** Arguments that cannot be obeyed; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
