/** Nothing to connect to, or nothing there; the message says what to do. */
export class Unable extends Error {
  override readonly name = 'Unable';
}
