import { parseArgs } from 'node:util';

export const HELP = `Usage: npx mme <command> [options]

  workers         what has workers and what they cost: each model that is not cold, the busiest cold ones, the shards
  explain MODEL   why a model is where it is: its last decision with all that went into it, and what would change it

  --stage NAME    the deployment of this stage in your AWS account (with AWS's own credentials and region);
                  without it: the endpoint that npm start runs on this machine
  --region NAME   its region (default: AWS_REGION, or us-east-1)
  --service NAME  the service's name in serverless.yml (default lambda-mme)
  --json          the same as JSON
  --help          this text

LOCAL_DIR=.local is the folder of the local endpoint.`;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'workers' }
  | { readonly kind: 'explain'; readonly model: string };

export interface Options {
  readonly command: Command;
  readonly json: boolean;
  /** Absent: the endpoint on this machine. */
  readonly deployed?: { readonly stage: string; readonly region: string; readonly service: string };
}

/** Arguments that cannot be obeyed; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export const parseArguments = (args: readonly string[], region = 'us-east-1'): Options => {
  const { values, positionals } = readArguments(args);
  const { stage, json = false, help = false } = values;
  if (help || positionals.length === 0) return { command: { kind: 'help' }, json };
  if (stage === undefined && (values.region ?? values.service) !== undefined) {
    throw new UsageError('--region and --service go with --stage: without it the local endpoint is meant');
  }
  return {
    command: parseCommand(positionals),
    json,
    ...(stage === undefined
      ? {}
      : { deployed: { stage, region: values.region ?? region, service: values.service ?? 'lambda-mme' } }),
  };
};

const parseCommand = ([name = '', ...rest]: readonly string[]): Command => {
  if (name === 'workers' && rest.length === 0) return { kind: 'workers' };
  const [model] = rest;
  if (name === 'explain' && model !== undefined && rest.length === 1) return { kind: 'explain', model };
  if (name === 'explain') {
    throw new UsageError(
      'explain takes one model, by its TargetModel, e.g. mme explain tenant-7/churn.tar.gz',
    );
  }
  if (name === 'workers') throw new UsageError(`workers takes no arguments, but got ${rest.join(' ')}`);
  throw new UsageError(`there is no command ${JSON.stringify(name)}: there are workers and explain`);
};

const readArguments = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { stage: text, region: text, service: text, json: flag, help: flag },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};
