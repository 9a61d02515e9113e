import { describe, expect, it } from 'vitest';
import { logs } from '../../cli/commands/logs.ts';
import { chooseLines, modelOf } from '../../cli/logs/choose-lines.ts';
import { lineText } from '../../cli/logs/line-text.ts';
import { inOrder, type LogLine, type LogSource } from '../../cli/logs/log-source.ts';
import { line, T } from './logs/log-source.contract.ts';

const METRICS: LogLine = { functionName: 'router', atMs: T + 3, text: '{"_aws":{"Timestamp":1},"n":1}' };
const WRITTEN: readonly LogLine[] = [
  line('router', T + 1, 'first'),
  line('cold-00', T + 2, 'second'),
  METRICS,
  line('router', T + 4, 'failed', { level: 'ERROR', error: { name: 'E', message: 'why' } }),
  line('cold-00', T + 5, 'call failed', { level: 'WARN', model: 'b/a.tar.gz' }),
];

/** Logs in memory; what comes later is given once, and then the reader fails, which ends a command that follows. */
const source = (later: readonly LogLine[] = []): LogSource => ({
  followEveryMs: 0,
  functions: async () => ['cold-00', 'router'],
  open: ({ functionName, isWanted = () => true }) => {
    const coming = [later];
    return {
      last: async (limit) => ({
        lines: inOrder(WRITTEN)
          .filter((each) => functionName === undefined || each.functionName === functionName)
          .filter(isWanted)
          .slice(-limit),
        isCut: limit === 1,
      }),
      more: async () => {
        const lines = coming.shift();
        if (lines === undefined) throw new Error('the end');
        return { lines, isCut: false };
      },
    };
  },
});

const show = async (args: readonly string[], values: object, from = source()) => {
  const lines: string[] = [];
  const notes: string[] = [];
  const output = {
    answer: () => undefined,
    progress: () => undefined,
    end: () => undefined,
    line: (text: string) => void lines.push(text),
    note: (text: string) => void notes.push(text),
  };
  const connection = { logs: from } as never;
  const error = await logs
    .run(args, { since: Date.now(), limit: 10, ...values }, { connection, output })
    .catch((thrown: Error) => thrown.message);
  return { lines, notes, error };
};

describe('mme logs', () => {
  it('shows lines for people, without metrics', async () => {
    expect((await show([], {})).lines).toEqual([
      '12:00:00.001 router     INFO  first',
      '12:00:00.002 cold-00    INFO  second',
      '12:00:00.004 router     ERROR failed  E: why',
      '12:00:00.005 cold-00    WARN  call failed  model=b/a.tar.gz',
    ]);
  });

  it.each([
    [['router'], { metrics: true }, 3],
    [['router'], { errors: true }, 1],
    [[], { errors: true }, 2],
    [['b/a.tar.gz'], {}, 1],
    [['b/a'], {}, 1],
    [['a.tar.gz'], {}, 1],
    [[], { limit: 1 }, 1],
  ])('%j %j', async (args, values, count) => {
    expect((await show(args, values)).lines).toHaveLength(count);
  });

  it('says so when there are none, what functions there are, and when lines are missing', async () => {
    expect(await show(['a.tar.gz'], {})).toMatchObject({ lines: ['no lines: see --since'], notes: [] });
    expect(await show(['ruoter'], {})).toMatchObject({
      lines: ['no lines: see --since'],
      notes: [expect.stringMatching(/no log of a function "ruoter": there are cold-00, router/)],
    });
    expect((await show([], { limit: 1 })).notes).toEqual([expect.stringMatching(/lines are missing/)]);
  });

  it('gives a JSON document a line, and nothing where there is none', async () => {
    const { lines } = await show(['router'], { json: true, errors: true });
    expect(lines.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({
        functionName: 'router',
        record: expect.objectContaining({ level: 'ERROR' }),
      }),
    ]);
    expect((await show(['a.tar.gz'], { json: true })).lines).toEqual([]);
  });

  it('goes on with what comes', async () => {
    const { lines, error } = await show(
      [],
      { follow: true, limit: 1 },
      source([line('hot-00', T + 9, 'new')]),
    );
    expect(lines.at(-1)).toBe('12:00:00.009 hot-00     INFO  new');
    expect(error).toBe('the end');
  });
});

describe('a line of a log', () => {
  const text = (record: object | string): string =>
    lineText({
      functionName: 'router',
      atMs: T,
      text: typeof record === 'string' ? record : JSON.stringify(record),
    }).slice('12:00:00.000 router     '.length);

  it.each([
    [
      {
        level: 'ERROR',
        message: 'm',
        error: { name: 'A', message: 'b', cause: { name: 'C', message: 'd' } },
      },
      'ERROR m  A: b (C: d)',
    ],
    [{ level: 'INFO', message: 'tick', moves: [], epoch: 3, service: 's' }, 'INFO  tick  epoch=3'],
    [
      { level: 'ERROR', errorType: 'Error', errorMessage: 'died', stackTrace: [] },
      'ERROR uncaught  Error: died',
    ],
    [{ level: 'INFO', message: { a: 1 } }, 'INFO  {"a":1}'],
    ['no JSON', 'no JSON'],
    ['{"cut":', '{"cut":'],
    [{ type: 'platform.report' }, '{"type":"platform.report"}'],
  ])('%j', (record, expected) => {
    expect(text(record)).toBe(expected);
  });

  it('cannot move the cursor of a terminal, nor look like two lines', () => {
    expect(text({ level: 'INFO', message: 'a\u001b[2Jb\r\nc\u202ed' })).toBe(
      'INFO  a\\u001b[2Jb\\r\\nc\\u202ed',
    );
    expect(text('plain \u001b]0;title\u0007')).toBe('plain \\u001b]0;title\\u0007');
  });
});

describe('a model that lines speak of', () => {
  const isOf = (model: string) => (record: object) =>
    chooseLines({ model, isErrors: false, isMetrics: false })({
      functionName: 'cold-00',
      atMs: T,
      text: JSON.stringify(record),
    });

  it('is meant with its whole name, wherever it is said', () => {
    const isWanted = isOf('a.tar.gz');
    expect(isWanted({ message: 'call failed', model: 'a.tar.gz' })).toBe(true);
    expect(isWanted({ message: 'x', error: { message: 'model "a.tar.gz" not found' } })).toBe(true);
    expect(isWanted({ message: 'tick', moves: [{ model: 'a.tar.gz' }] })).toBe(true);
    expect(isWanted({ message: 'call failed', model: 'b/a.tar.gz' })).toBe(false);
    expect(isWanted({ message: 'call failed', model: 'ba.tar.gz' })).toBe(false);
    expect(isWanted({ message: 'call failed', model: 'aXtar.gz' })).toBe(false);
    expect(isOf('a+(b)[c].onnx')({ model: 'a+(b)[c].onnx' })).toBe(true);
    expect(isOf('say "ü".onnx')({ model: 'say "ü".onnx' })).toBe(true);
  });

  it.each([
    ['router', undefined],
    ['cold-00', undefined],
    ['a.onnx', 'a.onnx'],
    ['tenant-7/churn', 'tenant-7/churn.tar.gz'],
  ])('%s', (about, model) => {
    expect(modelOf(about)).toBe(model);
  });
});
