/**
 * One inference worker beside raw onnxruntime-node, in one run and interleaved: time added to a warm call, to a cold load,
 * memory per loaded model, time to import the bundle, and reading JSON. Run: npm run bench:worker [-- --json]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createCallNotes } from '../functions/inference/call-notes.ts';
import { createInference } from '../functions/inference/inference.ts';
import { s3Stores } from '../lib/aws/s3-model-store.ts';
import { createEngineRegistry } from '../lib/engines/registry.ts';
import { DiskCache } from '../lib/models/disk-cache.ts';
import { nativeBytes } from '../lib/models/memory-forecast.ts';
import { createModels } from '../lib/models/models.ts';
import { jsonCodec } from '../lib/protocol/codecs/json.ts';
import { requestBody } from '../lib/protocol/codecs/request-body.ts';
import { memoryJobObjects } from '../test/fakes/memory-job-objects.ts';
import { memoryWorkerCatalog } from '../test/fakes/memory-worker-catalog.ts';
import { artifactPath, readExpected } from '../test/fixtures/expected.ts';
import { MEMORY_STEPS } from './measure-worker.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '30' },
    /** For the processes of their own in which memory is measured: `ours` or `bare`. */
    memory: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
const WARM_CALLS = 500;
const COLD_LOADS = 10;
/** Models after which memory is looked at. */
const ALL_STEPS = [1, ...MEMORY_STEPS] as const;

const artifact = await readFile(artifactPath('diabetes'));
const { inputs } = await readExpected('diabetes');
const row = inputs[0] ?? [];
const body = JSON.stringify({ instances: [row] });

/** model.onnx is the first entry of the artifact: its bytes begin after one header. */
const modelBytes = ((): Buffer => {
  const tar = gunzipSync(artifact);
  return tar.subarray(512, 512 + Number.parseInt(tar.toString('latin1', 124, 135), 8));
})();

/** The options of a plain session, as one would write them for many small models. */
const BARE = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' } as const;

const startStore = async () => {
  const server = createServer((_, response) => {
    response.writeHead(206, {
      'content-length': artifact.length,
      'content-range': `bytes 0-${artifact.length - 1}/${artifact.length}`,
      etag: '"1"',
    });
    response.end(artifact);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const startWorker = (url: string, directory: string) => {
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL: url,
  };
  const metrics = { count: () => {}, sample: () => {}, timeMicros: () => {}, flushIfDue: () => {} };
  const fail = (error: unknown): void => {
    throw error;
  };
  const timer = (): number => performance.now();
  const models = createModels({
    ...s3Stores(environment, { bucket: 'b', prefix: 'models/', weightsPrefixes: [] }),
    loads: memoryWorkerCatalog(),
    disk: new DiskCache({ root: join(directory, 'models'), maxBytes: 1e9, onError: fail }),
    memoryBytes: 2e9,
    engine: createEngineRegistry({ allowCustomCode: false, now: Date.now }),
    limits: { maxUnpackedBytes: 1e9, maxEntries: 1000 },
    metrics,
    refreshMs: 60_000,
    refusalMs: 10_000,
    slowLoadMs: 5000,
    now: Date.now,
    timer,
    nativeBytes: () => nativeBytes(process.memoryUsage()),
    onLoaded: async () => undefined,
    onFault: fail,
  });
  const notes = createCallNotes({
    metrics,
    models,
    catalog: memoryWorkerCatalog(),
    publishShare: () => undefined,
    startsAhead: false,
    initMs: 0,
    tickMs: 60_000,
    group: 'cold-00',
    now: Date.now,
    onError: fail,
  });
  const handler = createInference({
    models,
    jobObjects: memoryJobObjects(),
    metrics,
    notes,
    worker: 'bench',
    timer,
    onFault: fail,
  });
  return async (model: string): Promise<void> => {
    const call = { model, contentType: 'application/json', accept: undefined, body, isBase64Encoded: false };
    const reply = await handler(call, { getRemainingTimeInMillis: () => 30_000 });
    if (!reply.ok) throw new Error(reply.message);
  };
};

const timeOf = async (work: () => Promise<unknown> | unknown): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
};

const runBare = (session: InferenceSession): Promise<unknown> =>
  session.run({ features: new Tensor('float32', Float32Array.from(row), [1, row.length]) });

const fetchBare = (url: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    get(`${url}/b/models/m`, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => resolve(Buffer.concat(chunks)));
    }).on('error', reject);
  });

const warmCalls = async (call: (model: string) => Promise<void>): Promise<{ ours: number; bare: number }> => {
  const session = await InferenceSession.create(modelBytes, BARE);
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ours = await timeOf(async () => {
      for (let turn = 0; turn < WARM_CALLS; turn++) await call('warm.tar.gz');
    });
    const bare = await timeOf(async () => {
      for (let turn = 0; turn < WARM_CALLS; turn++) await runBare(session);
    });
    rounds.push({ ours: (1000 * ours) / WARM_CALLS, bare: (1000 * bare) / WARM_CALLS });
  }
  return { ours: median(rounds.map(({ ours }) => ours)), bare: median(rounds.map(({ bare }) => bare)) };
};

const coldLoads = async (call: (model: string) => Promise<void>, url: string) => {
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (let load = 0; load < COLD_LOADS; load++) {
      ours.push(await timeOf(() => call(`cold-${round}-${load}.tar.gz`)));
      bare.push(
        await timeOf(async () => {
          await fetchBare(url);
          const session = await InferenceSession.create(modelBytes, BARE);
          await runBare(session);
        }),
      );
    }
  }
  return { ours: median(ours), bare: median(bare) };
};

