/** The command `mme`: what the scaler did, and why. Run: npx mme --help */
import { resolve } from 'node:path';
import { HELP, type Options, parseArguments, UsageError } from './arguments.ts';
import { connect, NoEndpoint } from './connect.ts';
import { explainModel, explanationText } from './describe-model.ts';
import { workersLines, workersText } from './describe-workers.ts';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const run = async (options: Options): Promise<number> => {
  const { command, json } = options;
  if (command.kind === 'help') {
    print(HELP);
    return 0;
  }
  const { store, close } = await connect(options, resolve(process.env['LOCAL_DIR'] ?? '.local'));
  try {
    const plan = await store.readPlan();
    if (plan === undefined) {
      throw new NoEndpoint(
        'the scaler has left no plan yet: it does with the first calls, some minutes after them in AWS',
      );
    }
    if (command.kind === 'workers') {
      print(json ? JSON.stringify({ ...plan, lines: workersLines(plan) }) : workersText(plan, Date.now()));
      return 0;
    }
    const [row] = await store.readModels([command.model]);
    const explained = explainModel(plan, command.model, row);
    print(json ? JSON.stringify(explained) : explanationText(explained, plan, Date.now()));
    return 0;
  } finally {
    close();
  }
};

const fail = (error: unknown): number => {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${HELP}\n`);
    return 2;
  }
  const text = error instanceof NoEndpoint ? error.message : explain(error);
  process.stderr.write(`${text}\n`);
  return 1;
};

/** What AWS says is for the reader: credentials that are missing, a table that is not there. */
const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'ResourceNotFoundException') {
    return 'there is no such deployment: its table was not found; check --stage, --region and --service';
  }
  return '$metadata' in error || error.name === 'CredentialsProviderError'
    ? `${error.name}: ${error.message}`
    : (error.stack ?? error.message);
};

try {
  process.exitCode = await run(parseArguments(process.argv.slice(2), process.env['AWS_REGION']));
} catch (error) {
  process.exitCode = fail(error);
}
