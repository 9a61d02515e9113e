import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ROOT } from '../deploy/inputs.ts';
import type { Clock } from '../lib/clock.ts';
import { DEFAULT_ROUTE } from '../lib/route-table.ts';
import { packageDeployment } from './deployment/packaging.ts';
import type { DeployedFunction, Deployment } from './deployment/template.ts';
import { dispatchToServices, type Handle } from './dispatch.ts';
import { createHttpApi } from './http-api/http-api.ts';
import type { FunctionConfig } from './lambda/function-config.ts';
import { createLambda, type LambdaService } from './lambda/lambda.ts';
import { createCloudWatch } from './services/cloudwatch/cloudwatch.ts';
import { openDynamoDB } from './services/dynamodb.ts';
import { ensureTable } from './services/dynamodb-tables.ts';
import { startEventSources } from './services/event-sources/event-sources.ts';
import { createS3Notifications } from './services/event-sources/s3-notifications.ts';
import type { OnObjectEvent } from './services/s3/object-event.ts';
import { openS3, type S3Service } from './services/s3/s3.ts';
import { createScheduler } from './services/scheduler.ts';
import { ensureQueues } from './services/sqs/ensure-queues.ts';
import { openSqs, type SqsService } from './services/sqs/sqs.ts';
import { createSsm } from './services/ssm/ssm.ts';
import { environmentsPerFunction, type Settings } from './settings.ts';

export const REGION = 'us-east-1';
/** Nothing checks them here; they are what unchanged SDKs need in order to sign. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface Cloud {
  readonly url: string;
  /** Of functions that have an address of their own. */
  readonly functionUrls: readonly string[];
  readonly deployment: Deployment;
  readonly s3: S3Service;
  readonly lambda: LambdaService;
  readonly sqs: SqsService;
  close(): Promise<void>;
}

export interface CloudOptions {
  readonly settings: Settings;
  readonly now: Clock;
  readonly onProgress: (message: string) => void;
  readonly onError: (error: unknown) => void;
  /** Stands before every service, where something is to go wrong on purpose. */
  readonly intercept?: (handle: Handle) => Handle;
  /** How functions call each other; by HTTP unless it is named where `intercept` is to see every call. */
  readonly invokes?: 'http' | 'message';
}

/**
 * The whole deployment on this machine: S3, DynamoDB, SQS, Lambda, the HTTP API, the schedules and the event sources
 * behind one loopback address, with the functions as serverless.yml resolves them.
 * @throws FolderInUse when another process serves the same folder; PortTaken when the port is not free.
 */
export const startCloud = async ({
  settings,
  now,
  onProgress,
  onError,
  intercept,
  invokes = intercept === undefined ? 'message' : 'http',
}: CloudOptions): Promise<Cloud> => {
  const stand = intercept ?? ((handle: Handle) => handle);
  await using stack = new AsyncDisposableStack();
  const { directory } = settings;
  await mkdir(directory, { recursive: true });

  let notify: OnObjectEvent = () => undefined;
  // First, because it takes the lock on the folder.
  const s3 = await openS3({ directory: join(directory, 's3'), now, onObjectEvent: (event) => notify(event) });
  stack.defer(() => s3.close());
  const dynamodb = await openDynamoDB(join(directory, 'dynamodb'));
  stack.defer(() => dynamodb.close());

  let dispatch: Handle = answerStarting;
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) =>
    dispatch(request, response),
  );
  const url = await listen(server, settings.port);
  stack.defer(() => closeServer(server));
  const { deployment, codeDirectory } = await packageDeployment(directory, settings.params, onProgress);

  const sqs = await openSqs({ directory: join(directory, 'sqs'), url, now, onError });
  stack.defer(() => sqs.close());
  await ensureQueues(sqs.queues, deployment.queues);
  const { notifications } = deployment;
  const s3Notifications = createS3Notifications({ notifications, queues: sqs.queues, now, onError });
  notify = s3Notifications.onObjectEvent;
  stack.defer(() => {
    notify = () => undefined;
    return s3Notifications.drain();
  });

  const cloudwatch = createCloudWatch({ now, random: Math.random, settling: settings.settling, onError });
  const lambda = createLambda({
    functions: deployment.functions.map((each) =>
      toConfig(each, { url, codeDirectory, settings, deployment, invokes }),
    ),
    directory,
    settings,
    record: cloudwatch.record,
    onOutput: cloudwatch.output,
    onOutputEnded: cloudwatch.outputEnded,
    now,
    onError,
  });
  stack.defer(() => lambda.close());
  const httpApi = createHttpApi({ routes: deployment.routes, lambda, now, onError });
  const functionUrls: string[] = [];
  for (const target of deployment.functionUrls) {
    const route = { routeKey: DEFAULT_ROUTE, target, timeoutMs: MAX_TIMEOUT_MS };
    const handle = stand(createHttpApi({ routes: [route], lambda, now, onError }));
    const own = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, handle);
    functionUrls.push(await listenBeside(own, settings.port));
    stack.defer(() => closeServer(own));
  }
  const services = dispatchToServices({
    s3: s3.handle,
    dynamodb: dynamodb.handle,
    lambda: lambda.handle,
    monitoring: cloudwatch.handle,
    sqs: sqs.handle,
    ssm: createSsm({ file: join(directory, 'ssm.json'), now, onError }).handle,
    httpApi,
  });
  dispatch = stand(services);

  await createStorage(deployment, url, s3);
  const { queues } = sqs;
  const eventSources = startEventSources({ sources: deployment.eventSources, queues, lambda, now, onError });
  stack.defer(() => eventSources.close());
  const scheduler = createScheduler({ schedules: faster(deployment.schedules, settings), lambda, onError });
  stack.defer(() => scheduler.stop());
  await scheduler.start();

  const owned = stack.move();
  return { url, functionUrls, deployment, s3, lambda, sqs, close: () => owned.disposeAsync() };
};

