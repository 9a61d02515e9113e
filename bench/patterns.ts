/**
 * The same throughput whatever the traffic looks like: three patterns one after another, with models that wait 50 ms so that
 * workers are what is scarce, and the scaler at work. Run: npm run bench:patterns
 * Options: --budget 8 --models 40 --rounds 3 --adapt 60 --seconds 30 --json
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Report } from '../load/report.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { describeEndpoint, writeEndpointFile } from '../local/endpoint-file.ts';
import { issueLocalKey } from '../local/issue-local-key.ts';
import { parseSettings } from '../local/settings.ts';
import { tarGz } from '../test/fixtures/tar-archive.ts';
import { stepChart } from './plot.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    budget: { type: 'string', default: '8' },
    models: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
    adapt: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
});
const WAIT_MS = 50;
const TICK_SECONDS = 5;
const ENVIRONMENTS = 2;
const PATTERNS = ['even', 'hot', 'few'] as const;
type Pattern = (typeof PATTERNS)[number];

const budget = Number(options.budget);
/** Four fifths of what the workers of the budget can do. */
const rate = 0.8 * budget * (1000 / WAIT_MS);

const directory = await mkdtemp(join(tmpdir(), 'bench-patterns-'));
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const MODEL = `export const handle = async (inputs) => {
  await new Promise((resolve) => setTimeout(resolve, ${WAIT_MS}));
  return inputs;
};
`;

const start = async (): Promise<Cloud> => {
  const settings = parseSettings({
    PORT: '0',
    LOCAL_DIR: directory,
    MODELS: '0',
    LOCAL_TICK_SECONDS: String(TICK_SECONDS),
    LOCAL_MAX_ENVIRONMENTS: String(ENVIRONMENTS),
    PARAMS: `allowCustomCode=true workerBudget=${budget} slowAnswerDollars=10000`,
  });
  const cloud = await startCloud({
    settings,
    now: Date.now,
    onProgress: say,
    onError: (error) => say(String(error)),
  });
  const endpoint = await issueLocalKey(describeEndpoint(cloud), directory);
  const artifact = tarGz([{ path: 'model.mjs', content: MODEL }]);
  for (let index = 1; index <= Number(options.models); index++) {
    const key = `${endpoint.prefix}wait-${String(index).padStart(4, '0')}.tar.gz`;
    await cloud.s3.store.put(endpoint.bucket, key, artifact);
  }
  await writeEndpointFile(directory, endpoint);
  return cloud;
};

const load = async (pattern: Pattern, seconds: string): Promise<Report['runs'][number]> => {
  const script = join(import.meta.dirname, '..', 'load', 'main.ts');
  const flags = ['--pattern', pattern, '--rate', String(rate), '--seconds', seconds];
  const models = ['--prefix', 'wait-', '--models', options.models, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...flags, ...models], {
    env: { ...process.env, LOCAL_DIR: directory },
    maxBuffer: 1e8,
  });
  const [run] = (JSON.parse(stdout) as Report).runs;
  if (run === undefined) throw new Error('the load gave no run');
  return run;
};

/** Workers of each kind, once a second. */
const watchWorkers = (cloud: Cloud) => {
  const samples: { hot: number; shards: number; onDemand: number }[] = [];
  const timer = setInterval(() => {
    const environments = cloud.lambda
      .status()
      .filter(({ functionName }) => /-(hot|cold)-/.test(functionName));
    const count = (is: (name: string, provisioned: boolean) => boolean): number =>
      environments.filter(({ functionName, provisioned }) => is(functionName, provisioned)).length;
    samples.push({
      hot: count((name, provisioned) => provisioned && name.includes('-hot-')),
      shards: count((name, provisioned) => provisioned && name.includes('-cold-')),
      onDemand: count((_, provisioned) => !provisioned),
    });
  }, 1000);
  return { samples, stop: () => clearInterval(timer) };
};

interface Measured {
  readonly pattern: Pattern;
  readonly goodput: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly othersP99: number;
  readonly othersMax: number;
  readonly failed: number;
}

