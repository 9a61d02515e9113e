/**
 * The whole local cloud for ten minutes at 80 % of what it can do, while models are replaced and deleted, and environments are killed.
 * Run: npm run bench:soak    Options: --minutes 10 --share 0.8 --models 200 --json
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createSender } from '../load/send.ts';
import type { EndpointFile } from '../local/endpoint-file.ts';
import { residentBytes } from '../local/lambda/resident-memory.ts';
import { artifactPath, readExpected } from '../test/fixtures/expected.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    share: { type: 'string', default: '0.8' },
    models: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const MODELS = Number(options.models);
const MINUTES = Number(options.minutes);
const CAPACITY_SECONDS = 20;
const KILL_EVERY_MS = 10_000;
const CHANGE_EVERY_MS = 1000;
const SAMPLE_EVERY_MS = 5000;
const MB = 1024 * 1024;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ??
  Number.NaN;

const directory = await mkdtemp(join(tmpdir(), 'soak-'));

/** What `npm start` runs, in a process of its own: the load is not to slow it down from within. */
const startEndpoint = async (): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'local', 'main.ts')], {
    env: {
      ...process.env,
      PORT: String(3000 + (process.pid % 20_000)),
      LOCAL_DIR: directory,
      MODELS: '0',
      // Starts of provisioned workers take cores here that on AWS are not the callers'.
      PARAMS: 'refreshSeconds=10 coldShards=2 hotSlots=0 workerBudget=0',
      LOCAL_TICK_SECONDS: '60',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) if (line === 'ready') return child;
  throw new Error('npm start ended before it was ready');
};
const endpointProcess = await startEndpoint();
endpointProcess.stdout?.resume();
const endpoint = JSON.parse(await readFile(join(directory, 'endpoint.json'), 'utf8')) as EndpointFile;
const { url, bucket, prefix, region, accessKeyId, secretAccessKey } = endpoint;
const s3 = new S3Client({
  endpoint: url,
  region,
  credentials: { accessKeyId, secretAccessKey },
  forcePathStyle: true,
});
const artifact = await readFile(artifactPath('diabetes'));
const put = (name: string): Promise<unknown> =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key: prefix + name, Body: artifact }));
const modelName = (index: number): string => `soak-${index % MODELS}.tar.gz`;
for (let index = 0; index < MODELS; index++) await put(modelName(index));

const { inputs } = await readExpected('diabetes');
const sender = createSender(
  new URL(`${url}/endpoints/${endpoint.endpointName}/invocations`),
  JSON.stringify({ instances: inputs.slice(0, 1) }),
  { 'x-api-key': endpoint.apiKey ?? '' },
);

/** The execution environments, by the function that they are of. */
const environments = async (): Promise<readonly { readonly pid: number; readonly name: string }[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const children = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, parent]) => (parent === endpointProcess.pid ? [pid] : []));
  const named = await Promise.all(
    children.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return { pid, name: /AWS_LAMBDA_FUNCTION_NAME=[^\0]*?-(\w+(?:-\d+)?)\0/.exec(environment)?.[1] ?? '' };
    }),
  );
  return named.filter(({ name }) => name !== '');
};

interface Offered {
  readonly calls: number;
  /** By what they say. */
  readonly failures: ReadonlyMap<string, number>;
  readonly latencies: readonly number[];
}

let next = 0;

/** Calls at a rate, whether they are answered or not, as clients who know nothing of each other make them. */
const offer = async (
  rate: number,
  seconds: number,
  onSecond?: (seconds: number, calls: number, failed: number) => void,
): Promise<Offered> => {
  const failures = new Map<string, number>();
  const latencies: number[] = [];
  const pending = new Set<Promise<void>>();
  let [calls, failed, second] = [0, 0, 0];
  const call = async (): Promise<void> => {
    const sentMs = performance.now();
    const answer = await sender.send(modelName(next++));
    latencies.push(performance.now() - sentMs);
    if (answer.kind === 'success') return;
    failed += 1;
    const label = `${answer.label} ${(answer.text ?? '').replaceAll(/soak-\d+/g, 'soak-N').slice(0, 120)}`;
    failures.set(label, (failures.get(label) ?? 0) + 1);
  };
  const startedMs = Date.now();
  while (Date.now() < startedMs + 1000 * seconds) {
    const due = Math.floor(((Date.now() - startedMs) / 1000) * rate);
    for (; calls < due; calls++) {
      const sent: Promise<void> = call().finally(() => pending.delete(sent));
      pending.add(sent);
    }
    await sleep(5);
    const now = Math.floor((Date.now() - startedMs) / 1000);
    if (now > second) onSecond?.(now, calls, failed);
    second = now;
  }
  await Promise.all(pending);
  return { calls, failures, latencies };
};

