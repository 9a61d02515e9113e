/** Parent to environment: one event. The payload crosses as text; only the function parses it. */
export interface EventMessage {
  readonly requestId: string;
  readonly payload: string;
  readonly deadlineMs: number;
  readonly arn: string;
  /** Asks for `endOfLog(requestId)` on stdout after the function's last line. */
  readonly markLog: boolean;
}

/** Environment to parent: `ready` or `failed` once for the init phase, then one `answer` or `failed` per event. */
export type RuntimeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly payload: string }
  | { readonly kind: 'failed'; readonly payload: string };

/** A line that no function prints. */
export const endOfLog = (requestId: string): string => `\u0000end ${requestId}`;