const measured = (pattern: Pattern, run: Report['runs'][number]): Measured => {
  const others = run.groups.at(-1) ?? run;
  return {
    pattern,
    goodput: run.goodputPerSecond,
    p50: run.latencyMs?.p50 ?? Number.NaN,
    p99: run.latencyMs?.p99 ?? Number.NaN,
    max: run.latencyMs?.max ?? Number.NaN,
    othersP99: others.latencyMs?.p99 ?? Number.NaN,
    othersMax: others.latencyMs?.max ?? Number.NaN,
    failed: run.calls - run.succeeded,
  };
};

const loadBefore = loadavg()[0] ?? 0;
const cloud = await start();
const workers = watchWorkers(cloud);
const phases: { name: string; from: number; to: number }[] = [];
const runs: Measured[] = [];
try {
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const pattern of PATTERNS) {
      const from = workers.samples.length;
      await load(pattern, options.adapt);
      const run = measured(pattern, await load(pattern, options.seconds));
      runs.push(run);
      phases.push({ name: pattern, from, to: workers.samples.length });
      say(`round ${round} ${pattern}: ${JSON.stringify(run)}`);
    }
  }
} finally {
  workers.stop();
  await cloud.close();
  await rm(directory, { recursive: true, force: true });
}

const of = (pattern: Pattern, measure: (run: Measured) => number): number =>
  median(runs.filter((run) => run.pattern === pattern).map(measure));
const row = (pattern: Pattern): string => {
  const cells = [
    of(pattern, ({ goodput }) => goodput).toFixed(1),
    of(pattern, ({ p50 }) => p50).toFixed(0),
    of(pattern, ({ p99 }) => p99).toFixed(0),
    Math.max(...runs.filter((run) => run.pattern === pattern).map(({ max }) => max)).toFixed(0),
    of(pattern, ({ othersP99 }) => othersP99).toFixed(0),
    String(runs.filter((run) => run.pattern === pattern).reduce((all, { failed }) => all + failed, 0)),
  ];
  return `| ${pattern} | ${cells.join(' | ')} |`;
};
const goodputs = PATTERNS.map((pattern) => of(pattern, ({ goodput }) => goodput));
const ratio = Math.min(...goodputs) / Math.max(...goodputs);
const neighbour = of('hot', ({ othersP99 }) => othersP99) / of('even', ({ p99 }) => p99);

const table = `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, load average before ${loadBefore.toFixed(2)}, LOCAL_LIMITS=off
${options.models} models of ${WAIT_MS} ms, ${rate} calls/s offered: 80 % of ${budget} workers; beside them at most ${ENVIRONMENTS} environments on demand per function; the scaler's minute is ${TICK_SECONDS} s
medians of ${options.rounds} rounds; each pattern ${options.seconds} s, after ${options.adapt} s to adapt

| pattern | goodput/s | p50 ms | p99 ms | max ms (worst round) | p99 ms of the other models | failed |
|---|---|---|---|---|---|---|
${PATTERNS.map(row).join('\n')}

slowest pattern / fastest: ${ratio.toFixed(3)}; p99 of the others beside a hot model / p99 under even load: ${neighbour.toFixed(2)}`;

const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
const chart = stepChart({
  title: 'Workers, while the pattern of traffic changes and its rate does not',
  yLabel: 'workers',
  everySeconds: 1,
  lines: [
    { name: 'slots of hot models', values: workers.samples.map(({ hot }) => hot) },
    { name: 'cold shards', values: workers.samples.map(({ shards }) => shards) },
    { name: 'on demand', values: workers.samples.map(({ onDemand }) => onDemand) },
  ],
  phases,
});
await writeFile(join(results, 'patterns.svg'), chart);
await writeFile(
  join(results, 'patterns.json'),
  JSON.stringify({ ...options, rate, runs, ratio, neighbour }, null, 2),
);
process.stdout.write(options.json ? `${JSON.stringify({ runs, ratio, neighbour })}\n` : `${table}\n`);
