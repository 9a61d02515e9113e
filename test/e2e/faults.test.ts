import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CREDENTIALS, REGION } from '../../local/cloud.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';
import { tarGz } from '../fixtures/tar-archive.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';
import { type Fault, type FaultKind, FaultSwitch } from './fault-injection.ts';

/** A fault may keep a caller as long as the door is open (28 s), and no longer. */
const DEADLINE_MS = 30_000;

const faults = new FaultSwitch();
let running: RunningCloud;
let rows: readonly (readonly number[])[];
let expected: readonly number[];
let artifact: Buffer;
let fresh = 0;

const put = async (name: string, bytes: Buffer = artifact): Promise<void> => {
  const { bucket, prefix } = running.endpoint;
  await running.cloud.s3.store.put(bucket, prefix + name, bytes);
};

beforeAll(async () => {
  running = await startTestCloud(
    { MODELS: '4', PARAMS: 'allowCustomCode=true refreshSeconds=1 coldShards=2 hotSlots=1' },
    faults.intercept,
  );
  await writeEndpointFile(running.directory, running.endpoint);
  const { inputs, outputs } = await readExpected('diabetes');
  rows = inputs.slice(0, 3);
  expected = ((Object.values(outputs) as number[][][])[0] ?? []).slice(0, 3).flat();
  artifact = await readFile(artifactPath('diabetes'));
  await Promise.all(['diabetes-0001.tar.gz', 'diabetes-0002.tar.gz'].map((model) => invoke(model)));
}, 60_000);
afterAll(() => running.close());

interface Seen {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly tookMs: number;
}

