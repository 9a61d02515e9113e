import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetAliasCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  InvokeEndpointAsyncCommand,
  InvokeEndpointCommand,
  SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';
import { type Checkout, copyCheckout } from './ministack/checkout.ts';
import { type Emulator, startEmulator } from './ministack/emulator.ts';

const executable = process.env['MINISTACK'];
const TITLE =
  executable === undefined
    ? 'a deployment to ministack (skipped: MINISTACK should name its executable; .ci/run installs it)'
    : 'a deployment to ministack';

const STAGE = 'ci';
const NAME = `lambda-mme-${STAGE}`;
const BUCKET = `${NAME}-models`;
const TABLE = `${NAME}-catalog`;
/** Its CloudFormation knows no alarms of metric math; layers are of one platform. */
const PARAMS = [
  '--stage',
  STAGE,
  '--param=alarms=false',
  `--param=architecture=${process.arch === 'arm64' ? 'arm64' : 'x86_64'}`,
];

let directory: string;
let emulator: Emulator;
let checkout: Checkout;
let s3: S3Client;
let lambda: LambdaClient;
let dynamodb: DynamoDBClient;
let cloudformation: CloudFormationClient;
let runtime: SageMakerRuntimeClient;

/** Names of its HTTP APIs are those of no resolver. */
const here = new Agent({
  keepAlive: true,
  lookup: (_, options, found) =>
    options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
});

const outputs = async (): Promise<Readonly<Record<string, string>>> => {
  const { Stacks: [stack] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: NAME }));
  return Object.fromEntries(
    (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
};

/** An unchanged SDK, with a key of the deployment; at a name, as signatures do not hold below its path. */
const connect = async (): Promise<void> => {
  const { HttpApiId } = await outputs();
  const key = JSON.parse(await checkout.mme('keys', 'create', '--stage', STAGE, '--json')) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  runtime?.destroy();
  runtime = new SageMakerRuntimeClient({
    endpoint: `http://${HttpApiId}.execute-api.localhost:${emulator.port}`,
    region: 'us-east-1',
    credentials: key,
    maxAttempts: 1,
    requestHandler: { httpAgent: here },
  });
};

const predict = async (model: string, rows: readonly (readonly number[])[]): Promise<readonly number[][]> => {
  const { Body } = await runtime.send(
    new InvokeEndpointCommand({
      EndpointName: NAME,
      TargetModel: model,
      ContentType: 'application/json',
      Body: JSON.stringify({ instances: rows }),
    }),
  );
  return (JSON.parse(Body.transformToString()) as { predictions: number[][] }).predictions;
};

const predictsRight = async (model: string): Promise<void> => {
  const { inputs, outputs: expected } = await readExpected('diabetes');
  const [[...rows] = []] = Object.values(expected) as number[][][];
  const got = await predict(model, inputs.slice(0, 3));
  expect(largestRelativeError(got.flat(), rows.slice(0, 3).flat())).toBeLessThan(1e-5);
};

const functionNames = async (): Promise<readonly string[]> => {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  return Functions.flatMap(({ FunctionName = '' }) =>
    FunctionName.startsWith(`${NAME}-`) ? [FunctionName] : [],
  );
};

/** Where alias `live` of each function points. */
const liveVersions = async (): Promise<ReadonlyMap<string, number>> => {
  const live = new Map<string, number>();
  for (const FunctionName of await functionNames()) {
    const { FunctionVersion } = await lambda.send(new GetAliasCommand({ FunctionName, Name: 'live' }));
    live.set(FunctionName, Number(FunctionVersion));
  }
  return live;
};

const row = async (pk: string) =>
  (
    await dynamodb.send(
      new GetItemCommand({ TableName: TABLE, Key: { pk: { S: pk } }, ConsistentRead: true }),
    )
  ).Item;

/** @throws Error when it does not come true in time */
const until = async <T>(what: string, look: () => Promise<T | undefined>, withinMs = 30_000): Promise<T> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await sleep(500);
  }
};

/** To a host that no resolver knows. */
const send = (
  method: string,
  host: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const { port } = emulator;
    const all = { host, 'content-type': 'application/json', ...headers };
    httpRequest({ host: '127.0.0.1', port, path, method, headers: all }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode, text });
    })
      .once('error', reject)
      .end(body);
  });

