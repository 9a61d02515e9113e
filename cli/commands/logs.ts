import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { type CommandSpec, option, wholeNumber } from '../command.ts';
import type { LogLine } from '../logs/log-source.ts';
import { isMetrics, parseRecord } from '../logs/parse-line.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const duration = (text: string): number => {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (UNITS[unit] ?? 0);
  throw new InvalidArgumentError('It should be a time such as 30s, 10m, 2h or 1d.');
};

const FOLLOW_EVERY_MS = 1000;

export const logs: CommandSpec = {
  name: 'logs',
  summary: "the functions' log lines, without metrics",
  args: [
    [
      '[function]',
      'router, scaler, management, async, catalog, cold-00, hot-00 ...; or a model, of which lines speak',
    ],
  ],
  options: [
    option('--since <time>', 'how far back: 30s, 10m, 2h, 1d').argParser(duration).default(600_000, '10m'),
    option('--limit <n>', 'at most so many lines, the last ones').argParser(wholeNumber(1)).default(200),
    option('--errors', 'only warnings and errors'),
    option('--metrics', 'metrics as well'),
    option('--follow', 'goes on with what comes'),
  ],
  example: 'logs router --since 1h --errors',
  async run([about], { since, limit, errors, metrics, follow, json }, { connection, output }) {
    const isModel = about !== undefined && /\.(tar\.gz|onnx)$/.test(about);
    const functionName = about === undefined || isModel ? {} : { functionName: about };
    const isShown = ({ text }: LogLine): boolean =>
      (metrics === true || !isMetrics(text)) &&
      (errors !== true || isTrouble(text)) &&
      (!isModel || text.includes(about));
    // Metrics are most lines of a busy endpoint: more is read than shown.
    const read = async (sinceMs: number): Promise<readonly LogLine[]> =>
      (await connection.logs.read({ sinceMs, ...functionName }, 100 * limit)).filter(isShown).slice(-limit);

    const show = (lines: readonly LogLine[]): void => {
      if (json === true) {
        for (const line of lines) output.line(JSON.stringify({ ...line, record: parseRecord(line.text) }));
      } else {
        for (const line of lines) output.line(lineText(line));
      }
    };
    const first = await read(Date.now() - since);
    show(first);
    if (first.length === 0 && follow !== true) output.line(json === true ? '' : 'no lines: see --since');
    let seen = new Set(first.map(keyOf));
    let sinceMs = first.at(-1)?.atMs ?? Date.now();
    while (follow === true) {
      await sleep(FOLLOW_EVERY_MS);
      const lines = await read(sinceMs);
      show(lines.filter((line) => !seen.has(keyOf(line))));
      seen = new Set(lines.map(keyOf));
      sinceMs = lines.at(-1)?.atMs ?? sinceMs;
    }
  },
};

const keyOf = ({ functionName, atMs, text }: LogLine): string => `${functionName} ${atMs} ${text}`;

const isTrouble = (text: string): boolean => {
  const level = parseRecord(text)?.['level'];
  return level === undefined
    ? /error|exception/i.test(text)
    : ['WARN', 'ERROR', 'CRITICAL'].includes(String(level));
};

const SHOWN_APART: ReadonlySet<string> = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
]);

/** `12:30:01.123 router  ERROR request failed  ServiceUnavailable: the worker was lost  requestId=...` */
const lineText = ({ atMs, functionName, text }: LogLine): string => {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const record = parseRecord(text);
  if (record === undefined || record['message'] === undefined)
    return `${time} ${functionName.padEnd(10)} ${text}`;
  const {
    level = '',
    message,
    error,
  } = record as {
    readonly level?: string;
    readonly message?: unknown;
    readonly error?: { readonly name?: string; readonly message?: string };
  };
  const rest = Object.entries(record)
    .filter(([key, value]) => !SHOWN_APART.has(key) && key !== 'error' && typeof value !== 'object')
    .map(([key, value]) => `${key}=${String(value)}`);
  const failure = error?.message === undefined ? [] : [`${error.name}: ${error.message}`];
  return [
    `${time} ${functionName.padEnd(10)} ${level.padEnd(5)} ${String(message)}`,
    ...failure,
    ...rest,
  ].join('  ');
};
