import { describe, expect, it } from 'vitest';
import { evaluateMath } from '../../../../local/services/cloudwatch/evaluate-math.ts';
import { parseExpression } from '../../../../local/services/cloudwatch/expression.ts';
import { parseMath } from '../../../../local/services/cloudwatch/math-expression.ts';
import type { TimeSeries } from '../../../../local/services/cloudwatch/time-series.ts';

const series = (values: Record<number, number>): TimeSeries => ({
  label: '',
  periodMs: 1000,
  values: new Map(Object.entries(values).map(([second, value]) => [Number(second) * 1000, value])),
});

const METRICS: Readonly<Record<string, readonly TimeSeries[]>> = {
  a: [series({ 0: 1, 1: 2, 3: 4 })],
  b: [series({ 0: 10, 1: 0 })],
  many: [series({ 0: 1 }), series({ 0: 2, 3: 3 })],
};

const evaluate = (text: string): Record<number, number> => {
  const context = { startMs: 0, endMs: 4000, resolve: (id: string) => METRICS[id] ?? [] };
  const { values } = evaluateMath(parseMath(text), context);
  return Object.fromEntries([...values].sort(([x], [y]) => x - y).map(([ms, value]) => [ms / 1000, value]));
};

describe('metric math', () => {
  it.each([
    ['a', { 0: 1, 1: 2, 3: 4 }],
    ['a + b', { 0: 11, 1: 2 }],
    ['a / b', { 0: 0.1 }],
    ['2 * (a - 1) / 2', { 0: 0, 1: 1, 3: 3 }],
    ['1 + 2 * a', { 0: 3, 1: 5, 3: 9 }],
    ['10 - 2 - a', { 0: 7, 1: 6, 3: 4 }],
    ['-a', { 0: -1, 1: -2, 3: -4 }],
    ['FILL(b, 0)', { 0: 10, 1: 0, 2: 0, 3: 0 }],
    ['FILL(b, -1.5) + 0', { 0: 10, 1: 0, 2: -1.5, 3: -1.5 }],
    ['a + FILL(b,0)', { 0: 11, 1: 2, 3: 4 }],
    ['SUM([a, b])', { 0: 11, 1: 2, 3: 4 }],
    ['SUM(many) * 1e2', { 0: 300, 3: 300 }],
    ['SUM([many])', { 0: 3, 3: 3 }],
  ])('%s', (text, expected) => {
    expect(evaluate(text)).toEqual(expected);
  });

  it.each(['1 + 2', 'many + 1', 'FILL(1, 2)', 'SUM([1, a])'])('%s is refused as no time series', (text) => {
    expect(() => evaluate(text)).toThrow(/Invalid math/);
  });
});

describe('an expression that cannot be read', () => {
  it.each([
    '',
    'a +',
    'a b',
    '(a',
    'a ^ 2',
    'RATE(a)',
    'FILL(a, REPEAT)',
    'IF(a > 1, 2)',
    `${'('.repeat(500)}a`,
    'SELECT',
    'SELECT SUM(m) FROM "ns"',
    'SELECT SUM(m) FROM SCHEMA("ns", A) WHERE B = \'x\'',
    'SELECT SUM(m) FROM SCHEMA("ns", A) WHERE A = x',
    'SELECT SUM(m) FROM SCHEMA("ns", A) GROUP BY B',
    'SELECT SUM(m) FROM SCHEMA("ns", A) LIMIT 1 OFFSET 2',
    'SELECT MEDIAN(m) FROM SCHEMA("ns", A)',
    'SELECT SUM(m) FROM SCHEMA("ns", A) ;',
    "SEARCH('{ns} m', 'Sum')",
    "SEARCH('{ns,A} A=\"x\"', 'Sum', 60)",
    'SEARCH(1)',
  ])('%j is refused with what is supported', (text) => {
    expect(() => parseExpression(text)).toThrow(/The local CloudWatch has: arithmetic/);
  });

  it('is refused when it is longer than 2048 characters', () => {
    expect(() => parseExpression(`a${'+a'.repeat(1024)}`)).toThrow(/at most 2048/);
  });
});

describe('what a query means', () => {
  it('of Metrics Insights, in full', () => {
    const text = `select sum("my m") FROM SCHEMA("my/ns", A, "B c") WHERE A = 'x y' AND "B c" = ''
      group by A, "B c" ORDER BY MAX() desc LIMIT 7`;

    expect(parseExpression(text)).toEqual({
      kind: 'insights',
      query: {
        select: 'SUM',
        name: 'my m',
        namespace: 'my/ns',
        schema: ['A', 'B c'],
        where: [
          { dimension: 'A', value: 'x y' },
          { dimension: 'B c', value: '' },
        ],
        groupBy: ['A', 'B c'],
        orderBy: { by: 'MAX', isDescending: true },
        limit: 7,
      },
    });
  });

  it('of SEARCH, in full', () => {
    expect(
      parseExpression(` SEARCH('{"my ns", A,"B c"} MetricName="m" AND A="1"', 'p90', 300) `),
    ).toMatchObject({
      kind: 'search',
      query: {
        namespace: 'my ns',
        schema: ['A', 'B c'],
        name: 'm',
        where: [{ dimension: 'A', value: '1' }],
        periodSeconds: 300,
      },
    });
  });
});
