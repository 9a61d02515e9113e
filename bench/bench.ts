/**
 * The whole way through the local cloud beside the floor, in one run and interleaved. Run: npm run bench
 * Options: --seconds 5 --rounds 5 --models 1000 --connections 32 --json
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { extract } from 'tar';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { describeEndpoint } from '../local/endpoint-file.ts';
import { issueLocalKey } from '../local/issue-local-key.ts';
import { residentBytes } from '../local/lambda/resident-memory.ts';
import { diabetesModel, seedModels } from '../local/seed.ts';
import { parseSettings } from '../local/settings.ts';
import { artifactPath, readExpected } from '../test/fixtures/expected.ts';
import { measureStarts, renewStartsTable, startsTable } from './starts.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    models: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});
const MODELS = Number(options.models);
const COLD_MODELS = 100;
const MAX_WARM_UPS = 20;

interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly failed: number;
}

interface Called {
  readonly url: string;
  readonly apiKey?: string;
}

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const { inputs } = await readExpected('diabetes');
const body = JSON.stringify({ instances: inputs.slice(0, 1) });

say('starts: sizes of the bundles, and their imports');
const [loadBeforeStarts = 0] = loadavg();
await renewStartsTable(startsTable(await measureStarts(), loadBeforeStarts));

const startEndpoint = async () => {
  const settings = parseSettings({ PORT: '0', LOCAL_DIR: join(directory, 'local'), MODELS: options.models });
  const cloud = await startCloud({
    settings,
    now: Date.now,
    onProgress: say,
    onError: (error) => say(String(error)),
  });
  const {
    bucket,
    prefix,
    endpointName,
    apiKey = '',
  } = await issueLocalKey(describeEndpoint(cloud), settings.directory);
  const store = cloud.s3.store;
  await seedModels({ store, bucket, prefix, models: MODELS, directory, onProgress: () => undefined });
  const artifact = await readFile(artifactPath('diabetes'));
  for (let index = 1; index <= COLD_MODELS; index++)
    await store.put(bucket, `${prefix}cold-${index}.tar.gz`, artifact);
  return { cloud, url: `${cloud.url}/endpoints/${endpointName}/invocations`, apiKey };
};

const startFloor = async (): Promise<{
  child: ChildProcess;
  url: string;
  createMs: number;
  perModelBytes: number;
}> => {
  await extract({ file: artifactPath('diabetes'), cwd: directory });
  const script = join(import.meta.dirname, 'floor.ts');
  const child = spawn(process.execPath, [script, join(directory, 'model.onnx'), options.models], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { port, ...figures } = JSON.parse(line) as { port: number; createMs: number; perModelBytes: number };
  return { child, url: `http://127.0.0.1:${port}/`, ...figures };
};

const load = async ({ url, apiKey = '' }: Called, seconds = options.seconds): Promise<Load> => {
  const script = join(import.meta.dirname, 'load.ts');
  const args = [script, url, options.models, seconds, options.connections, body];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, API_KEY: apiKey },
  });
  return JSON.parse(stdout) as Load;
};

/** Every load of a model reads its object once: the endpoint is warm when a round of load reads none. */
const countReads = (cloud: Cloud): (() => number) => {
  const { store } = cloud.s3;
  const readBlob = store.readBlob.bind(store);
  let reads = 0;
  store.readBlob = (...args) => {
    reads += 1;
    return readBlob(...args);
  };
  return () => reads;
};

const warmUp = async (called: Called, reads: () => number): Promise<void> => {
  for (let round = 1; round <= MAX_WARM_UPS; round++) {
    const before = reads();
    await load(called, '5');
    say(`warm-up ${round}: ${reads() - before} models loaded`);
    if (reads() === before) return;
  }
  throw new Error(
    `still loading models after ${MAX_WARM_UPS} rounds of warm-up: they do not fit, or the machine is too slow`,
  );
};

const call = async ({ url, apiKey = '' }: Called, model: string): Promise<number> => {
  const startedMs = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-amzn-sagemaker-target-model': model,
      'x-api-key': apiKey,
    },
    body,
  });
  await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return performance.now() - startedMs;
};

