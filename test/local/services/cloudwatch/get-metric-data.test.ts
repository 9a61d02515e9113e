import { GetMetricDataCommand, type GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CloudWatchHarness, datum, MINUTE, startCloudWatch, T0 } from './cloudwatch-harness.ts';

let cloud: CloudWatchHarness;
beforeEach(async () => {
  cloud = await startCloudWatch();
});
afterEach(() => cloud.close());

type Query = NonNullable<GetMetricDataCommandInput['MetricDataQueries']>[number];

const get = (queries: readonly Query[], more: Partial<GetMetricDataCommandInput> = {}) =>
  cloud.client.send(
    new GetMetricDataCommand({
      StartTime: new Date(T0),
      EndTime: new Date(T0 + 10 * MINUTE),
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [...queries],
      ...more,
    }),
  );

/** Results as `label: [minute, value] ...`. */
const table = async (queries: readonly Query[], more: Partial<GetMetricDataCommandInput> = {}) => {
  const { MetricDataResults = [] } = await get(queries, more);
  return MetricDataResults.map(({ Id, Label, Timestamps = [], Values = [] }) => [
    Id,
    Label,
    Timestamps.map((time, index) => [(time.getTime() - T0) / MINUTE, Values[index]]),
  ]);
};

const metric = (
  overrides: { Id?: string; Stat?: string; Period?: number; MetricName?: string } = {},
): Query => {
  const { Id = 'a', Stat = 'Sum', Period = 60, MetricName = 'm' } = overrides;
  return { Id, MetricStat: { Metric: { Namespace: 'ns', MetricName }, Period, Stat } };
};

const recordModels = (): void => {
  for (const [model, zone, values] of [
    ['x', '1', [1, 2]],
    ['x', '2', [3]],
    ['y', '1', [10]],
  ] as const) {
    cloud.service.record(datum({ dimensions: { Model: model, Zone: zone }, values }));
  }
  cloud.service.record(datum({ dimensions: { Model: 'x' }, values: [1000] }));
};

const SCHEMA = 'FROM SCHEMA("ns", Model, Zone)';
const insights = (Expression: string): Query => ({ Id: 'q', Expression, Period: 60 });

describe('GetMetricData', () => {
  it('takes the start in and leaves the end out, aligned down to the period', async () => {
    for (let minute = 0; minute < 4; minute++) {
      cloud.service.record(datum({ timestampMs: T0 + minute * MINUTE, values: [minute] }));
    }
    const range = { StartTime: new Date(T0 + 90_000), EndTime: new Date(T0 + 3 * MINUTE) };

    expect(await table([metric()], range)).toEqual([
      [
        'a',
        'm',
        [
          [1, 1],
          [2, 2],
        ],
      ],
    ]);
    expect(await table([metric({ Period: 120 })], range)).toEqual([
      [
        'a',
        'm',
        [
          [0, 1],
          [2, 5],
        ],
      ],
    ]);
  });

  it('shows the newest first unless asked otherwise, and fractions of a minute', async () => {
    cloud.service.record(datum({ timestampMs: T0 + 31_000, values: [1, 2] }));
    cloud.service.record(datum({ timestampMs: T0 + MINUTE }));
    const { MetricDataResults } = await get([metric({ Period: 30, Stat: 'Average' })], { ScanBy: undefined });

    expect(MetricDataResults).toEqual([
      {
        Id: 'a',
        Label: 'm',
        Timestamps: [new Date(T0 + MINUTE), new Date(T0 + 30_000)],
        Values: [1, 1.5],
        StatusCode: 'Complete',
      },
    ]);
  });

  it('answers an unknown metric with no points', async () => {
    expect(await table([metric()])).toEqual([['a', 'm', []]]);
  });

  it('evaluates expressions over queries that are not returned, and after them', async () => {
    cloud.service.record(datum({ values: [3, 4] }));
    cloud.service.record(datum({ timestampMs: T0 + MINUTE, values: [5] }));

    const queries = [
      { Id: 'e', Expression: 'a / n + c', Label: 'mean' },
      { Id: 'c', Expression: 'FILL(a, 0) * 0', ReturnData: false },
      { ...metric(), ReturnData: false },
      { ...metric({ Id: 'n', Stat: 'SampleCount' }), ReturnData: false },
    ];
    expect(await table(queries)).toEqual([
      [
        'e',
        'mean',
        [
          [0, 3.5],
          [1, 5],
        ],
      ],
    ]);
  });

  it('pages through points, of all results together, as of the first page', async () => {
    for (let minute = 0; minute < 3; minute++) {
      cloud.service.record(datum({ timestampMs: T0 + minute * MINUTE }));
      cloud.service.record(datum({ name: 'n', timestampMs: T0 + minute * MINUTE }));
    }
    const queries = [metric(), metric({ Id: 'b', MetricName: 'n' })];
    const sizes: Record<string, number>[] = [];
    let NextToken: string | undefined;
    do {
      const page = await get(queries, { MaxDatapoints: 2, NextToken });
      const results = page.MetricDataResults ?? [];
      sizes.push(Object.fromEntries(results.map(({ Id, Values = [] }) => [Id, Values.length])));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);

    expect(sizes).toEqual([{ a: 2 }, { a: 1, b: 1 }, { b: 2 }]);
  });

  it.each<[string, readonly Query[], Partial<GetMetricDataCommandInput>]>([
    ['a period of 7 s', [metric({ Period: 7 })], {}],
    ['a period of 90 s', [metric({ Period: 90 })], {}],
    ['an unknown statistic', [metric({ Stat: 'Median' })], {}],
    ['two queries of one id', [metric(), metric()], {}],
    ['an id in capitals', [metric({ Id: 'A' })], {}],
    ['501 queries', Array.from({ length: 501 }, (_, index) => metric({ Id: `a${index}` })), {}],
    ['neither a metric nor an expression', [{ Id: 'a' }], {}],
    ['an expression of itself', [{ Id: 'a', Expression: 'a + 1' }], {}],
    ['an expression of nobody', [{ Id: 'a', Expression: 'b' }], {}],
    ['Insights without a period', [{ Id: 'q', Expression: `SELECT SUM(m) ${SCHEMA}` }], {}],
    [
      'two Insights queries',
      [insights(`SELECT SUM(m) ${SCHEMA}`), { ...insights(`SELECT SUM(m) ${SCHEMA}`), Id: 'r' }],
      {},
    ],
    ['a start after the end', [metric()], { EndTime: new Date(T0) }],
    ['too many points at once', [metric()], { MaxDatapoints: 100_801 }],
    [
      'FILL without an end',
      [metric({ Period: 1 }), { Id: 'f', Expression: 'FILL(a,0)' }],
      { StartTime: new Date(0) },
    ],
  ])('refuses %s with ValidationError', async (_, queries, more) => {
    await expect(get(queries, more)).rejects.toMatchObject({
      name: 'ValidationException',
      Code: 'ValidationError',
    });
  });

  it('refuses a token that is not its own', async () => {
    await expect(get([metric()], { NextToken: 'x' })).rejects.toMatchObject({ name: 'InvalidNextToken' });
  });
});

