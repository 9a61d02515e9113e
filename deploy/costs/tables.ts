import {
  atRest,
  breakEven,
  type Fleet,
  type Item,
  ofCalls,
  onSageMaker,
  total,
  type Watched,
} from './month.ts';
import { PRICE_FILE } from './prices.ts';

export const WATCHED: Watched = { alarms: true, dashboard: true };

const PLAIN = { milliseconds: 7, memoryMb: 1769, workers: 0, architecture: 'x86_64', busyModels: 0 } as const;

/** The fleets of docs/costs.md. */
export const EXAMPLES: readonly (Omit<Fleet, 'door'> & { readonly name: string })[] = [
  { ...PLAIN, name: '100 models, 1 call/s', models: 100, rate: 1, groups: 1 },
  { ...PLAIN, name: '1,000 models, 10 calls/s', models: 1000, rate: 10, groups: 2 },
  { ...PLAIN, name: '1,000 models, 100 calls/s', models: 1000, rate: 100, groups: 4, busyModels: 5 },
  { ...PLAIN, name: '10,000 models, 500 calls/s', models: 10_000, rate: 500, groups: 12, busyModels: 20 },
  {
    ...PLAIN,
    name: '1,000 models of 100 ms, 10 calls/s, 2 workers',
    models: 1000,
    rate: 10,
    groups: 3,
    busyModels: 5,
    milliseconds: 100,
    workers: 2,
  },
];

export const dollars = (value: number): string =>
  value !== 0 && value < 0.005
    ? 'less than $0.01'
    : `$${value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

export const itemTable = (items: readonly Item[]): string =>
  [
    '| | $ a month | how |',
    '|---|---|---|',
    ...items
      .toSorted((a, b) => b.dollars - a.dollars)
      .map(({ name, dollars: value, how }) => `| ${name} | ${dollars(value)} | ${how} |`),
    `| **together** | **${dollars(total(items))}** | |`,
  ].join('\n');

export const fleetTable = (): string =>
  [
    '| | at rest | with an HTTP API | with a function URL | SageMaker MME | instances are cheaper from |',
    '|---|---|---|---|---|---|',
    ...EXAMPLES.map((fleet) => {
      const sum = (door: Fleet['door']): string =>
        dollars(total(ofCalls({ ...fleet, door })) + total(atRest(WATCHED)));
      const { type, count, dollars: instances } = onSageMaker({ ...fleet, door: 'http-api' });
      const edge = breakEven({ ...fleet, door: 'function-url' }, WATCHED);
      return `| ${fleet.name} | ${dollars(total(atRest(WATCHED)))} | ${sum('http-api')} | ${sum('function-url')} | ${dollars(instances)} (${count} ${type}) | ${edge.toFixed(0)} calls/s, all day |`;
    }),
  ].join('\n');

export const priceTable = (): string =>
  [
    `${PRICE_FILE.region}, read on ${PRICE_FILE.readOn}.`,
    '',
    '| | $ | per | source |',
    '|---|---|---|---|',
    ...Object.entries(PRICE_FILE.prices).map(
      ([name, { value, unit, source, unverified }]) =>
        `| ${name} | ${value} | ${unit} | ${source}${unverified ? ' (not verified)' : ''} |`,
    ),
  ].join('\n');

/** The tables of docs/costs.md, by their marks. */
export const documentTables = (): Readonly<Record<string, string>> => ({
  rest: itemTable(atRest(WATCHED)),
  fleets: fleetTable(),
  example: itemTable(ofCalls({ ...(EXAMPLES[2] as Omit<Fleet, 'door'>), door: 'function-url' })),
  prices: priceTable(),
});

/** @throws Error when a mark is missing */
export const renewTables = (text: string): string =>
  Object.entries(documentTables()).reduce((document, [name, table]) => {
    const marked = new RegExp(`(<!-- costs:${name} -->\n)[\\s\\S]*?(\n<!-- /costs:${name} -->)`);
    if (!marked.test(document))
      throw new Error(`there is no <!-- costs:${name} --> ... <!-- /costs:${name} -->`);
    return document.replace(marked, (_, before: string, after: string) => before + table + after);
  }, text);
