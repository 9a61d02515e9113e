import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigurationError } from '../lib/env.ts';
import { scheduleInBatches } from './batch-scheduling.ts';
import { type Cloud, PortTaken, startCloud } from './cloud.ts';
import { describeEndpoint, removeEndpointFile, writeEndpointFile } from './endpoint-file.ts';
import { issueLocalKey } from './issue-local-key.ts';
import { createProgress } from './progress.ts';
import { seedModels } from './seed.ts';
import { FolderInUse, openS3 } from './services/s3/s3.ts';
import { parseSettings, type Settings } from './settings.ts';
import { welcome } from './welcome.ts';

const HELP = `Usage: npm start [-- --reset]

Serves the whole endpoint on 127.0.0.1: S3, DynamoDB, Lambda, the HTTP API and the scaler's schedule.

  --reset   start empty: forget all models, rows and builds of the folder
  --help    this text

Environment:
  PORT=3000                  port to listen on
  LOCAL_DIR=.local           folder of all state; endpoint.json in it tells scripts how to call
  MODELS=1000                copies of the diabetes model that the first start uploads
  LOCAL_LIMITS=off           aws: AWS's limits and delays hold: a busy function answers 429 at once, workers take
                             a minute and a half to come, metrics settle one to three minutes late
  LOCAL_TICK_SECONDS=5       the scaler's minute (limits aws: 60)
  LOCAL_MAX_ENVIRONMENTS=0   environments a function may have; 0: what cores and memory can hold
  LOCAL_QUEUE_SECONDS=5      how long a call waits for an environment before it is answered 429 (limits off)
  LOCAL_IDLE_SECONDS=600     an environment without calls ends after this time
  PARAMS="name=value ..."    parameters of serverless.yml, e.g. allowCustomCode=true;
                             with limits off, and unless they are named, workerBudget is two
                             for each core, and coldShards half as many as cores, 1 to 4`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const printError = (error: unknown): void => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
};

/** Only what a start makes: a mistyped LOCAL_DIR must not cost anybody a folder. */
const OWN_ENTRIES = [
  's3',
  'dynamodb',
  'deployment',
  'deployment.unfinished',
  'environments',
  'logs',
  'ssm.json',
  'key.json',
  'seed.json',
  'endpoint.json',
];

const emptyFolder = async (directory: string): Promise<void> => {
  // Opening the store takes the folder's lock: nobody's running endpoint is emptied under it.
  await (await openS3({ directory: join(directory, 's3'), now: Date.now })).close();
  for (const entry of OWN_ENTRIES) await rm(join(directory, entry), { recursive: true, force: true });
};

const serve = async (settings: Settings): Promise<void> => {
  await scheduleInBatches();
  const cloud = await startCloud({ settings, now: Date.now, onProgress: print, onError: printError });
  endOnSignal(cloud, settings.directory);
  const endpoint = await issueLocalKey(describeEndpoint(cloud), settings.directory);
  await seedModels({
    store: cloud.s3.store,
    bucket: endpoint.bucket,
    prefix: endpoint.prefix,
    models: settings.models,
    directory: settings.directory,
    onProgress: createProgress('uploading models', process.stdout),
  });
  await writeEndpointFile(settings.directory, endpoint);
  print(await welcome(endpoint, settings));
};

/** An error that the reader can mend is told in a sentence; anything else with its stack. */
const explain = (error: unknown): string => {
  if (error instanceof PortTaken) return `${error.message}: end it, or choose another port: ${ANOTHER_PORT}`;
  if (error instanceof FolderInUse) {
    return `${error.message}: end it, or choose another folder and port: LOCAL_DIR=.local-2 ${ANOTHER_PORT}`;
  }
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code.startsWith('ERR_PARSE_ARGS')) return `${(error as Error).message}\n\n${HELP}`;
  if (error instanceof ConfigurationError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

const ANOTHER_PORT = 'PORT=3001 npm start';

const endOnSignal = (cloud: Cloud, directory: string): void => {
  let stopping = false;
  const stop = async (): Promise<void> => {
    // Whoever asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    await removeEndpointFile(directory);
    await cloud.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop().catch(printError);
    });
  }
};

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { reset: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return print(HELP);

  const settings = parseSettings(process.env);
  if (values.reset) await emptyFolder(settings.directory);
  await serve(settings);
};

await run().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});