const killed: string[] = [];
/** Routers and workers in turn. */
const kill = async (): Promise<void> => {
  const wanted = killed.length % 2 === 0 ? /^(cold|hot)-/ : /^router$/;
  const running = (await environments()).filter(({ name }) => wanted.test(name));
  const victim = running[(killed.length * 7) % Math.max(1, running.length)];
  if (victim === undefined) return;
  killed.push(victim.name);
  process.kill(victim.pid, 'SIGKILL');
};

const changes = { replaced: 0, deleted: 0 };
const change = async (round: number): Promise<void> => {
  if (round % 2 === 0) {
    await put(modelName(round * 13));
    changes.replaced += 1;
    return;
  }
  const name = `gone-${round}.tar.gz`;
  await put(name);
  await sender.send(name);
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: prefix + name }));
  changes.deleted += 1;
};

/** The highest rate that is held while all of that goes on: no call fails but those of the killed, and p99 stays below a second. */
const measureCapacity = async (): Promise<number> => {
  let held = 100;
  for (let turn = 0; turn < 2; turn++) await offer(held, CAPACITY_SECONDS);
  for (let rate = 150; ; rate = Math.ceil(1.15 * rate)) {
    const killedBefore = killed.length;
    const { failures, latencies } = await offer(rate, CAPACITY_SECONDS);
    const beyond = sumOf(failures) - (killed.length - killedBefore);
    const p99 = percentile(latencies, 0.99);
    say(`${rate} calls/s: p99 ${p99.toFixed(0)} ms, ${Math.max(0, beyond)} failed but those of the killed`);
    if (beyond > 0 || p99 > 1000) return held;
    held = rate;
  }
};

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

interface Sample {
  readonly atSeconds: number;
  readonly environments: number;
  readonly environmentMb: number;
  readonly cloudMb: number;
}
const samples: Sample[] = [];
const sample = async (startedMs: number): Promise<void> => {
  const pids = (await environments()).map(({ pid }) => pid);
  const sizes = [...(await residentBytes(pids)).values()];
  const [own = 0] = (await residentBytes([endpointProcess.pid ?? 0])).values();
  samples.push({
    atSeconds: Math.round((Date.now() - startedMs) / 1000),
    environments: sizes.length,
    environmentMb: Math.round(median(sizes) / MB),
    cloudMb: Math.round(own / MB),
  });
};

const loadBefore = loadavg()[0] ?? 0;
const startedMs = Date.now();
let round = 0;
const timers = [
  setInterval(() => void kill(), KILL_EVERY_MS),
  setInterval(() => void sample(startedMs), SAMPLE_EVERY_MS),
  setInterval(() => void change(round++).catch(() => undefined), CHANGE_EVERY_MS),
];
try {
  const capacity = await measureCapacity();
  const rate = Number(options.share) * capacity;
  say(`capacity ${capacity.toFixed(0)} calls/s; ${rate.toFixed(0)} are offered for ${MINUTES} minutes`);
  // What the search has piled up is to be over.
  await offer(rate / 2, 20);
  [killed.length, samples.length] = [0, 0];
  Object.assign(changes, { replaced: 0, deleted: 0 });

  const { calls, failures, latencies } = await offer(rate, 60 * MINUTES, (seconds, sent, failed) => {
    if (seconds % 60 !== 0) return;
    const last = samples.at(-1);
    say(
      `minute ${seconds / 60}: ${sent} calls, ${failed} failed, ${killed.length} killed, ${last?.environments} environments of ${last?.environmentMb} MB, cloud ${last?.cloudMb} MB`,
    );
  });

  const failed = sumOf(failures);
  const mean = (of: readonly Sample[], value: (sample: Sample) => number): number =>
    Math.round(of.reduce((sum, each) => sum + value(each), 0) / Math.max(1, of.length));
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const [early, late] = [samples.slice(fifth, 2 * fifth), samples.slice(-fifth)];
  const report = {
    minutes: MINUTES,
    capacity: Math.round(capacity),
    offered: Math.round(rate),
    calls,
    failed,
    failures: Object.fromEntries(failures),
    killed: killed.length,
    killedRouters: killed.filter((name) => name === 'router').length,
    failedBeyondKills: Math.max(0, failed - killed.length),
    ...changes,
    p50Ms: Math.round(percentile(latencies, 0.5)),
    p99Ms: Math.round(percentile(latencies, 0.99)),
    maxMs: Math.round(Math.max(...latencies.slice(-50_000))),
    environmentMb: {
      early: mean(early, (each) => each.environmentMb),
      late: mean(late, (each) => each.environmentMb),
    },
    cloudMb: { early: mean(early, (each) => each.cloudMb), late: mean(late, (each) => each.cloudMb) },
    conditions: { cores: cpus().length, model: cpus()[0]?.model, node: process.version, loadBefore },
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} finally {
  for (const timer of timers) clearInterval(timer);
  sender.close();
  s3.destroy();
  endpointProcess.kill('SIGINT');
  await once(endpointProcess, 'exit');
  await rm(directory, { recursive: true, force: true });
}