/** A process of its own per measurement: what one has freed, the next would use. */
const memoryOf = async (kind: string): Promise<Memory> => {
  const args = ['--expose-gc', import.meta.filename, '--memory', kind];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const bytes = JSON.parse(stdout) as readonly number[];
  const at = (step: (typeof ALL_STEPS)[number]): number => bytes[ALL_STEPS.indexOf(step)] ?? Number.NaN;
  return {
    // What is loaded once, and what the heap grows to by itself, is no model's.
    perModel: (at(1500) - at(500)) / 1000,
    beyondFirst: MEMORY_STEPS.map((step) => (at(step) - at(1)) / (step - 1)),
    first: at(1),
  };
};

/** In bytes of resident memory. */
interface Memory {
  readonly perModel: number;
  /** At each step but the first: what there is beyond one model, for each model. */
  readonly beyondFirst: readonly number[];
  /** Of the process with one model. */
  readonly first: number;
}

const measureMemory = async (kind: string, directory: string): Promise<readonly number[]> => {
  const { server, url } = await startStore();
  const call = startWorker(url, directory);
  const kept: InferenceSession[] = [];
  const open = async (index: number): Promise<void> => {
    if (kind === 'ours') return call(`memory-${index}.tar.gz`);
    const session = await InferenceSession.create(modelBytes, BARE);
    await runBare(session);
    kept.push(session);
  };
  const bytes: number[] = [];
  let models = 0;
  for (const step of ALL_STEPS) {
    while (models < step) await open(models++);
    globalThis.gc?.();
    bytes.push(process.memoryUsage.rss());
  }
  server.close();
  server.closeAllConnections();
  return bytes;
};

const importTime = async (directory: string): Promise<number> => {
  const script = join(directory, 'import.mjs');
  const bundle = join(import.meta.dirname, '..', 'dist', 'inference', 'handler.mjs');
  await writeFile(
    script,
    `const started = performance.now(); await import(${JSON.stringify(bundle)}); console.log(performance.now() - started); process.exit(0);`,
  );
  const env = {
    ...process.env,
    GROUP: 'cold-00',
    MODELS_BUCKET: 'b',
    MODELS_PREFIX: 'models/',
    TABLE_NAME: 't',
    ENDPOINT_NAME: 'e',
    AWS_REGION: 'us-east-1',
  };
  const times: number[] = [];
  for (let turn = 0; turn < 15; turn++) {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env });
    times.push(Number(stdout));
  }
  return median(times);
};

const readingJson = async (): Promise<{ ours: number; bare: number; bytes: number }> => {
  const rows = Array.from({ length: 5000 }, (_, index) => row.map((value) => value * (1 + index / 5000)));
  const text = JSON.stringify({ instances: rows });
  const spec = [{ name: 'features', type: 'float32' as const, shape: [undefined, row.length] }];
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round < 3 * ROUNDS; round++) {
    rounds.push({
      bare: await timeOf(() => JSON.parse(text)),
      ours: await timeOf(() => jsonCodec.decode(requestBody(text, false, undefined), spec)),
    });
  }
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    bare: median(rounds.map(({ bare }) => bare)),
    bytes: text.length,
  };
};

const kib = (bytes = Number.NaN): string => `${(bytes / 1024).toFixed(1)} KiB`;

const directory = await mkdtemp(join(tmpdir(), 'bench-worker-'));
try {
  if (options.memory !== undefined) {
    process.stdout.write(JSON.stringify(await measureMemory(options.memory, directory)));
  } else {
    const loadBefore = loadavg()[0] ?? 0;
    const { server, url } = await startStore();
    const call = startWorker(url, directory);
    await call('warm.tar.gz');
    for (let turn = 0; turn < 2000; turn++) await call('warm.tar.gz');
    const warm = await warmCalls(call);
    const cold = await coldLoads(call, url);
    server.close();
    server.closeAllConnections();
    const json = await readingJson();
    const memory = { ours: await memoryOf('ours'), bare: await memoryOf('bare') };
    const importMs = await importTime(directory);
    const report = {
      node: process.version,
      cpu: cpus()[0]?.model,
      loadBefore,
      warm,
      cold,
      json,
      memory,
      importMs,
    };
    const table = `
${cpus().length} cores (${report.cpu}), Node ${report.node}, load average before ${loadBefore.toFixed(2)}; medians, ours and bare in turn

| | worker | bare onnxruntime-node | added | goal |
|---|---|---|---|---|
| warm call, diabetes, one row of JSON | ${warm.ours.toFixed(1)} us | ${warm.bare.toFixed(1)} us | ${(warm.ours - warm.bare).toFixed(1)} us | 60 us |
| cold load: GET over loopback, open, first answer | ${cold.ours.toFixed(2)} ms | ${cold.bare.toFixed(2)} ms | ${(cold.ours - cold.bare).toFixed(2)} ms | 3 ms |
| memory per loaded model | ${kib(memory.ours.perModel)} | ${kib(memory.bare.perModel)} | ${(memory.ours.perModel / memory.bare.perModel).toFixed(2)} x | 1.2 x |
| reading ${(json.bytes / 1e6).toFixed(1)} MB of JSON, float32 | ${json.ours.toFixed(2)} ms | ${json.bare.toFixed(2)} ms (JSON.parse) | ${(json.ours / json.bare).toFixed(2)} x | 1.5 x |
| import of the bundle, without onnxruntime | ${importMs.toFixed(1)} ms | | | 25 ms |

| memory beyond the first model, for each model, with | worker | bare onnxruntime-node |
|---|---|---|
${MEMORY_STEPS.map(
  (step, index) =>
    `| ${step} | ${kib(memory.ours.beyondFirst[index])} | ${kib(memory.bare.beyondFirst[index])} |`,
).join('\n')}`;
    process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${table}\n`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
