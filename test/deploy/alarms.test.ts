import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { virtualEndpoint } from '../stories/virtual-endpoint.ts';
import { ofType, type Properties, resourcesOf } from './deployment.ts';
import { emittedMetrics, keyOf, knownMetrics } from './known-metrics.ts';

const alarmsOf = async (parameters?: Record<string, string | number | boolean>) =>
  ofType(await resourcesOf('alarms.cjs', parameters), 'AWS::CloudWatch::Alarm');

interface Watched {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
}
interface Query {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: Watched; readonly Period: number };
}

/** Both forms of an alarm: of one metric, and of an expression over several. */
const metricsOf = (alarm: Properties): readonly Watched[] =>
  alarm['Metrics'] === undefined
    ? [alarm as unknown as Watched]
    : (alarm['Metrics'] as readonly Query[]).flatMap(({ MetricStat }) =>
        MetricStat ? [MetricStat.Metric] : [],
      );

describe('the alarms', () => {
  it('watch metrics that are emitted with exactly these dimensions', async () => {
    const known = knownMetrics(await resourcesOf('alarms.cjs'));

    const watched = (await alarmsOf()).flatMap(metricsOf);

    const keys = watched.map(({ Namespace, MetricName, Dimensions }) =>
      keyOf(
        Namespace,
        MetricName,
        Dimensions.map(({ Name }) => Name),
      ),
    );
    expect(keys.filter((key) => !known.has(key))).toEqual([]);
    expect(keys.length).toBeGreaterThan(10);
  });

  it('would find a typo: the names come from the sources', () => {
    const emitted = emittedMetrics();

    expect(emitted).toContain('lambda-mme ModelReloads {EndpointName,VariantName}');
    expect(emitted).toContain('lambda-mme InvocationModelErrors {EndpointName,VariantName}');
    expect(emitted).not.toContain('lambda-mme ModelReload {EndpointName,VariantName}');
    expect(emitted).not.toContain('lambda-mme OnDemandStartTime {EndpointName,VariantName}');
  });

  it('are what CloudWatch takes', async () => {
    for (const alarm of await alarmsOf()) {
      const queries = (alarm['Metrics'] ?? []) as readonly Query[];
      const expressions = queries.flatMap(({ Expression }) => Expression ?? []);
      const period = Number(
        alarm['Period'] ?? queries.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period,
      );

      expect(metricsOf(alarm).length, 'CloudWatch quotas: ten metrics in an expression').toBeLessThanOrEqual(
        10,
      );
      expect(expressions.join()).not.toContain('SEARCH');
      expect(new Set(queries.map(({ Id }) => Id)).size).toBe(queries.length);
      expect(queries.every(({ Id }) => /^[a-z]\w*$/.test(Id))).toBe(true);
      expect(Number(alarm['EvaluationPeriods']) * period).toBeLessThanOrEqual(86_400);
      expect(Number(alarm['DatapointsToAlarm'])).toBeLessThanOrEqual(Number(alarm['EvaluationPeriods']));
      expect(String(alarm['AlarmDescription']).length).toBeLessThanOrEqual(1024);
    }
  });

  it('say what they mean and what to do first, and are in the operations guide', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

    for (const { AlarmName, AlarmDescription } of await alarmsOf()) {
      expect(AlarmDescription).toMatch(/^[A-Z].*\. First: /);
      expect(guide).toContain(`\`${String(AlarmName).replace('mme-test-', '')}\``);
    }
  });

  it('are few: below two dollars a month at $0.10 for each metric', async () => {
    const metrics = (await alarmsOf({ coldShards: 30, hotSlots: 10 })).flatMap(metricsOf);

    expect(0.1 * metrics.length).toBeLessThan(2);
  });

  it('take silence for good but for the scaler, whose silence they are about', async () => {
    const breaching = (await alarmsOf()).filter(
      ({ TreatMissingData }) => TreatMissingData !== 'notBreaching',
    );

    expect(breaching.map(({ AlarmName, TreatMissingData }) => [AlarmName, TreatMissingData])).toEqual([
      ['mme-test-scaler-silent', 'breaching'],
    ]);
  });

  it('tell nobody without an address, and else a topic that CloudWatch may publish to', async () => {
    const silent = await resourcesOf('alarms.cjs');
    const told = await resourcesOf('alarms.cjs', { alarmEmail: 'ops@example.com' });

    expect(ofType(silent, 'AWS::SNS::Topic')).toEqual([]);
    expect((await alarmsOf()).some((alarm) => 'AlarmActions' in alarm)).toBe(false);
    const [topic] = ofType(told, 'AWS::SNS::Topic');
    expect(topic?.['Subscription']).toEqual([{ Protocol: 'email', Endpoint: 'ops@example.com' }]);
    expect(topic, 'alias/aws/sns would keep CloudWatch out').not.toHaveProperty('KmsMasterKeyId');
    expect(JSON.stringify(ofType(told, 'AWS::SNS::TopicPolicy'))).toContain('cloudwatch.amazonaws.com');
    for (const alarm of ofType(told, 'AWS::CloudWatch::Alarm')) {
      expect(alarm['AlarmActions']).toEqual([{ Ref: 'AlarmsTopic' }]);
    }
  });

  it('can be left out, and wrong parameters are named', async () => {
    expect(await resourcesOf('alarms.cjs', { alarms: false })).toEqual({});
    expect(await resourcesOf('alarms.cjs', { alarms: 'false' })).toEqual({});
    await expect(resourcesOf('alarms.cjs', { alarms: 'maybe' })).rejects.toThrow(
      'parameter alarms must be true or false, but is "maybe"',
    );
    await expect(resourcesOf('alarms.cjs', { alarmEmail: 'ops' })).rejects.toThrow(
      'parameter alarmEmail must be an e-mail address, or empty for none, but is "ops"',
    );
  });

  it('know no budget where there is none', async () => {
    const names = (await alarmsOf({ workerBudget: 0 })).map(({ AlarmName }) => AlarmName);

    expect(names).not.toContain('mme-test-workers-at-budget');
  });
});

