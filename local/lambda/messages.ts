/** Parent to environment: one event, whose text is the payload; only the function parses it. */
export interface EventMessage {
  readonly kind: 'event';
  readonly requestId: string;
  readonly deadlineMs: number;
  readonly arn: string;
  /** JSON text, from a caller's X-Amz-Client-Context. */
  readonly clientContext: string | undefined;
  /** Asks for `endOfLog(requestId)` on stdout and on stderr after the function's last line. */
  readonly markLog: boolean;
}

/** Parent to environment: what Lambda's Invoke would have answered over HTTP; the text is the body. */
export interface InvokedMessage {
  readonly kind: 'invoked';
  readonly id: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Environment to parent: `ready` once, then for each event one `answer`, `failed` or `unreadable` (the event is not
 * JSON), with the payload as text. `fatal`, at any time, says why the process ends by itself.
 */
export interface RuntimeMessage {
  readonly kind: 'ready' | 'answer' | 'failed' | 'unreadable' | 'fatal' | 'invoke';
  /** Of `fatal`: the event that was running, if any was. */
  readonly requestId?: string | undefined;
  /** Of `invoke`: a call of another function, see invoke-shortcut.ts. */
  readonly id?: number;
  readonly functionName?: string;
  readonly qualifier?: string;
}

/** Events and all that an environment says: it reads and writes here, and blocks while it does. */
export const EVENT_FD = 3;

/** Answers of `invoke`, which come while a handler waits for other things as well. */
export const INVOKED_FD = 4;

/** A line that no function prints. */
export const endOfLog = (requestId: string): string => `\u0000end ${requestId}\n`;