/** First and second calls of models, one after the other, with every environment already running. */
const coldAndWarm = async (called: Called): Promise<{ cold: number; warm: number }> => {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let index = 1; index <= COLD_MODELS; index++) {
    cold.push(await call(called, `cold-${index}.tar.gz`));
    warm.push(await call(called, `cold-${index}.tar.gz`));
  }
  return { cold: median(cold), warm: median(warm) };
};

const workerBytes = async (cloud: Cloud): Promise<number> => {
  const workers = cloud.lambda.status().filter(({ functionName }) => functionName.includes('-cold-'));
  const sizes = await residentBytes(workers.flatMap(({ pid }) => pid ?? []));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const medianOf = (loads: readonly Load[]): Load => ({
  perSecond: median(loads.map(({ perSecond }) => perSecond)),
  p50: median(loads.map(({ p50 }) => p50)),
  p99: median(loads.map(({ p99 }) => p99)),
  max: median(loads.map(({ max }) => max)),
  failed: loads.reduce((sum, { failed }) => sum + failed, 0),
});

const loadBefore = loadavg()[0] ?? 0;
const endpoint = await startEndpoint();
const floor = await startFloor();
try {
  const reads = countReads(endpoint.cloud);
  // Every environment is up, with one model in it, before memory is measured.
  await Promise.all(
    Array.from({ length: 64 }, (_, index) => call(endpoint, diabetesModel(1 + (index % 32)))),
  );
  const [bytesBefore, readsBefore] = [await workerBytes(endpoint.cloud), reads()];
  await warmUp(endpoint, reads);
  const perModelBytes = ((await workerBytes(endpoint.cloud)) - bytesBefore) / (reads() - readsBefore);

  const rounds: { ours: Load; floor: Load }[] = [];
  for (let round = 1; round <= Number(options.rounds); round++) {
    rounds.push({ ours: await load(endpoint), floor: await load(floor) });
    say(`round ${round} of ${options.rounds}`);
  }
  const ours = medianOf(rounds.map((round) => round.ours));
  const bare = medianOf(rounds.map((round) => round.floor));
  const ratio = median(rounds.map((round) => round.ours.perSecond / round.floor.perSecond));
  const { cold, warm } = await coldAndWarm(endpoint);

  const report = {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGb: Math.round(totalmem() / 1e9),
    loadAverageBefore: loadBefore,
    ...options,
    environments: endpoint.cloud.lambda.status().length,
    ours: { ...ours, coldMs: cold, warmMs: warm, perModelKib: perModelBytes / 1024 },
    floor: { ...bare, coldMs: floor.createMs, perModelKib: floor.perModelBytes / 1024 },
    ratio,
  };
  const table = `
${report.cores} cores (${report.cpu}), Node ${report.node}, load average before ${loadBefore.toFixed(2)}, LOCAL_LIMITS=off
${MODELS} models, even, ${options.connections} connections, ${options.rounds} interleaved rounds of ${options.seconds} s, medians; ${report.environments} environments

| | requests/s | p50 ms | p99 ms | max ms | failed | cold load ms | warm call ms | memory per model KiB |
|---|---|---|---|---|---|---|---|---|
| whole way | ${ours.perSecond.toFixed(0)} | ${ours.p50} | ${ours.p99} | ${ours.max} | ${ours.failed} | ${cold.toFixed(1)} | ${warm.toFixed(1)} | ${report.ours.perModelKib.toFixed(0)} |
| floor: one node:http process, sessions in a Map | ${bare.perSecond.toFixed(0)} | ${bare.p50} | ${bare.p99} | ${bare.max} | ${bare.failed} | ${floor.createMs.toFixed(2)} (session.create alone) | | ${report.floor.perModelKib.toFixed(0)} |

whole way / floor, median of the rounds' ratios: ${ratio.toFixed(3)}`;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${table}\n`);
} finally {
  floor.child.kill();
  await endpoint.cloud.close();
  await rm(directory, { recursive: true, force: true });
}
