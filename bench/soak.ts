/**
 * The whole local cloud for ten minutes at 80 % of what it can do, while models are replaced and deleted, and environments are killed.
 * Run: npm run bench:soak    Options: --minutes 10 --share 0.8 --models 200 --json
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createSender } from '../load/send.ts';
import { startCloud } from '../local/cloud.ts';
import { describeEndpoint } from '../local/endpoint-file.ts';
import { issueLocalKey } from '../local/issue-local-key.ts';
import { residentBytes } from '../local/lambda/resident-memory.ts';
import { parseSettings } from '../local/settings.ts';
import { artifactPath, readExpected } from '../test/fixtures/expected.ts';

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
const CAPACITY_SECONDS = 15;
const CAPACITY_CALLS = 16;
const KILL_EVERY_MS = 5000;
const CHANGE_EVERY_MS = 1000;
const SAMPLE_EVERY_MS = 5000;
const MB = 1024 * 1024;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ??
  Number.NaN;

const directory = await mkdtemp(join(tmpdir(), 'soak-'));
const settings = parseSettings({
  PORT: '0',
  LOCAL_DIR: directory,
  MODELS: '0',
  PARAMS: 'refreshSeconds=1 coldShards=2 hotSlots=1',
});
const cloud = await startCloud({ settings, now: Date.now, onProgress: say, onError: () => undefined });
const endpoint = await issueLocalKey(describeEndpoint(cloud), directory);
const artifact = await readFile(artifactPath('diabetes'));
const put = (name: string): Promise<unknown> =>
  cloud.s3.store.put(endpoint.bucket, endpoint.prefix + name, artifact);
const modelName = (index: number): string => `soak-${index % MODELS}.tar.gz`;
for (let index = 0; index < MODELS; index++) await put(modelName(index));

const { inputs } = await readExpected('diabetes');
const sender = createSender(
  new URL(`${endpoint.url}/endpoints/${endpoint.endpointName}/invocations`),
  JSON.stringify({ instances: inputs.slice(0, 1) }),
  { 'x-api-key': endpoint.apiKey ?? '' },
);

/** As many calls as are answered when each caller waits for its answer. */
const measureCapacity = async (): Promise<number> => {
  const endMs = Date.now() + 1000 * CAPACITY_SECONDS;
  let [answered, next] = [0, 0];
  const caller = async (): Promise<void> => {
    while (Date.now() < endMs) if ((await sender.send(modelName(next++))).kind === 'success') answered++;
  };
  await Promise.all(Array.from({ length: CAPACITY_CALLS }, caller));
  return answered / CAPACITY_SECONDS;
};

const killed: string[] = [];
const kill = (round: number): void => {
  const running = cloud.lambda.status().filter(({ pid }) => pid !== undefined);
  const victim = running[(round * 7) % Math.max(1, running.length)];
  if (victim?.pid === undefined) return;
  killed.push(victim.functionName.split('-').slice(3).join('-'));
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
  await cloud.s3.store.delete(endpoint.bucket, endpoint.prefix + name);
  changes.deleted += 1;
};

interface Sample {
  readonly atSeconds: number;
  readonly environments: number;
  readonly environmentMb: number;
  readonly cloudMb: number;
}
const samples: Sample[] = [];
const sample = async (startedMs: number): Promise<void> => {
  const pids = cloud.lambda.status().flatMap(({ pid }) => pid ?? []);
  const sizes = [...(await residentBytes(pids)).values()];
  samples.push({
    atSeconds: Math.round((Date.now() - startedMs) / 1000),
    environments: sizes.length,
    environmentMb: Math.round(median(sizes) / MB),
    cloudMb: Math.round(process.memoryUsage().rss / MB),
  });
};

const loadBefore = loadavg()[0] ?? 0;
try {
  await measureCapacity();
  const capacity = await measureCapacity();
  const rate = Number(options.share) * capacity;
  say(`capacity ${capacity.toFixed(0)} calls/s; ${rate.toFixed(0)} are offered for ${MINUTES} minutes`);

  const startedMs = Date.now();
  const endMs = startedMs + 60_000 * MINUTES;
  const failures = new Map<string, number>();
  const latencies: number[] = [];
  let calls = 0;
  const pending = new Set<Promise<void>>();
  const timers = [
    setInterval(() => kill(killed.length), KILL_EVERY_MS),
    setInterval(() => void sample(startedMs), SAMPLE_EVERY_MS),
  ];
  let round = 0;
  timers.push(setInterval(() => void change(round++).catch(() => undefined), CHANGE_EVERY_MS));

  const call = async (): Promise<void> => {
    const sentMs = performance.now();
    const answer = await sender.send(modelName(calls++));
    latencies.push(performance.now() - sentMs);
    if (answer.kind !== 'success') failures.set(answer.label, (failures.get(answer.label) ?? 0) + 1);
  };
  let saidMinute = 0;
  while (Date.now() < endMs) {
    const due = Math.floor(((Date.now() - startedMs) / 1000) * rate);
    while (calls < due) {
      const sent: Promise<void> = call().finally(() => pending.delete(sent));
      pending.add(sent);
    }
    await sleep(5);
    const minute = Math.floor((Date.now() - startedMs) / 60_000);
    if (minute > saidMinute) {
      saidMinute = minute;
      const last = samples.at(-1);
      say(
        `minute ${minute}: ${calls} calls, ${[...failures.values()].reduce((sum, count) => sum + count, 0)} failed, ${killed.length} killed, ${last?.environments} environments of ${last?.environmentMb} MB, cloud ${last?.cloudMb} MB`,
      );
    }
  }
  for (const timer of timers) clearInterval(timer);
  await Promise.all(pending);

  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
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
  sender.close();
  await cloud.close();
  await rm(directory, { recursive: true, force: true });
}
