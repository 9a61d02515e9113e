/** The command `mme`: models and workers of an endpoint. Run: npx mme --help */
import { resolve } from 'node:path';
import { ServingError } from '../lib/errors.ts';
import { HELP, type Options, parseArguments, UsageError } from './arguments.ts';
import { describe } from './commands/describe.ts';
import { invoke } from './commands/invoke.ts';
import { createKey, listKeys, revokeKey } from './commands/keys.ts';
import { ls } from './commands/ls.ts';
import { push } from './commands/push.ts';
import { rm } from './commands/rm.ts';
import { type Connection, connect, Unable } from './connect.ts';
import { explainModel, explanationText } from './describe-model.ts';
import { workersLines, workersText } from './describe-workers.ts';
import { type Output, processOutput } from './output.ts';

const run = async ({ command, ...options }: Options): Promise<void> => {
  if (command.kind === 'help') {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const output = processOutput(options.json);
  using connection = await connect(options, resolve(process.env['LOCAL_DIR'] ?? '.local'));
  switch (command.kind) {
    case 'ls':
      return ls(command, connection, output);
    case 'push':
      return push(command, connection, output);
    case 'rm':
      return rm(command, connection, output);
    case 'invoke':
      return invoke(command, connection, output);
    case 'describe':
      return describe(command, connection, output);
    case 'keys create':
      return createKey(command, connection, output);
    case 'keys ls':
      return listKeys(connection, output);
    case 'keys revoke':
      return revokeKey(command, connection, output);
    case 'workers':
      return workers(connection, output);
    case 'explain':
      return explain(command.model, connection, output);
  }
};

const readPlan = async ({ store }: Connection) => {
  const plan = await store.readPlan();
  if (plan !== undefined) return plan;
  throw new Unable(
    'the scaler has left no plan yet: it does with the first calls, some minutes after them in AWS',
  );
};

const workers = async (connection: Connection, output: Output): Promise<void> => {
  const plan = await readPlan(connection);
  output.answer(workersText(plan, Date.now()), { ...plan, lines: workersLines(plan) });
};

const explain = async (model: string, connection: Connection, output: Output): Promise<void> => {
  const plan = await readPlan(connection);
  const [row] = await connection.store.readModels([model]);
  const explained = explainModel(plan, model, row);
  output.answer(explanationText(explained, plan, Date.now()), explained);
};

const fail = (error: unknown): number => {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${HELP}\n`);
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

try {
  await run(parseArguments(process.argv.slice(2), process.env['AWS_REGION']));
} catch (error) {
  process.exitCode = fail(error);
}