/** A schedule of a minute is the scaler's, and its minute may be shorter here. */
const faster = (schedules: Deployment['schedules'], { tickSeconds }: Settings): Deployment['schedules'] =>
  schedules.map((schedule) => ({ ...schedule, everyMs: (schedule.everyMs * tickSeconds) / 60 }));

/** More than any service takes, so that each refuses in its own words; Node's own limit has none. */
const MAX_HEADER_BYTES = 64 * 1024;

/** The address is taken first, so that a taken port is said before anything is built. */
const answerStarting: Handle = (_, response) => {
  response.writeHead(503, { 'retry-after': '1' }).end('{"message":"the local cloud is starting"}');
};

/** No function runs longer (Lambda quotas). */
const MAX_TIMEOUT_MS = 900_000;

/** A function URL has the next port, or any where that is taken. */
const listenBeside = async (server: Server, port: number): Promise<string> => {
  try {
    return await listen(server, port === 0 ? 0 : port + 1);
  } catch (error) {
    if (!(error instanceof PortTaken)) throw error;
    return listen(server, 0);
  }
};

export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

const listen = async (server: Server, port: number): Promise<string> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new PortTaken(`port ${port} of 127.0.0.1 is taken by another program`, { cause: error });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const closeServer = async (server: Server): Promise<void> => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
};

/** Two lifetimes of a router's routes, and the longest call of a demo. */
const DRAIN_SECONDS = 15;

const toConfig = (
  deployed: DeployedFunction,
  context: {
    url: string;
    codeDirectory: string;
    settings: Settings;
    deployment: Deployment;
    invokes: 'http' | 'message';
  },
): FunctionConfig => {
  const { url, codeDirectory, settings, deployment, invokes } = context;
  return {
    ...deployed,
    codeDirectory,
    // The layer's packages as npm installed them: the layer itself holds binaries for Lambda's platform.
    nodePath: [join(ROOT, 'node_modules')],
    region: REGION,
    environment: {
      ...deployed.environment,
      TICK_SECONDS: String(settings.tickSeconds),
      // With its minutes, the time shrinks that calls are given to be on their way.
      DRAIN_SECONDS: String(settings.limits === 'aws' ? 70 : DRAIN_SECONDS),
      AWS_ENDPOINT_URL: url,
      LOCAL_INVOKE: invokes,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    versions: ['1'],
    aliases: Object.fromEntries(deployed.aliases.map((alias) => [alias, '1'])),
    ...environmentsOf(deployed.name, settings, deployment),
  };
};

/**
 * A router waits for its worker: as many are needed as workers are busy, and each takes little of a core. Two more than of other functions leave no
 * core idle; still more run with colder caches (docs/performance.md).
 */
const environmentsOf = (
  name: string,
  settings: Settings,
  { functions, routes }: Deployment,
): Pick<FunctionConfig, 'maxEnvironments' | 'mostEnvironments' | 'forwards'> => {
  const maxEnvironments = settings.maxEnvironments || environmentsPerFunction(functions.length);
  if (!routes.some(({ target }) => target.functionName === name)) return { maxEnvironments };
  const mostEnvironments = Math.max(maxEnvironments, MOST_ROUTERS);
  return settings.limits === 'aws'
    ? { maxEnvironments: mostEnvironments }
    : {
        maxEnvironments: settings.maxEnvironments || maxEnvironments + 2,
        mostEnvironments,
        forwards: true,
      };
};

/** Of about 60 MB each. */
const MOST_ROUTERS = 32;

const createStorage = async (deployment: Deployment, url: string, s3: S3Service): Promise<void> => {
  for (const bucket of deployment.buckets) await s3.store.createBucket(bucket);
  // Whoever suspended versions meant it: a start is no reason to enable them again.
  for (const bucket of deployment.versionedBuckets ?? []) {
    if (s3.store.versioning(bucket) === undefined) await s3.store.setVersioning(bucket, 'Enabled');
  }

  const client = new DynamoDBClient({ region: REGION, endpoint: url, credentials: { ...CREDENTIALS } });
  for (const table of deployment.tables) {
    const { TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = table;
    const input = { TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes };
    await ensureTable(client, input as CreateTableCommandInput);
  }
  client.destroy();
};
