/**
 * The whole way through the local cloud beside the floor and, where they are there, MLServer and DJL Serving, in one run and interleaved, for
 * three patterns of traffic. Run: npm run bench
 * Options: --seconds 5 --rounds 5 --models 1000 --connections 32 --rows 1000000 --json
 * Writes bench/results/whole-way.md, .json and .svg.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { extract } from 'tar';
import { scheduleInBatches } from '../local/batch-scheduling.ts';
import type { Cloud } from '../local/cloud.ts';
import { residentBytes } from '../local/lambda/resident-memory.ts';
import { diabetesModel } from '../local/seed.ts';
import { artifactPath, readExpected } from '../test/fixtures/expected.ts';
import { RequestCounts } from '../test/fixtures/request-counts.ts';
import { measureColdLoads } from './cold-loads.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { startDjlServing } from './djl-serving.ts';
import { type Called, callOnce, type Endpoint, startEndpoint } from './endpoint.ts';
import { measureFirstAnswer } from './first-answer.ts';
import { startHops } from './hops.ts';
import { measureWorker } from './measure-worker.ts';
import { startMlServer } from './mlserver.ts';
import type { ModelServer } from './model-server.ts';
import { runLoad } from './run-load.ts';
import { measureStarts, renewStartsTable, startsTable } from './starts.ts';
import { type Load, median, medianLoad } from './statistics.ts';
import { fillTable } from './table-rows.ts';
import { PATTERNS, type Pattern } from './traffic.ts';
import { chartOf, evennessOf, type Report, type Summary, tableOf } from './whole-way-report.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    models: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '32' },
    /** Of models that nobody calls, in the table; 0 leaves that part out. */
    rows: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});
const MODELS = Number(options.models);
const OURS = 'the whole way';
const MAX_WARM_UPS = 20;
/** Of the fastest round so far. */
const SETTLED = 1.03;
/** Of the same load, before each measured one. */
const LEAD_IN_SECONDS = 2;
const CONNECTIONS = [1, 4, 16, 64];
/** Several lifetimes of what routers know, and ticks of the scaler. */
const TABLE_SECONDS = 30;
const RESULTS = join(import.meta.dirname, 'results');