describe('Metrics Insights', () => {
  beforeEach(recordModels);

  it('adds up all metrics with exactly the dimensions of the schema', async () => {
    expect(await table([insights(`SELECT SUM(m) ${SCHEMA}`)])).toEqual([['q', 'q', [[0, 16]]]]);
  });

  it.each([
    ['SUM', 6, 10],
    ['AVG', 2, 10],
    ['MIN', 1, 10],
    ['MAX', 3, 10],
    ['COUNT', 3, 1],
  ])('groups with %s', async (name, x, y) => {
    expect(await table([insights(`SELECT ${name}(m) ${SCHEMA} GROUP BY Model`)])).toEqual([
      ['q', 'x', [[0, x]]],
      ['q', 'y', [[0, y]]],
    ]);
  });

  it('filters, groups by several dimensions, orders and limits', async () => {
    const labels = async (rest: string) =>
      (await table([insights(`SELECT SUM(m) ${SCHEMA} ${rest}`)])).map(([, label]) => label);

    expect(await labels("WHERE Zone = '1' GROUP BY Model, Zone")).toEqual(['x 1', 'y 1']);
    expect(await labels("WHERE Zone = '1' AND Model = 'y' GROUP BY Zone, Model")).toEqual(['1 y']);
    expect(await labels('GROUP BY Model ORDER BY SUM() DESC')).toEqual(['y', 'x']);
    expect(await labels('GROUP BY Model, Zone ORDER BY SUM() ASC LIMIT 2')).toEqual(['x 1', 'x 2']);
    expect(await labels("WHERE Zone = '3' GROUP BY Model")).toEqual([]);
  });

  it('keeps groups apart whose labels look the same', async () => {
    cloud.service.record(datum({ name: 'n', dimensions: { Model: 'a b', Zone: 'c' } }));
    cloud.service.record(datum({ name: 'n', dimensions: { Model: 'a', Zone: 'b c' } }));

    expect(await table([insights(`SELECT SUM(n) ${SCHEMA} GROUP BY Model, Zone`)])).toHaveLength(2);
  });

  it('gives at most 500 groups', async () => {
    for (let index = 0; index < 501; index++) {
      cloud.service.record(datum({ name: 'n', dimensions: { Model: `m${index}`, Zone: '1' } }));
    }

    expect(await table([insights(`SELECT SUM(n) ${SCHEMA} GROUP BY Model`)])).toHaveLength(500);
  });
});

describe('SEARCH', () => {
  beforeEach(recordModels);

  it('gives each metric with exactly these dimensions', async () => {
    const Expression = `SEARCH('{ns,Model,Zone} MetricName="m" Zone="1"', 'Maximum', 60)`;

    expect(await table([{ Id: 's', Expression }])).toEqual([
      ['s', 'x 1', [[0, 2]]],
      ['s', 'y 1', [[0, 10]]],
    ]);
  });

  it('can be added up by metric math', async () => {
    const Expression = `SEARCH('{ns,Model,Zone} MetricName="m"', 'Sum')`;
    const queries = [
      { Id: 's', Expression, Period: 60, ReturnData: false },
      { Id: 'all', Expression: 'SUM(s)' },
    ];

    expect(await table(queries)).toEqual([['all', 'all', [[0, 16]]]]);
  });
});