type Line = Readonly<Record<string, unknown>>;

/** The part of CloudWatch Logs' filter patterns that is used: `{ $.a = "b" && $.c[0].d = "*" && $.e >= 0 }`. */
const matches = (pattern: string, line: Line): boolean =>
  pattern
    .replace(/^\{ | \}$/g, '')
    .split(' && ')
    .every((condition) => {
      const [, path = '', operator, wanted = ''] = /^\$\.([\w.[\]]+) (=|>=) (.+)$/.exec(condition) ?? [];
      const value = path
        .split(/[.[\]]+/)
        .filter(Boolean)
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], line);
      if (operator === '>=') return typeof value === 'number' && value >= Number(wanted);
      return wanted === '"*"' ? typeof value === 'string' : JSON.stringify(value) === wanted;
    });

describe('the metrics of the scaler', () => {
  const matched = async (line: Line): Promise<readonly string[]> =>
    ofType(await resourcesOf('alarms.cjs'), 'AWS::Logs::MetricFilter').flatMap((filter) => {
      const [first] = filter['MetricTransformations'] as readonly {
        MetricName: string;
        MetricValue: string;
      }[];
      const value = first?.MetricValue ?? '';
      if (!matches(String(filter['FilterPattern']), line)) return [];
      return [`${first?.MetricName} ${value.startsWith('$.') ? line[value.slice(2)] : value}`];
    });

  it('are found in the line that a tick leaves', async () => {
    const handler = readFileSync(join(import.meta.dirname, '../../functions/scaler/handler.ts'), 'utf8');
    const endpoint = virtualEndpoint({ traffic: { 'hot.tar.gz': { rate: () => 40, callSeconds: 0.1 } } });
    await endpoint.run(12);
    const moving = endpoint.reports.findLast(({ moves }) => moves.length > 0);
    const odd = { rule: 'R5', name: 'hot-00', action: 'alarm: spillover', reason: '' };

    expect(handler).toContain("logger.info('tick', { ...report })");
    expect(await matched({ message: 'tick', ...moving, workers: 6, dollarsPerHour: 0.5 })).toEqual([
      'Workers 6',
      'DollarsPerHour 0.5',
      'TicksWithMoves 1',
    ]);
    expect(await matched({ message: 'tick', ...moving, moves: [], alarms: [odd] })).toContain(
      'TicksWithAlarms 1',
    );
    expect(Object.keys(moving ?? {})).toEqual(
      expect.arrayContaining(['outcome', 'workers', 'dollarsPerHour', 'moves', 'alarms']),
    );
  });

  it('say nothing of workers where another scaler was at work', async () => {
    expect(
      await matched({
        message: 'tick',
        outcome: 'leased',
        workers: 0,
        dollarsPerHour: 0,
        moves: [],
        alarms: [],
      }),
    ).toEqual([]);
  });
});
