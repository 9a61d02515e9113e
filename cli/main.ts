/** The command `mme`: models, keys and workers of an endpoint. Run: npx mme --help */
import { resolve } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { CommanderError } from 'commander';
import { ServingError } from '../lib/errors.ts';
import type { Start, Values } from './command.ts';
import { complete } from './complete.ts';
import { type Connection, connect, Unable } from './connect.ts';
import { deployedOf } from './deployed.ts';
import { processOutput } from './output.ts';
import { createProgram } from './program.ts';
import { UsageError } from './usage-error.ts';

const COMPLETION = '__complete';
const MAX_CANDIDATES = 50;
const COMPLETE_WITHIN_MS = 2000;

const connectTo = (values: Values): Promise<Connection> =>
  connect(
    deployedOf(values, process.env['AWS_REGION']),
    resolve(process.env['LOCAL_DIR'] ?? '.local'),
    process.env,
  );

const start: Start = async (spec, args, values) => {
  const output = processOutput(values['json'] === true);
  using connection = spec.isOffline ? undefined : await connectTo(values);
  await spec.run(args, values, { connection: connection as Connection, output });
};

/** For a shell that completes: quick, and silent whatever happens. */
const answerCompletion = async (words: readonly string[]): Promise<void> => {
  const { candidates, modelPrefix } = complete(createProgram(start), words);
  const models = modelPrefix === undefined ? [] : await modelsBelow(modelPrefix);
  process.stdout.write([...candidates, ...models].map((word) => `${word}\n`).join(''));
};

const modelsBelow = async (below: string): Promise<readonly string[]> => {
  using connection = await connectTo({});
  const { s3, bucket, prefix } = connection;
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + below, MaxKeys: MAX_CANDIDATES }),
    { abortSignal: AbortSignal.timeout(COMPLETE_WITHIN_MS) },
  );
  return Contents.map(({ Key = '' }) => Key.slice(prefix.length));
};

const fail = (error: unknown): number => {
  // Commander has said what is wrong, and how to go on.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  process.stderr.write(`${describeError(error)}\n`);
  return 1;
};

/** What AWS says is for the reader: credentials that are missing, a table that is not there. */
const describeError = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Unable || error instanceof ServingError) return error.message;
  if (error.name === 'ResourceNotFoundException' || error.name === 'NoSuchBucket') {
    return 'there is no such deployment: its table or bucket was not found; check --stage, --region, --service and --bucket';
  }
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED') {
    return 'nobody answers there: does npm start still run?';
  }
  return '$metadata' in error || error.name === 'CredentialsProviderError'
    ? `${error.name}: ${error.message}`
    : (error.stack ?? error.message);
};

const words = process.argv.slice(2);
try {
  if (words[0] === COMPLETION) await answerCompletion(words.slice(2)).catch(() => undefined);
  else await createProgram(start).parseAsync(words, { from: 'user' });
} catch (error) {
  process.exitCode = fail(error);
}
