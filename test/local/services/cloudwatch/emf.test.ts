import { describe, expect, it } from 'vitest';
import { parseEmfLine } from '../../../../local/services/cloudwatch/emf.ts';
import { createOutputLines } from '../../../../local/services/cloudwatch/output-lines.ts';
import { T0 } from './cloudwatch-harness.ts';

const parse = (line: unknown) => {
  const rejected: string[] = [];
  const data = parseEmfLine(typeof line === 'string' ? line : JSON.stringify(line), {
    nowMs: T0,
    onRejected: (reason) => rejected.push(reason),
  });
  return { data, rejected };
};

const record = (directive: object, fields: object = {}) => ({
  _aws: {
    Timestamp: T0 - 5,
    CloudWatchMetrics: [
      { Namespace: 'ns', Dimensions: [['A']], Metrics: [{ Name: 'm', Unit: 'Count' }], ...directive },
    ],
  },
  A: 'x',
  m: 1,
  ...fields,
});

describe('a line of the embedded metric format', () => {
  it('gives one datum per dimension set and metric', () => {
    const { data } = parse(
      record(
        {
          Dimensions: [['A'], ['A', 'B'], []],
          Metrics: [{ Name: 'm' }, { Name: 'n', Unit: 'Milliseconds' }],
        },
        { B: 'y', n: [1, 2] },
      ),
    );

    expect(data.map(({ name, dimensions, values, unit }) => [name, dimensions, values, unit])).toEqual([
      ['m', { A: 'x' }, [1], undefined],
      ['n', { A: 'x' }, [1, 2], 'Milliseconds'],
      ['m', { A: 'x', B: 'y' }, [1], undefined],
      ['n', { A: 'x', B: 'y' }, [1, 2], 'Milliseconds'],
      ['m', {}, [1], undefined],
      ['n', {}, [1, 2], 'Milliseconds'],
    ]);
    expect(data.every(({ timestampMs, namespace }) => timestampMs === T0 - 5 && namespace === 'ns')).toBe(
      true,
    );
  });

  it('is dated now when it has no timestamp, and has no dimensions when it names none', () => {
    const line = { _aws: { CloudWatchMetrics: [{ Namespace: 'ns', Metrics: [{ Name: 'm' }] }] }, m: 2 };

    expect(parse(line).data).toEqual([
      { namespace: 'ns', name: 'm', dimensions: {}, timestampMs: T0, values: [2] },
    ]);
  });

  it.each([
    ['a metric that is missing', record({ Metrics: [{ Name: 'other' }] })],
    ['a metric that is text', record({}, { m: '1' })],
    ['a metric with a text in its values', record({}, { m: [1, '2'] })],
    ['a metric without values', record({}, { m: [] })],
    ['a dimension that is missing', record({ Dimensions: [['B']] })],
    ['a dimension that is a number', record({}, { A: 1 })],
    ['a name every object has', record({ Metrics: [{ Name: 'constructor' }] })],
    ['no namespace', record({ Namespace: undefined })],
    ['metrics that are no list', record({ Metrics: {} })],
  ])('skips %s', (_, line) => {
    expect(parse(line)).toEqual({ data: [], rejected: [] });
  });

  it('rejects more than 30 dimensions and more than 100 values', () => {
    const names = Array.from({ length: 31 }, (_, index) => `D${index}`);

    expect(parse(record({ Dimensions: [names] })).rejected).toEqual([
      expect.stringContaining('31 dimensions'),
    ]);
    expect(parse(record({}, { m: Array(101).fill(1) })).rejected).toEqual([
      expect.stringContaining('101 values'),
    ]);
  });

  it.each([
    'START RequestId: 1',
    '{"_aws"',
    '"_aws"',
    '["_aws"]',
    '{"_aws":1}',
    '{"_aws":{"CloudWatchMetrics":1}}',
    '{"_aws":null}',
  ])('%s is no metric', (line) => {
    expect(parse(line)).toEqual({ data: [], rejected: [] });
  });
});

describe('the lines of output', () => {
  const collect = () => {
    const seen: string[] = [];
    let tooLong = 0;
    const lines = createOutputLines({ onLine: (line) => seen.push(line), onTooLong: () => tooLong++ });
    return { lines, seen, tooLong: () => tooLong };
  };

  it('are put together from chunks, of each stream by itself', () => {
    const { lines, seen } = collect();
    for (const character of 'ab\ncd\n') {
      lines.add('one', character);
      lines.add('two', character.toUpperCase());
    }

    expect(seen).toEqual(['ab', 'AB', 'cd', 'CD']);
  });

  it('end with the stream when no newline ends them', () => {
    const { lines, seen } = collect();
    lines.add('one', 'first\nla');
    lines.add('one', 'st');
    lines.end('one');
    lines.end('one');
    lines.end('never seen');

    expect(seen).toEqual(['first', 'last']);
  });

  it('are dropped beyond 1 MB, and the next one is read again', () => {
    const { lines, seen, tooLong } = collect();
    for (let chunk = 0; chunk < 40; chunk++) lines.add('one', 'x'.repeat(100_000));
    lines.add('one', 'tail\nnext\n');
    lines.add('one', `${'y'.repeat(2_000_000)}\nlast\n`);

    expect(seen).toEqual(['next', 'last']);
    expect(tooLong()).toBe(2);
  });
});
