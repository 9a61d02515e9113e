import {
  GetMetricDataCommand,
  ListMetricsCommand,
  type ListMetricsCommandInput,
  type MetricDatum,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CloudWatchHarness, datum, startCloudWatch, T0 } from './cloudwatch-harness.ts';

let cloud: CloudWatchHarness;
beforeEach(async () => {
  cloud = await startCloudWatch();
});
afterEach(() => cloud.close());

const put = (MetricData: MetricDatum[], Namespace = 'ns') =>
  cloud.client.send(new PutMetricDataCommand({ Namespace, MetricData }));

const read = async (stats: readonly string[], MetricName = 'm') => {
  const Metric = { Namespace: 'ns', MetricName };
  const { MetricDataResults = [] } = await cloud.client.send(
    new GetMetricDataCommand({
      StartTime: new Date(T0),
      EndTime: new Date(T0 + 60_000),
      MetricDataQueries: stats.map((Stat, index) => ({
        Id: `a${index}`,
        MetricStat: { Metric, Period: 60, Stat },
      })),
    }),
  );
  return MetricDataResults.map(({ Values }) => Values?.[0]);
};

const list = async (input: ListMetricsCommandInput = {}) => {
  const { Metrics = [], NextToken } = await cloud.client.send(new ListMetricsCommand(input));
  return { names: Metrics.map(({ MetricName }) => MetricName), Metrics, NextToken };
};

describe('PutMetricData', () => {
  it('takes single values, values with counts and statistic sets', async () => {
    await put([
      { MetricName: 'm', Value: 1.5, Unit: 'Count', Timestamp: new Date(T0 + 1) },
      { MetricName: 'm', Values: [2, 4], Counts: [3, 1], StorageResolution: 1 },
      { MetricName: 'm', Values: [8] },
    ]);
    expect(await read(['Sum', 'SampleCount', 'p50'])).toEqual([19.5, 6, 2]);

    const StatisticValues = { SampleCount: 2, Sum: 20, Minimum: 5, Maximum: 15 };
    await put([{ MetricName: 'm', StatisticValues }]);
    expect(await read(['Sum', 'Maximum', 'p50'])).toEqual([39.5, 15, undefined]);
  });

  it('takes what the SDK compresses', async () => {
    const data = Array.from({ length: 1000 }, (_, index) => ({ MetricName: `m${index}`, Value: index }));
    await put(data);

    expect(await read(['Sum'], 'm999')).toEqual([999]);
  });

  it.each<[string, MetricDatum[], string]>([
    ['nothing', [], 'MissingRequiredParameterException'],
    ['no name', [{ MetricName: '', Value: 1 }], 'MissingRequiredParameterException'],
    ['no value', [{ MetricName: 'm' }], 'MissingRequiredParameterException'],
    [
      'two kinds of values',
      [{ MetricName: 'm', Value: 1, Values: [1] }],
      'InvalidParameterCombinationException',
    ],
    [
      'counts that do not fit',
      [{ MetricName: 'm', Values: [1], Counts: [1, 2] }],
      'InvalidParameterValueException',
    ],
    ['151 values', [{ MetricName: 'm', Values: Array(151).fill(1) }], 'InvalidParameterValueException'],
    ['a value beyond 2^360', [{ MetricName: 'm', Value: 2 ** 361 }], 'InvalidParameterValueException'],
    ['no number', [{ MetricName: 'm', Value: Number.NaN }], 'InvalidParameterValueException'],
    [
      'a time three weeks ago',
      [{ MetricName: 'm', Value: 1, Timestamp: new Date(T0 - 21 * 86_400_000) }],
      'InvalidParameterValueException',
    ],
    [
      '31 dimensions',
      [
        {
          MetricName: 'm',
          Value: 1,
          Dimensions: Array.from({ length: 31 }, (_, index) => ({ Name: `D${index}`, Value: 'x' })),
        },
      ],
      'InvalidParameterValueException',
    ],
    ['1001 data', Array(1001).fill({ MetricName: 'm', Value: 1 }), 'InvalidParameterValueException'],
  ])('refuses %s and keeps none of the call', async (_, data, name) => {
    const call = put(data.length === 0 ? data : [{ MetricName: 'good', Value: 1 }, ...data]);

    await expect(call).rejects.toMatchObject({ name });
    expect((await list()).names).toEqual([]);
  });

  it("refuses AWS's own namespaces", async () => {
    await expect(put([{ MetricName: 'm', Value: 1 }], 'AWS/Lambda')).rejects.toThrow(/AWS\//);
  });
});

describe('ListMetrics', () => {
  it('filters by namespace, name and dimensions', async () => {
    cloud.service.record(datum({ name: 'a', dimensions: { A: '1', B: '2' } }));
    cloud.service.record(datum({ name: 'b', dimensions: { A: '2' } }));
    cloud.service.record(datum({ name: 'a', namespace: 'other' }));

    expect((await list()).names).toEqual(['a', 'b', 'a']);
    expect((await list({ Namespace: 'ns' })).names).toEqual(['a', 'b']);
    expect((await list({ MetricName: 'a', Dimensions: [{ Name: 'B' }] })).Metrics).toEqual([
      {
        Namespace: 'ns',
        MetricName: 'a',
        Dimensions: [
          { Name: 'A', Value: '1' },
          { Name: 'B', Value: '2' },
        ],
      },
    ]);
    expect((await list({ Dimensions: [{ Name: 'A', Value: '2' }] })).names).toEqual(['b']);
    expect((await list({ Dimensions: [{ Name: 'constructor' }] })).names).toEqual([]);
  });

  it('comes in pages of 500', async () => {
    for (let index = 0; index < 501; index++) cloud.service.record(datum({ name: `m${index}` }));

    const first = await list();
    const second = await list({ NextToken: first.NextToken });
    expect([first.names.length, second.names, second.NextToken]).toEqual([500, ['m500'], undefined]);
  });
});

describe('what a function prints', () => {
  const emf = JSON.stringify({
    _aws: {
      Timestamp: T0,
      CloudWatchMetrics: [{ Namespace: 'ns', Dimensions: [[]], Metrics: [{ Name: 'm' }] }],
    },
    m: [1, 2],
  });

  it('becomes metrics, though it comes in pieces between other lines', async () => {
    cloud.service.output('one', `START\n${emf.slice(0, 50)}`);
    cloud.service.output('two', 'something else\n');
    cloud.service.output('one', `${emf.slice(50)}\n${emf}`);
    cloud.service.outputEnded('one');

    expect(await read(['Sum', 'SampleCount'])).toEqual([6, 4]);
  });

  it('is complained about once', () => {
    const tooMany = emf.replace('[1,2]', JSON.stringify(Array(101).fill(1)));
    for (let index = 0; index < 3; index++) cloud.service.output('one', `${tooMany}\n`);

    expect(cloud.errors.map(String)).toEqual([expect.stringContaining('101 values')]);
  });
});
