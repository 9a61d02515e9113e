/** The command `mme`: models, keys and workers of an endpoint. Run: npx mme --help */
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { ServingError } from '../lib/errors.ts';
import { answerCompletion } from './answer-completion.ts';
import type { Start, Values } from './command.ts';
import type { Connection } from './connect.ts';
import { deployedOf } from './deployed.ts';
import { createOutput } from './output.ts';
import { createProgram } from './program.ts';
import { Unable } from './unable.ts';
import { UsageError } from './usage-error.ts';

const COMPLETION = '__complete';
/** A shell waits no longer; starting Node is part of it. */
const COMPLETE_WITHIN_MS = 1800;

const start: Start = async (spec, args, values) => {
  const output = createOutput(values['json'] === true, { out: process.stdout, err: process.stderr });
  try {
    using connection = spec.isOffline ? undefined : await connectTo(values);
    await spec.run(args, values, { connection: connection as Connection, output });
  } finally {
    output.end();
  }
};

/** What many SDKs take long to import is imported when something is to be connected to. */
const connectTo = async (values: Values): Promise<Connection> => {
  const deployed = deployedOf(values, process.env['AWS_REGION']);
  const { connect } = await import('./connect.ts');
  return connect(deployed, resolve(process.env['LOCAL_DIR'] ?? '.local'), process.env);
};

/** For a shell that completes: quick, and silent whatever happens. */
const printCompletion = async (words: readonly string[]): Promise<void> => {
  setTimeout(() => process.exit(0), COMPLETE_WITHIN_MS - performance.now());
  try {
    const candidates = await answerCompletion(words, process.env);
    await new Promise((written) =>
      process.stdout.write(candidates.map((word) => `${word}\n`).join(''), written),
    );
  } finally {
    process.exit(0);
  }
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
  // The system's own words: a file that cannot be read.
  if ('syscall' in error && 'path' in error) return error.message;
  return '$metadata' in error || error.name === 'CredentialsProviderError'
    ? `${error.name}: ${error.message}`
    : (error.stack ?? error.message);
};

// `mme logs | head`: nobody reads on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const words = process.argv.slice(2);
try {
  if (words[0] === COMPLETION) await printCompletion(words.slice(2));
  else await createProgram(start).parseAsync(words, { from: 'user' });
} catch (error) {
  process.exitCode = fail(error);
}