interface Target extends Called {
  readonly body: string;
}

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const startFloor = async (): Promise<{
  child: ChildProcess;
  url: string;
  createMs: number;
  perModelBytes: number;
}> => {
  const script = join(import.meta.dirname, 'floor.ts');
  const child = spawn(process.execPath, [script, join(directory, 'model.onnx'), options.models], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { port, ...figures } = JSON.parse(line) as { port: number; createMs: number; perModelBytes: number };
  return { child, url: `http://127.0.0.1:${port}/`, ...figures };
};

const load = (
  target: Target,
  pattern: Pattern,
  { seconds = Number(options.seconds), connections = Number(options.connections) } = {},
): Promise<Load> => runLoad(target, { body: target.body, models: MODELS, seconds, connections, pattern });

/**
 * Every load of a model reads its object once: what is measured is warm when not one call in two hundred loads, and when it has not become faster, as
 * code is compiled while it is run. Environments that are seldom called go on to load what they are called for.
 */
const warmUp = async (name: string, target: Target, reads: Endpoint['reads'] = () => 0): Promise<void> => {
  let fastest = 0;
  for (let round = 1; round <= MAX_WARM_UPS; round++) {
    const before = reads();
    const { perSecond, failed } = await load(target, 'even', { seconds: 5 });
    const loads = reads() - before;
    // Whoever refuses calls is fast.
    if (failed > 0 && name !== OURS)
      throw new Error(`${name} failed ${failed} of its calls while it warmed up`);
    say(`warm-up of ${name} ${round}: ${loads} loads, ${perSecond.toFixed(0)} calls/s`);
    if (loads < perSecond / 40 && perSecond < fastest * SETTLED) return;
    fastest = Math.max(fastest, perSecond);
  }
  throw new Error(
    `still loading models, or becoming faster, after ${MAX_WARM_UPS} rounds of warm-up: they do not fit, or the machine is too slow`,
  );
};

const workerBytes = async (cloud: Cloud): Promise<number> => {
  const workers = cloud.lambda.status().filter(({ functionName }) => functionName.includes('-cold-'));
  const sizes = await residentBytes(workers.flatMap(({ pid }) => pid ?? []));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
};

interface CpuTimes {
  readonly router: number;
  readonly worker: number;
  readonly cloud: number;
}

/** By what the processes are for; those that have ended meanwhile are missing. */
const cpuTimes = async (cloud: Cloud): Promise<CpuTimes> => {
  const sum = async (part: RegExp): Promise<number> => {
    const pids = cloud.lambda
      .status()
      .flatMap(({ functionName, pid }) => (part.test(functionName) ? (pid ?? []) : []));
    const times = await Promise.all(pids.map(cpuTimeMs));
    return times.reduce((total, ms) => total + ms, 0);
  };
  return {
    router: await sum(/-router$/),
    worker: await sum(/-(cold|hot)-\d+$/),
    cloud: await cpuTimeMs(process.pid),
  };
};

interface Targets {
  readonly floor: Target;
  readonly hops: Target;
  readonly others: readonly ModelServer[];
}

interface Round {
  readonly ours: Load;
  readonly floor: Load;
  readonly hops: Load;
  /** Of each other model server. */
  readonly others: readonly Load[];
  /** Milliseconds of CPU for each call of ours. */
  readonly cpu: CpuTimes;
}

const measureRound = async (
  pattern: Pattern,
  endpoint: Endpoint & Target,
  { floor, hops, others }: Targets,
): Promise<Round> => {
  /** After a while in which others had the caches, and the kernel time to take idle memory back. */
  const leadIn = (target: Target): Promise<Load> => load(target, pattern, { seconds: LEAD_IN_SECONDS });
  const steady = async (target: Target): Promise<Load> => {
    await leadIn(target);
    return load(target, pattern);
  };
  await leadIn(endpoint);
  const before = await cpuTimes(endpoint.cloud);
  const ours = await load(endpoint, pattern);
  const after = await cpuTimes(endpoint.cloud);
  const calls = ours.perSecond * Number(options.seconds);
  const [floorLoad, hopsLoad] = [await steady(floor), await steady(hops)];
  const otherLoads: Load[] = [];
  for (const other of others) otherLoads.push(await steady(other));
  return {
    ours,
    floor: floorLoad,
    hops: hopsLoad,
    others: otherLoads,
    cpu: {
      router: (after.router - before.router) / calls,
      worker: (after.worker - before.worker) / calls,
      cloud: (after.cloud - before.cloud) / calls,
    },
  };
};

const summarize = (pattern: Pattern, rounds: readonly Round[], servers: readonly ModelServer[]): Summary => ({
  pattern,
  ours: medianLoad(rounds.map(({ ours }) => ours)),
  floor: medianLoad(rounds.map(({ floor }) => floor)),
  hops: medianLoad(rounds.map(({ hops }) => hops)),
  others: servers.map(({ name }, index) => ({
    name,
    load: medianLoad(rounds.flatMap(({ others }) => others[index] ?? [])),
    ratio: median(
      rounds.map(({ ours, others }) => ours.perSecond / (others[index]?.perSecond ?? Number.NaN)),
    ),
  })),
  ratio: median(rounds.map(({ ours, floor }) => ours.perSecond / floor.perSecond)),
  cpu: {
    router: median(rounds.map(({ cpu }) => cpu.router)),
    worker: median(rounds.map(({ cpu }) => cpu.worker)),
    cloud: median(rounds.map(({ cpu }) => cpu.cloud)),
  },
});

/** Those that this machine has; a word on those that it has not. */
const startOthers = async (stack: AsyncDisposableStack): Promise<readonly ModelServer[]> => {
  const modelFile = join(directory, 'model.onnx');
  const more = { modelFile, models: MODELS, row: inputs[0] ?? [] };
  const mlserver = await startMlServer({ ...more, directory: join(directory, 'mlserver') });
  if (mlserver === undefined)
    say('no MLServer: MLSERVER_PYTHON names a Python that has mlserver and onnxruntime');
  stack.defer(() => void mlserver?.child.kill());
  const djl = await startDjlServing({ ...more, directory: join(directory, 'djl-serving') });
  if (djl === undefined) say('no DJL Serving: DJL_SERVING_HOME names an unpacked one');
  stack.defer(() => void djl?.child.kill());
  return [mlserver, djl].filter((server) => server !== undefined);
};

/** @returns the requests to DynamoDB for each 1,000 calls */
const measureTable = async (endpoint: Endpoint & Target): Promise<number> => {
  const before = requests.of('dynamodb');
  const { perSecond } = await load(endpoint, 'even', { seconds: TABLE_SECONDS });
  return (1000 * (requests.of('dynamodb') - before)) / (perSecond * TABLE_SECONDS);
};

const requests = new RequestCounts();
const { inputs } = await readExpected('diabetes');
const body = JSON.stringify({ instances: inputs.slice(0, 1) });
const [loadBefore = 0] = loadavg();
// As `npm start` does; everything that is measured beside it inherits it as well.
await scheduleInBatches();

say('starts: sizes of the bundles, and their imports');
await renewStartsTable(startsTable(await measureStarts(), loadBefore));
say('cold loads, with 30 ms before each answer of S3');
const cold = await measureColdLoads(body, () => undefined);
say('first answers of environments');
const first = await measureFirstAnswer(body, () => undefined);
say('one worker beside raw onnxruntime');
const worker = await measureWorker();

const stack = new AsyncDisposableStack();
stack.defer(() => rm(directory, { recursive: true, force: true }));
try {
  await extract({ file: artifactPath('diabetes'), cwd: directory });
  const others = await startOthers(stack);
  const floor = await startFloor();
  stack.defer(() => void floor.child.kill());
  const endpoint = {
    ...(await startEndpoint({
      directory: join(directory, 'local'),
      models: MODELS,
      coldModels: 0,
      say,
      intercept: requests.intercept,
      invokes: 'message',
    })),
    body,
  };
  stack.defer(() => endpoint.cloud.close());
  const hops = await startHops(join(directory, 'hops'));
  stack.defer(() => hops.close());

  // Every environment is up, with one model in it, before memory is measured.
  await Promise.all(
    Array.from({ length: 64 }, (_, index) => callOnce(endpoint, diabetesModel(1 + (index % 32)), body)),
  );
  const [bytesBefore, readsBefore] = [await workerBytes(endpoint.cloud), endpoint.reads()];
  await warmUp(OURS, endpoint, endpoint.reads);
  const perModelBytes =
    ((await workerBytes(endpoint.cloud)) - bytesBefore) / (endpoint.reads() - readsBefore);

  const targets = { floor: { ...floor, body }, hops: { ...hops, body }, others };
  await warmUp('the floor', targets.floor);
  await warmUp('hops alone', targets.hops);
  for (const other of others) await warmUp(other.name, other);
  const rounds = new Map<Pattern, Round[]>(PATTERNS.map((pattern) => [pattern, []]));
  for (let round = 1; round <= Number(options.rounds); round++) {
    // Each comes first, second and last in turn.
    for (const pattern of [
      ...PATTERNS.slice(round % PATTERNS.length),
      ...PATTERNS.slice(0, round % PATTERNS.length),
    ]) {
      rounds.get(pattern)?.push(await measureRound(pattern, endpoint, targets));
    }
    say(`round ${round} of ${options.rounds}`);
  }
  const patterns = [...rounds].map(([pattern, each]) => summarize(pattern, each, others));
  const byConnections: { connections: number; load: Load }[] = [];
  for (const connections of CONNECTIONS) {
    byConnections.push({
      connections,
      load: await load(endpoint, 'even', { seconds: 3, connections }),
    });
  }

  const tableRequests = [{ rows: MODELS, per1000: await measureTable(endpoint) }];
  const rows = Number(options.rows);
  if (rows > 0) {
    say(`${rows} rows in the table`);
    await fillTable(endpoint.cloud, rows);
    tableRequests.push({ rows, per1000: await measureTable(endpoint) });
  }

  const report: Report = {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    loadAverageBefore: loadBefore,
    ...options,
    environments: endpoint.cloud.lambda.status().length,
    patterns,
    evenness: evennessOf(patterns.map(({ ours }) => ours)),
    byConnections,
    tableRequests,
    cold,
    first,
    worker,
    perModelKib: { ours: perModelBytes / 1024, floor: floor.perModelBytes / 1024 },
    createMs: floor.createMs,
  };
  const table = tableOf(report);
  const chart = chartOf(report);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'whole-way.md'), table);
  await writeFile(join(RESULTS, 'whole-way.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(RESULTS, 'whole-way.svg'), chart);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : table);
} finally {
  await stack.disposeAsync();
}