const putModel = async (name: string): Promise<void> => {
  const Body = await readFile(artifactPath('diabetes'));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `models/${name}`, Body }));
};

describe.skipIf(executable === undefined)(TITLE, () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ministack-'));
    emulator = await startEmulator(executable ?? '', directory);
    const options = {
      endpoint: emulator.environment['AWS_ENDPOINT_URL'] ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    s3 = new S3Client({ ...options, forcePathStyle: true });
    lambda = new LambdaClient(options);
    dynamodb = new DynamoDBClient(options);
    cloudformation = new CloudFormationClient(options);
    checkout = await copyCheckout(join(directory, 'checkout'), emulator.environment);
  }, 90_000);
  afterAll(async () => {
    for (const client of [s3, lambda, dynamodb, cloudformation, runtime]) client?.destroy();
    here.destroy();
    await emulator?.close();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  it('is made by one command, and says what is next', async () => {
    const said = await checkout.serverless('deploy', ...PARAMS);

    expect(said).toContain(`Service deployed to stack ${NAME}`);
    expect(said).toContain(`npx mme keys create --stage ${STAGE}`);
    const names = await functionNames();
    expect(names.map((name) => name.slice(NAME.length + 1)).sort()).toEqual([
      'async',
      'catalog',
      'cold-00',
      'cold-01',
      'cold-02',
      'cold-03',
      'hot-00',
      'hot-01',
      'management',
      'router',
      'scaler',
    ]);
  }, 150_000);

  it('answers an unchanged SDK through its HTTP API, with keys of its own', async () => {
    await connect();
    await putModel('tenant-7/a.tar.gz');
    await predictsRight('tenant-7/a.tar.gz');
    await expect(predict('none.tar.gz', [[1]])).rejects.toMatchObject({ name: 'ValidationError' });
  }, 60_000);

  it('answers at the function URL, too', async () => {
    const { RouterLambdaFunctionUrl = '' } = await outputs();
    const { apiKey } = JSON.parse(await checkout.mme('keys', 'create', '--stage', STAGE, '--json')) as {
      apiKey: string;
    };
    const { host } = new URL(RouterLambdaFunctionUrl);
    const { inputs } = await readExpected('diabetes');
    const body = JSON.stringify(inputs.slice(0, 1));

    expect(await send('POST', host, '/predictions/tenant-7~1a', body, { 'x-api-key': apiKey })).toMatchObject(
      {
        status: 200,
        text: expect.stringMatching(/^\[\[[\d.]+\]\]$/),
      },
    );
    expect(await send('POST', host, '/predictions/tenant-7~1a', body, {})).toMatchObject({ status: 403 });
  }, 60_000);

  it('runs asynchronous calls from the queue', async () => {
    const { inputs } = await readExpected('diabetes');
    const { OutputLocation = '' } = await runtime.send(
      new InvokeEndpointAsyncCommand({
        EndpointName: NAME,
        ContentType: 'application/json',
        CustomAttributes: 'target-model=tenant-7/a.tar.gz',
        InputLocation: await putInput(JSON.stringify({ instances: inputs.slice(0, 2) })),
      }),
    );
    const Key = OutputLocation.replace(`s3://${BUCKET}/`, '');
    const text = await until('the output', async () =>
      s3
        .send(new GetObjectCommand({ Bucket: BUCKET, Key }))
        .then(({ Body }) => Body?.transformToString())
        .catch(() => undefined),
    );
    expect(JSON.parse(text)).toMatchObject({ predictions: [[expect.any(Number)], [expect.any(Number)]] });
  }, 60_000);

  it('hears from S3 of models that go', async () => {
    await putModel('gone.tar.gz');
    const { HttpApiId } = await outputs();
    const made = await checkout.mme('keys', 'create', '--role', 'manage', '--stage', STAGE, '--json');
    const { apiKey } = JSON.parse(made) as { apiKey: string };
    const host = `${HttpApiId}.execute-api.localhost`;
    // Only what somebody has said something about has a row.
    expect(
      await send('PUT', host, '/models/gone.tar.gz', '{"max_workers": 3}', { 'x-api-key': apiKey }),
    ).toMatchObject({ status: 200 });
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'models/gone.tar.gz' }));
    const seen = await until('the note of it', async () => (await row('MODEL#gone.tar.gz'))?.['gone']?.BOOL);
    expect(seen).toBe(true);
  }, 60_000);

  it('has a scaler that looks, decides and writes', async () => {
    const report = await until('a tick', async () => {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: `${NAME}-scaler`, Qualifier: 'live', Payload: Buffer.from('{}') }),
      );
      expect(FunctionError).toBeUndefined();
      const tick = JSON.parse(Buffer.from(Payload ?? []).toString()) as {
        outcome: string;
        activeShards: number;
      };
      // Its own schedule may be at work.
      return tick.outcome === 'leased' ? undefined : tick;
    });
    expect(report).toMatchObject({ outcome: expect.stringMatching(/^(done|idle|blind)$/) });
    expect(await row('LEASE')).toBeDefined();
  }, 90_000);

  it('is deployed anew under load without a failed call, and every alias moves', async () => {
    const before = await liveVersions();
    const stop = new AbortController();
    const outcomes: Promise<unknown>[] = [];
    const failures: unknown[] = [];
    const calling = (async () => {
      while (!stop.signal.aborted) {
        const call = predictsRight('tenant-7/a.tar.gz').catch((error: unknown) => void failures.push(error));
        outcomes.push(call);
        await sleep(150);
      }
      await Promise.all(outcomes);
    })();

    await checkout.serverless('deploy', ...PARAMS, '--param=refreshSeconds=30');
    await sleep(1000);
    stop.abort();
    await calling;

    expect(outcomes.length).toBeGreaterThan(20);
    expect(failures).toEqual([]);
    const after = await liveVersions();
    // The scaler looks at versions anew, and groups have a new parameter; nobody else has changed.
    for (const [name, version] of after) {
      const isChanged = /-(cold|hot)-\d+$|-scaler$/.test(name);
      expect([name, version > (before.get(name) ?? 0)]).toEqual([name, isChanged]);
    }
  }, 150_000);

  it('goes back by one command', async () => {
    const before = await liveVersions();
    expect(await checkout.serverless('rollback', '--stage', STAGE)).toContain(
      'Back to the deployment before the last',
    );
    const after = await liveVersions();
    expect(after.get(`${NAME}-cold-00`)).toBeGreaterThan(before.get(`${NAME}-cold-00`) ?? 0);
    await predictsRight('tenant-7/a.tar.gz');
  }, 150_000);

  it('is removed, and leaves the models', async () => {
    const said = await checkout.serverless('remove', ...PARAMS);

    expect(said).toContain(`Kept: bucket ${BUCKET}`);
    expect(await functionNames()).toEqual([]);
    await expect(outputs()).rejects.toThrow('does not exist');
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'models/' }));
    expect(Contents.map(({ Key }) => Key)).toEqual(['models/tenant-7/a.tar.gz']);
  }, 150_000);

  it('takes up the bucket that was kept', async () => {
    expect(await checkout.serverless('deploy', ...PARAMS)).toContain(`Bucket ${BUCKET} was there already`);

    await connect();
    await predictsRight('tenant-7/a.tar.gz');
    const { StackResourceSummaries = [] } = await cloudformation.send(
      new ListStackResourcesCommand({ StackName: NAME }),
    );
    expect(StackResourceSummaries.map(({ LogicalResourceId }) => LogicalResourceId)).not.toContain(
      'ModelsBucket',
    );
    const { QueueConfigurations = [] } = await s3.send(
      new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET }),
    );
    expect(QueueConfigurations.flatMap(({ Events }) => Events).sort()).toEqual([
      's3:ObjectCreated:*',
      's3:ObjectRemoved:*',
    ]);
    await checkout.serverless('remove', ...PARAMS);
    expect(await functionNames()).toEqual([]);
  }, 150_000);
});

const putInput = async (text: string): Promise<string> => {
  const Key = 'async/in/rows.json';
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: text }));
  return `s3://${BUCKET}/${Key}`;
};
