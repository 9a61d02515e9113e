import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRICES } from '../../lib/scaling/prices.ts';
import { ofType, resourcesOf } from './deployment.ts';
import { keyOf, knownMetrics } from './known-metrics.ts';

/** CloudWatch API Reference, Dashboard Body Structure and Syntax; CloudWatch quotas. */
const MAX = { widgets: 500, perGraph: 500, perDashboard: 2500, columns: 24, search: 1024 };
const GRAPH_PROPERTIES = ['view', 'region', 'title', 'metrics', 'period', 'yAxis', 'annotations'];
const METRIC_OPTIONS = ['stat', 'label', 'id', 'visible', 'yAxis', 'expression'];
const STATISTIC = /^(Sum|Average|Maximum|Minimum|SampleCount|p\d\d)$/;
const FUNCTIONS = new Set(['SUM', 'METRICS', 'PERIOD', 'SEARCH']);

type Row = readonly (string | Readonly<Record<string, unknown>>)[];

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>> & {
    readonly title?: string;
    readonly metrics?: readonly Row[];
  };
}

const SIZES = [
  { coldShards: 4, hotSlots: 2 },
  { coldShards: 30, hotSlots: 10 },
];

const textOf = async (parameters?: Record<string, string | number | boolean>): Promise<string> => {
  const [dashboard] = ofType(await resourcesOf('dashboard.cjs', parameters), 'AWS::CloudWatch::Dashboard');
  const body = dashboard?.['DashboardBody'] as { readonly 'Fn::Sub': string } | undefined;
  return body?.['Fn::Sub'] ?? '';
};

const widgetsOf = async (
  parameters?: Record<string, string | number | boolean>,
): Promise<readonly Widget[]> =>
  (JSON.parse(await textOf(parameters)) as { widgets: readonly Widget[] }).widgets;

type Graph = Widget['properties'] & { readonly metrics: readonly Row[] };

const graphsOf = async (parameters?: Record<string, string | number | boolean>): Promise<readonly Graph[]> =>
  (await widgetsOf(parameters)).flatMap(({ type, properties }) =>
    type === 'metric' ? [{ ...properties, metrics: properties.metrics ?? [] }] : [],
  );

const optionsOf = (row: Row): Readonly<Record<string, unknown>> => row.at(-1) as Record<string, unknown>;