const send = async (
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Seen> => {
  const startedMs = performance.now();
  const response = await fetch(running.cloud.url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-api-key': running.endpoint.apiKey ?? '',
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(DEADLINE_MS + 5000),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    text,
    tookMs: performance.now() - startedMs,
  };
};

const invoke = (model: string, body: unknown = rows): Promise<Seen> =>
  send(
    'POST',
    `/endpoints/${running.endpoint.endpointName}/invocations`,
    { 'x-amzn-sagemaker-target-model': model },
    JSON.stringify(body),
  );

/** Nothing wrong is ever answered: what is 200 is right, and everything else says what it is. */
const expectHonest = ({ status, type, text, tookMs }: Seen): void => {
  expect(tookMs).toBeLessThan(DEADLINE_MS);
  if (status === 200) {
    const [predictions] = [JSON.parse(text) as number[][]];
    expect(largestRelativeError(predictions.flat(), expected)).toBeLessThan(1e-5);
    return;
  }
  expect([424, 429, 500, 503, 530]).toContain(status);
  expect(type).toMatch(/^\w+$/);
  expect(JSON.parse(text)).toMatchObject({ Message: expect.stringMatching(/.{10}/) });
};

const KINDS: readonly FaultKind[] = ['fails', 'throttles', 'hangs', 'answers late', 'breaks off'];
const OPERATIONS: readonly (readonly [service: string, operation: string])[] = [
  ['s3', 'GetObject'],
  ['dynamodb', 'GetItem'],
  ['dynamodb', 'BatchGetItem'],
  ['dynamodb', 'UpdateItem'],
  ['dynamodb', 'PutItem'],
  ['dynamodb', 'Query'],
  ['lambda', 'Invoke'],
  ['lambda', 'ControlPlane'],
  ['monitoring', 'GetMetricData'],
  ['ssm', 'GetParameter'],
];
/** Faults that make nobody wait for an answer of a model, whatever they do. */
const HARMLESS = (service: string, operation: string): boolean =>
  service === 'monitoring' ||
  operation === 'ControlPlane' ||
  ['PutItem', 'Query', 'BatchGetItem'].includes(operation);

const CASES: readonly Fault[] = OPERATIONS.flatMap(([service, operation]) =>
  KINDS.map((kind) => ({ service, operation, kind })),
);

describe('while an AWS service is ill', () => {
  it.each(CASES)(
    '$service $operation $kind: answers are right or honest, in time, and all is well after it',
    async (fault) => {
      const name = `fresh-${fresh++}.tar.gz`;
      await put(name);
      // Every worker of the shard has it open.
      await Promise.all(Array.from({ length: 8 }, () => invoke('diabetes-0001.tar.gz')));
      faults.set(fault);
      const seen = await Promise.all([
        invoke('diabetes-0001.tar.gz'),
        invoke('diabetes-0002.tar.gz'),
        invoke(name),
        sleep(1100).then(() => invoke('diabetes-0001.tar.gz')),
      ]);
      faults.set(undefined);

      for (const each of seen) expectHonest(each);
      if (HARMLESS(fault.service, fault.operation) || fault.kind === 'answers late') {
        expect(seen.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      }
      // A model that is open, and a caller that is known, need neither S3 nor the table.
      if (fault.service !== 'lambda') expect(seen[0]?.status).toBe(200);
      await vi.waitFor(
        async () => {
          expect((await invoke(name)).status).toBe(200);
          expect((await invoke('diabetes-0002.tar.gz')).status).toBe(200);
        },
        { timeout: 20_000, interval: 200 },
      );
    },
    90_000,
  );
});

const rowOf = async (model: string) => {
  const client = new DynamoDBClient({
    endpoint: running.cloud.url,
    region: REGION,
    credentials: CREDENTIALS,
  });
  const Key = { pk: { S: `MODEL#${model}` } };
  const { Item } = await client.send(new GetItemCommand({ TableName: running.endpoint.table, Key }));
  client.destroy();
  return Item;
};

describe('a registration', () => {
  const register = (model: string, workers: number) =>
    send(
      'POST',
      '/models',
      {},
      JSON.stringify({ model_name: model, url: 'diabetes-0001.tar.gz', max_workers: workers }),
    );

  it.each(
    (['HeadObject', 'PutObject'] as const)
      .map((operation) => ['s3', operation] as const)
      .concat([
        ['dynamodb', 'UpdateItem'],
        ['dynamodb', 'BatchGetItem'],
        ['dynamodb', 'GetItem'],
      ] as never)
      .flatMap(([service, operation]) => KINDS.map((kind) => ({ service, operation, kind }))),
  )(
    'is whole once it is answered, and can be repeated until it is: $service $operation $kind',
    async (fault) => {
      const model = `registered-${fresh++}.tar.gz`;
      faults.set(fault);
      const first = await register(model, 3);
      faults.set(undefined);
      expect(first.tookMs).toBeLessThan(DEADLINE_MS);
      expect([201, 429, 500, 503, 530]).toContain(first.status);
      if (first.status === 201) {
        expect((await rowOf(model))?.['maxWorkers']?.N).toBe('3');
      } else {
        expect(JSON.parse(first.text)).toHaveProperty('type');
        // As a caller would: again, and what is there already is not in the way of its settings.
        const again = await register(model, 3);
        expect([201, 409]).toContain(again.status);
        if (again.status === 409) {
          expect((await send('PUT', `/models/${model}`, {}, '{"max_workers":3}')).status).toBe(200);
        }
      }
      expect((await rowOf(model))?.['maxWorkers']?.N).toBe('3');
      expect((await invoke(model)).status).toBe(200);
    },
    90_000,
  );
});

describe('an asynchronous call', () => {
  const ASYNC_CASES: readonly Fault[] = [
    ...KINDS.map((kind) => ({ service: 'sqs', operation: 'SendMessage', kind })),
    ...KINDS.filter((kind) => kind !== 'hangs').flatMap((kind) => [
      { service: 's3', operation: 'PutObject', kind },
      { service: 'lambda', operation: 'Invoke', kind },
      { service: 'dynamodb', operation: 'GetItem', kind },
    ]),
  ];

  it.each(ASYNC_CASES)(
    'that was accepted has its output in the end: $service $operation $kind',
    async (fault) => {
      faults.set(fault);
      const accepted = await fetch(
        `${running.endpoint.url}/endpoints/${running.endpoint.endpointName}/async-invocations`,
        {
          method: 'POST',
          headers: {
            'x-api-key': running.endpoint.apiKey ?? '',
            'x-amzn-sagemaker-content-type': 'application/json',
            'x-amzn-sagemaker-target-model': 'diabetes-0001.tar.gz',
          },
          body: JSON.stringify(rows),
          signal: AbortSignal.timeout(DEADLINE_MS),
        },
      );
      // Long enough for a worker to have met it.
      await sleep(1500);
      faults.set(undefined);
      if (accepted.status !== 202) {
        expect(accepted.status).toBe(503);
        expect(accepted.headers.get('x-amzn-errortype')).toBe('ServiceUnavailable');
        return;
      }
      const location = accepted.headers.get('x-amzn-sagemaker-outputlocation') ?? '';
      const { bucket } = running.endpoint;
      const output = await vi.waitFor(
        async () => {
          const { store } = running.cloud.s3;
          const object = await store.get(bucket, location.slice(`s3://${bucket}/`.length));
          expect(object).toBeDefined();
          const chunks: Buffer[] = [];
          for await (const chunk of store.readBlob((object as NonNullable<typeof object>).blobId))
            chunks.push(Buffer.from(chunk));
          return JSON.parse(Buffer.concat(chunks).toString()) as number[][];
        },
        { timeout: 60_000, interval: 200 },
      );
      expect(largestRelativeError(output.flat(), expected)).toBeLessThan(1e-5);
    },
    100_000,
  );
});

describe('a model that kills its workers', () => {
  it('is fenced off, says so, and is served again when its artifact is mended', async () => {
    const killer = `import { execFileSync } from 'node:child_process';
export const handle = () => execFileSync('kill', ['-9', String(process.pid)]);`;
    const kind = 'export const handle = () => "well";';
    await put('killer.tar.gz', tarGz([{ path: 'model.mjs', content: killer }]));
    for (let call = 0; call < 3; call++) expect(await invoke('killer.tar.gz')).toMatchObject({ status: 503 });

    const fenced = await invoke('killer.tar.gz');
    expect(fenced).toMatchObject({
      status: 424,
      type: 'ModelError',
      text: expect.stringContaining('fenced off until'),
    });
    expect((await invoke('diabetes-0001.tar.gz')).status).toBe(200);

    await put('killer.tar.gz', tarGz([{ path: 'model.mjs', content: kind }]));
    await vi.waitFor(async () => expect((await invoke('killer.tar.gz')).status).toBe(200), {
      timeout: 45_000,
      interval: 500,
    });
  }, 60_000);
});

describe('SIGKILL of environments', () => {
  it('at any moment costs at most the calls that were running there', async () => {
    const seen: Seen[] = [];
    let kills = 0;
    let isOver = false;
    const callers = Array.from({ length: 6 }, async (_, caller) => {
      for (let index = 0; !isOver; index++) {
        seen.push(await invoke(`diabetes-000${1 + ((caller + index) % 4)}.tar.gz`));
      }
    });
    for (let round = 0; round < 25; round++) {
      await sleep(80);
      const pids = running.cloud.lambda.status().map(({ pid }) => pid);
      const pid = pids[(round * 7) % Math.max(1, pids.length)];
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      kills += 1;
    }
    isOver = true;
    await Promise.all(callers);

    const failed = seen.filter(({ status }) => status !== 200);
    for (const each of seen.filter(({ status }) => status === 200)) expectHonest(each);
    expect(kills).toBeGreaterThan(15);
    // Where three kills happened to hit one model, it is fenced off, and who calls it is told so, as often as he asks.
    const lost = failed.filter(({ text }) => !text.includes('is fenced off until'));
    expect(lost.length).toBeLessThanOrEqual(kills);
    for (const { status, tookMs } of failed) {
      expect([424, 429, 500, 502, 503]).toContain(status);
      expect(tookMs).toBeLessThan(DEADLINE_MS);
    }
    // A model that happened to be running in three of them is fenced off for half a minute.
    await vi.waitFor(async () => expect((await invoke('diabetes-0001.tar.gz')).status).toBe(200), {
      timeout: 45_000,
      interval: 500,
    });
  }, 120_000);
});
