import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { type CommandSpec, type Context, option, wholeNumber } from '../command.ts';
import { chooseLines, modelOf } from '../logs/choose-lines.ts';
import { lineText } from '../logs/line-text.ts';
import type { LogLines } from '../logs/log-source.ts';
import { parseRecord } from '../logs/parse-line.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const duration = (text: string): number => {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (UNITS[unit] ?? 0);
  throw new InvalidArgumentError('It should be a time such as 30s, 10m, 2h or 1d.');
};

/** All of them are held until they are in order. */
const MAX_LINES = 10_000;

export const logs: CommandSpec = {
  name: 'logs',
  summary: "the functions' log lines, without metrics",
  args: [
    [
      '[function|model]',
      'router, scaler, management, async, catalog, cold-00, hot-00 ...; or a model, of which lines speak',
    ],
  ],
  options: [
    option('--since <time>', 'how far back: 30s, 10m, 2h, 1d').argParser(duration).default(600_000, '10m'),
    option('--limit <n>', 'at most so many lines, the last ones')
      .argParser(wholeNumber(1, MAX_LINES))
      .default(200),
    option('--errors', 'only warnings and errors'),
    option('--metrics', 'metrics as well'),
    option('--follow', 'goes on with what comes'),
  ],
  example: 'logs router --since 1h --errors',
  async run([about], values, { connection: { logs: source }, output }) {
    const { since, limit, errors, metrics, follow, json } = values;
    const model = about === undefined ? undefined : modelOf(about);
    const functionName = model === undefined ? about : undefined;
    const reader = source.open({
      sinceMs: Date.now() - since,
      isWanted: chooseLines({ model, isErrors: errors === true, isMetrics: metrics === true }),
      ...(functionName === undefined ? {} : { functionName }),
    });
    const show = ({ lines, isCut }: LogLines): void => {
      for (const line of lines) {
        const asJson = json === true && JSON.stringify({ ...line, record: parseRecord(line.text) });
        output.line(asJson || lineText(line));
      }
      if (isCut) output.note('lines are missing: there are more than are read at once; see --since');
    };

    const first = await reader.last(limit);
    show(first);
    if (first.lines.length === 0) {
      if (follow !== true && json !== true) output.line('no lines: see --since');
      await noteIfUnknown(functionName, { source, output });
    }
    while (follow === true) {
      await sleep(source.followEveryMs);
      show(await reader.more());
    }
  },
};

/** A name that is none would be silent for ever. */
const noteIfUnknown = async (
  functionName: string | undefined,
  { source, output }: { readonly source: Context['connection']['logs']; readonly output: Context['output'] },
): Promise<void> => {
  if (functionName === undefined) return;
  const known = await source.functions();
  if (known.includes(functionName)) return;
  output.note(
    known.length === 0
      ? 'no function has a log yet'
      : `there is no log of a function ${JSON.stringify(functionName)}: there are ${known.join(', ')}; a model is named with its ending`,
  );
};
