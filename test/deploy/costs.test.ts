import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ALARM_METRICS,
  atRest,
  breakEven,
  ENDPOINT_METRICS,
  type Fleet,
  GROUP_METRICS,
  MODEL_METRICS,
  ofCalls,
  onSageMaker,
  SCALER_METRICS,
  total,
} from '../../deploy/costs/month.ts';
import { lambdaPrices, PRICE_FILE } from '../../deploy/costs/prices.ts';
import { renewTables } from '../../deploy/costs/tables.ts';
import { ROOT } from '../../deploy/inputs.ts';
import { PRICES } from '../../lib/scaling/prices.ts';
import { ofType, resourcesOf } from './deployment.ts';
import { emittedMetrics } from './known-metrics.ts';

const fleet: Fleet = {
  models: 1000,
  rate: 10,
  milliseconds: 100,
  memoryMb: 1024,
  workers: 0,
  door: 'http-api',
  architecture: 'x86_64',
  groups: 2,
  busyModels: 0,
};
const dollarsOf = (name: string, of: Fleet): number | undefined =>
  ofCalls(of).find((item) => item.name === name)?.dollars;

describe('the price file', () => {
  it('says of each price where it is from, and agrees with what the scaler reckons with', () => {
    for (const { value, unit, source } of Object.values(PRICE_FILE.prices)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(unit).not.toBe('');
      expect(source).toMatch(/\w+\.\w+|whitepaper/);
    }
    expect(PRICE_FILE.readOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const architecture of ['x86_64', 'arm64'] as const) {
      expect(lambdaPrices(architecture)).toEqual(PRICES[architecture]);
    }
  });
});

describe('a month', () => {
  it('of 10 calls/s of 100 ms is 26.28 million calls, as a hand reckons them', () => {
    expect(dollarsOf('HTTP API', fleet)).toBeCloseTo(26.28);
    expect(dollarsOf('function URL', { ...fleet, door: 'function-url' })).toBe(0);
    expect(dollarsOf("Lambda's requests", fleet)).toBeCloseTo(10.512);
    // 2,628,000 GB-seconds.
    expect(dollarsOf('workers, on demand', fleet)).toBeCloseTo(43.8, 1);
    // 26.28 million x 0.5 GB x 0.102 s.
    expect(dollarsOf('router', fleet)).toBeCloseTo(22.34, 1);
  });

  it('of provisioned workers pays for their time, whether they are called or not', () => {
    // One worker of 1 GB: 2,628,000 s x 4.1667e-6, and the same seconds of calls at 9.7222e-6.
    const one = { ...fleet, workers: 1 };
    expect(dollarsOf('workers, provisioned', one)).toBeCloseTo(10.95 + 25.55, 1);
    expect(dollarsOf('workers, on demand', one)).toBe(0);
    expect(dollarsOf('workers, on demand', { ...one, rate: 30 })).toBeCloseTo(87.6, 1);
  });

  it('at rest has the alarms, metrics and ticks that there are', async () => {
    const alarms = ofType(await resourcesOf('alarms.cjs'), 'AWS::CloudWatch::Alarm');
    const read = alarms.flatMap(({ Metrics, MetricName }) =>
      MetricName === undefined
        ? (Metrics as readonly { MetricStat?: object }[]).filter(({ MetricStat }) => MetricStat !== undefined)
        : [MetricName],
    );
    expect(read).toHaveLength(ALARM_METRICS);
    expect(ofType(await resourcesOf('alarms.cjs'), 'AWS::Logs::MetricFilter')).toHaveLength(SCALER_METRICS);
    const emitted = [...new Set(emittedMetrics())];
    const by = (dimensions: string) => emitted.filter((key) => key.endsWith(`{${dimensions}}`)).length;
    expect(by('EndpointName,VariantName')).toBe(ENDPOINT_METRICS);
    expect(by('EndpointName,Group')).toBe(GROUP_METRICS);
    expect(by('EndpointName,Model')).toBe(MODEL_METRICS);
    const bare = total(atRest({ alarms: false, dashboard: false }));
    expect(bare).toBeLessThan(2);
    expect(total(atRest({ alarms: true, dashboard: true })) - bare).toBeCloseTo(
      3 + 0.1 * ALARM_METRICS + 0.3 * SCALER_METRICS,
    );
  });
});

describe("SageMaker's instances", () => {
  it('are two at least, then by cores, then by memory', () => {
    expect(onSageMaker({ ...fleet, rate: 1 }).count).toBe(2);
    expect(onSageMaker({ ...fleet, rate: 70 }).count).toBe(7);
    expect(onSageMaker({ ...fleet, rate: 1, models: 500_000 }).count).toBe(8);
  });

  it('are cheaper above the break-even, and dearer below', () => {
    const watched = { alarms: true, dashboard: true };
    const edge = breakEven(fleet, watched);
    const here = (rate: number): number => total(ofCalls({ ...fleet, rate })) + total(atRest(watched));
    expect(here(edge * 0.9)).toBeLessThan(onSageMaker({ ...fleet, rate: edge * 0.9 }).dollars);
    expect(here(edge * 1.1)).toBeGreaterThan(onSageMaker({ ...fleet, rate: edge * 1.1 }).dollars);
  });
});

describe('docs/costs.md', () => {
  it('has the tables that the prices make: npm run costs -- --write docs/costs.md', async () => {
    const text = await readFile(join(ROOT, 'docs/costs.md'), 'utf8');
    expect(renewTables(text)).toBe(text);
    expect(() => renewTables('nothing')).toThrow('<!-- costs:rest -->');
  });
});