describe.each(SIZES)('the dashboard of $coldShards + $hotSlots groups', (size) => {
  it('shows metrics that are emitted with exactly these dimensions', async () => {
    const known = knownMetrics(await resourcesOf('dashboard.cjs', size));
    const rows = (await graphsOf(size)).flatMap(({ metrics }) => metrics);

    const keys = rows.flatMap((row) => {
      const [namespace, name, ...dimensions] = row.slice(0, -1) as string[];
      if (namespace === undefined) return searchedKey(String(optionsOf(row)['expression']));
      return [
        keyOf(
          namespace,
          name ?? '',
          dimensions.filter((_, index) => index % 2 === 0),
        ),
      ];
    });

    expect([...new Set(keys)].filter((key) => !known.has(key))).toEqual([]);
    expect(new Set(keys).size).toBeGreaterThan(30);
  });

  it('stays below the limits of CloudWatch and CloudFormation', async () => {
    const graphs = await graphsOf(size);

    // 500 metrics are the bound of a search as well; a deployment has few versions with workers at a time.
    const counts = graphs.map(({ metrics }) => metrics.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(MAX.perGraph);
    expect(counts.reduce((a, b) => a + b)).toBeLessThanOrEqual(MAX.perDashboard);
    expect((await widgetsOf(size)).length).toBeLessThanOrEqual(MAX.widgets);
    // A template has at most 1 MB with all of the functions in it, and this must not be what breaks it.
    expect(Buffer.byteLength(await textOf(size))).toBeLessThan(200_000);
  });

  it('has a body of the structure that CloudWatch takes', async () => {
    for (const widget of await widgetsOf(size)) {
      expect(['text', 'alarm', 'metric']).toContain(widget.type);
      expect(widget.x + widget.width).toBeLessThanOrEqual(MAX.columns);
    }
    for (const graph of await graphsOf(size)) {
      expect(Object.keys(graph).filter((key) => !GRAPH_PROPERTIES.includes(key))).toEqual([]);
      expect(graph).toMatchObject({
        view: 'timeSeries',
        title: expect.any(String),
        metrics: expect.any(Array),
      });
      expect(Number(graph['period']) % 60).toBe(0);
      for (const row of graph.metrics) expectRow(row);
      expectIds(graph.metrics);
    }
  });

  it('overlaps nowhere', async () => {
    const widgets = await widgetsOf(size);

    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from(
        { length: width * height },
        (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

const expectRow = (row: Row): void => {
  const options = optionsOf(row);
  expect(Object.keys(options).filter((key) => !METRIC_OPTIONS.includes(key))).toEqual([]);
  if (row.length === 1) {
    expect(options['expression']).toEqual(expect.any(String));
    expect(String(options['expression']), 'no exponents').not.toMatch(/\de[+-]?\d/);
    return;
  }
  expect(options['stat']).toMatch(STATISTIC);
  expect(row.slice(0, -1).every((part) => typeof part === 'string' && part !== '')).toBe(true);
  expect(row.length % 2, 'namespace, name, pairs of a dimension and its value, options').toBe(1);
};

/** Each id once, and expressions of ids that there are. */
const expectIds = (rows: readonly Row[]): void => {
  const ids = rows.flatMap((row) => (optionsOf(row)['id'] as string | undefined) ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^[a-z]\w*$/.test(id))).toBe(true);
  for (const text of rows.flatMap((row) => (optionsOf(row)['expression'] as string | undefined) ?? [])) {
    if (text.startsWith('SEARCH(')) {
      expect(text.length).toBeLessThanOrEqual(MAX.search);
      continue;
    }
    for (const [, part = ''] of text.matchAll(/METRICS\("(\w+)"\)/g)) {
      expect(ids.some((id) => id.includes(part))).toBe(true);
    }
    const names = text.replace(/"[^"]*"/g, '').match(/[a-zA-Z]\w*/g) ?? [];
    expect(names.filter((name) => !FUNCTIONS.has(name) && !ids.includes(name))).toEqual([]);
  }
};

const searchedKey = (text: string): readonly string[] => {
  const [, schema, name = ''] = /^SEARCH\('\{([^}]*)\} MetricName="(\w+)"/.exec(text) ?? [];
  if (schema === undefined) return [];
  const [namespace = '', ...dimensions] = schema.split(',');
  return [keyOf(namespace, name, dimensions)];
};

describe('the dashboard', () => {
  it('is explained panel by panel in the operations guide', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

    for (const { title } of await graphsOf()) expect(guide).toContain(`| ${String(title)} |`);
  });

  it('finds every version that has workers, and those of no other stage', async () => {
    const graphs = await graphsOf({ coldShards: 30, hotSlots: 10 });
    const searches = graphs
      .flatMap(({ metrics }) => metrics)
      .map((row) => String(optionsOf(row)['expression'] ?? ''))
      .filter((text) => text.includes('ProvisionedConcurrencyUtilization'));

    const names = searches.flatMap((text) => text.match(/"mme-test-(cold|hot)-\d\d"/g) ?? []);

    expect(names).toHaveLength(40);
  });

  it('estimates costs by the prices that the scaler reckons with', async () => {
    const cost = (await graphsOf()).find(({ title }) => title?.includes('estimate'));
    const expressions =
      cost?.metrics.map((row) => String(optionsOf(row)['expression'] ?? '')).join('\n') ?? '';
    const serverless = readFileSync(join(import.meta.dirname, '../../serverless.yml'), 'utf8');
    const gb = 1769 / 1024;

    const numbers = [...expressions.matchAll(/\d+\.\d+/g)].map(Number);

    expect(numbers).toContainEqual(expect.closeTo(gb * PRICES.x86_64.onDemand, 10));
    expect(numbers).toContainEqual(expect.closeTo(gb * 3600 * PRICES.x86_64.idle, 10));
    expect(numbers).toContainEqual(
      expect.closeTo(gb * (PRICES.x86_64.onDemand - PRICES.x86_64.provisioned), 10),
    );
    expect(serverless, 'the router is priced at half a gigabyte').toMatch(
      /- router:[\s\S]*?memorySize: 512 /,
    );
  });

  it('names the alarms where there are any', async () => {
    const isAlarms = ({ type }: Widget): boolean => type === 'alarm';

    expect((await widgetsOf()).filter(isAlarms)).toHaveLength(1);
    expect((await widgetsOf({ alarms: false })).filter(isAlarms)).toEqual([]);
  });

  it('refers to resources of the stack, and to nothing else', async () => {
    const references = new Set([...(await textOf()).matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name));

    expect([...references].sort()).toEqual([
      'AWS::AccountId',
      'AWS::Partition',
      'AWS::Region',
      'AsyncDeadLetters.QueueName',
      'AsyncQueue.QueueName',
      'HttpApi',
      'ObjectEventsDeadLetters.QueueName',
    ]);
  });

  it('can be left out', async () => {
    expect(await resourcesOf('dashboard.cjs', { dashboard: 'false' })).toEqual({});
  });
});
