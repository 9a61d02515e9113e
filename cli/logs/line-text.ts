import type { LogLine } from './log-source.ts';
import { parseRecord } from './parse-line.ts';

const SHOWN_APART: ReadonlySet<string> = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
  'errorType',
  'errorMessage',
]);

/** `12:30:01.123 router     ERROR request failed  ServiceUnavailable: the worker was lost  requestId=...` */
export const lineText = ({ atMs, functionName, text }: LogLine): string => {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const start = `${time} ${functionName.padEnd(10)}`;
  const record = parseRecord(text);
  if (record === undefined || (record['message'] ?? record['errorMessage']) === undefined) {
    return visible(`${start} ${text}`);
  }
  const { level = '', message = 'uncaught', error, errorType, errorMessage } = record;
  const rest = Object.entries(record)
    .filter(([key, value]) => !SHOWN_APART.has(key) && key !== 'error' && typeof value !== 'object')
    .map(([key, value]) => `${key}=${String(value)}`);
  const own = errorMessage === undefined ? [] : [`${errorType ?? 'Error'}: ${errorMessage}`];
  const said = typeof message === 'object' ? JSON.stringify(message) : String(message);
  const line = [`${start} ${String(level).padEnd(5)} ${said}`, ...own, ...failureOf(error), ...rest];
  return visible(line.join('  '));
};

/** `ServiceUnavailable: the worker was lost (TimeoutError: no answer)` */
const failureOf = (error: unknown): readonly string[] => {
  if (typeof error !== 'object' || error === null) return error === undefined ? [] : [String(error)];
  const { name = 'Error', message, cause } = error as Readonly<Record<string, unknown>>;
  if (message === undefined) return [];
  const [why] = failureOf(cause ?? undefined);
  return [`${String(name)}: ${String(message)}${why === undefined ? '' : ` (${why})`}`];
};

/** A line carries what callers sent: nothing in it may move a terminal's cursor, or make two lines of one. */
const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\t'
      ? character
      : (ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };
