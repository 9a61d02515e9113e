import type { IncomingHttpHeaders } from 'node:http';
import type { CloudWatchError } from './cloudwatch-error.ts';
import type { Fields } from './fields.ts';
import type { AnswerFields } from './operation.ts';

export interface HttpAsked {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly body: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Call {
  readonly operation: string;
  /** @throws CloudWatchError MalformedInput */
  readonly input: () => Fields;
}

/** How a request names an operation and how its answer is written. */
export interface Protocol {
  /** @returns `undefined` for a request of another protocol. */
  readonly decode: (asked: HttpAsked) => Call | undefined;
  readonly encode: (operation: string, answer: AnswerFields, requestId: string) => HttpAnswer;
  readonly encodeError: (error: CloudWatchError, requestId: string) => HttpAnswer;
}
